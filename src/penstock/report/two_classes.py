"""Two classes: ROC curve, precision-recall curve, and the metrics at each threshold."""

from penstock.report.chart import chart
from penstock.report.figures import Figures, Marked
from penstock.report.marks import Line
from penstock.report.page import paragraph, section, table
from penstock.report.words import Words

__all__ = ["two_classes_section"]

_FIGURES = ("precision", "recall", "f1")


def two_classes_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if metrics.json has no `two_classes`."""
    if not figures.get("two_classes"):
        return ""
    return section(
        words("curve"),
        paragraph(_note(figures, words), "quiet"),
        f'<div class="charts">{_roc(figures, words)}{_precision_recall(figures, words)}</div>',
        _thresholds(figures, words),
        paragraph(_best(figures, words)),
    )


def _note(figures: Figures, words: Words) -> str:
    shown = {
        "data": words.name("data", figures.get("two_classes", "part", default="")),
        "label": figures.text("two_classes", "label"),
        "auc": _score(figures, ("two_classes",), "auc"),
        "ap": _score(figures, ("two_classes",), "average_precision"),
    }
    place = ("two_classes", "baseline")
    if not figures.get(*place):
        return words("curve.note_alone", **shown)
    return words(
        "curve.note",
        **shown,
        baseline_auc=_score(figures, place, "auc"),
        baseline_ap=_score(figures, place, "average_precision"),
    )


def _score(figures: Figures, place: tuple[str, ...], name: str) -> str:
    """Return an area under a curve with its interval, in one line of text."""
    ends = [figures.number(*place, "interval", name, end, form=".3f") for end in (0, 1)]
    between = f" [{', '.join(ends)}]" if figures.get(*place, "interval", name) else ""
    return figures.number(*place, name, form=".3f") + between


def _roc(figures: Figures, words: Words) -> str:
    lines = [Line(words("curve.chance"), [0.0, 1.0], [0.0, 1.0], quiet=True), *_lines(figures, words, "fpr", "tpr")]
    return chart(
        lines,
        title=words("curve.roc"),
        x_label=words("curve.fpr"),
        y_label=words("curve.tpr"),
        within=(0.0, 1.0),
        square=True,
    )


def _precision_recall(figures: Figures, words: Words) -> str:
    share = figures.get("two_classes", "share", default=0.0)
    chance = Line(words("curve.chance"), [0.0, 1.0], [share, share], quiet=True)
    return chart(
        [chance, *_lines(figures, words, "recall", "precision")],
        title=words("curve.pr"),
        x_label=words("curve.recall"),
        y_label=words("curve.precision"),
        within=(0.0, 1.0),
        square=True,
    )


def _lines(figures: Figures, words: Words, x: str, y: str) -> list[Line]:
    """Return the model's line, drawn over that of the main baseline."""
    main = words.spoken("baseline", figures.get("main_baseline", default=""))
    places = ((("two_classes", "baseline"), main, 1), (("two_classes",), words("scores.model"), 0))
    return [
        Line(name, figures.get(*place, x), figures.get(*place, y), style)
        for place, name, style in places
        if figures.get(*place, x)
    ]


def _thresholds(figures: Figures, words: Words) -> str:
    place = ("two_classes", "thresholds")
    rows = [
        (
            Marked(figures.number(*place, index, "threshold", form=".2f")),
            [
                *(
                    figures.number(*place, index, name, form=".3f")
                    + figures.interval(*place, index, "interval", name, form=".3f")
                    for name in _FIGURES
                ),
                figures.number(*place, index, "predicted"),
            ],
        )
        for index in range(len(figures.get(*place, default=[])))
    ]
    predicted = words("curve.predicted", label=figures.get("two_classes", "label"))
    heads = [words("curve.threshold"), *(words(f"classes.{name}") for name in _FIGURES), predicted]
    return table(heads, rows)


def _best(figures: Figures, words: Words) -> str:
    threshold = figures.number("two_classes", "best_threshold", form=".2f")
    return words("curve.best", threshold=threshold)
