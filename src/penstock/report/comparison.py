"""The page of a comparison of two models, made of `inspection.Comparison.figures` alone."""

from collections.abc import Mapping
from typing import Any

from penstock.report.chart import chart
from penstock.report.figures import Figures, Marked, escape
from penstock.report.marks import Line, Points
from penstock.report.origin import network_words
from penstock.report.page import page, paragraph, section, table
from penstock.report.reliability import ece_words
from penstock.report.scores import judged_words, metric_names, metric_words_with_side
from penstock.report.words import Words
from penstock.runtime.resampling import FEW_UNITS

__all__ = ["render_comparison"]

_SIDES = ("a", "b")
_LONGEST = 80  # characters of a text in the table of disagreements
_TEXTS = ("text", "source", "file", "unique_id", "ds", "target", "input", "step", "row")


def render_comparison(found: Mapping[str, Any], *, language: str = "en") -> str:
    """Return the page as one HTML file; numbers are marked with their place in `found`, as in `render`.

    Args:
        found: `inspection.Comparison.figures`.
        language: "en" or "zh".

    Raises:
        ConfigError: an unknown language.
    """
    figures, words = Figures(found), Words(language)
    names = {side: escape(figures.get("models", side, "name")) for side in _SIDES}
    title = words("compare.title", **{side: figures.get("models", side, "name") for side in _SIDES})
    lead = words(
        "compare.lead",
        task=escape(words.spoken("task", figures.get("task"))),
        rows=figures.number("rows"),
        **names,
    )
    cards = (_scores, _mcnemar, _calibration, _models, _disagreements)
    return page(title, lead, (card(figures, words) for card in cards), language)


def _scores(figures: Figures, words: Words) -> str:
    rows = [
        (
            metric_words_with_side(words, name),
            [
                *(figures.number("metrics", side, name) + figures.interval("interval", side, name) for side in _SIDES),
                judged_words(figures, words, ("difference", name), ("verdict", name)),
            ],
        )
        for name in metric_names(figures.get("metrics", "a"))
    ]
    few = figures.get("units") < FEW_UNITS
    return section(
        words("compare.scores"),
        paragraph(words("compare.few", units=figures.number("units")) if few else "", "callout"),
        table([words("compare.metric"), "A", "B", words("compare.verdict")], rows, kind="scores"),
        paragraph(words("scores.method", units=figures.number("units")), "quiet"),
    )


def _mcnemar(figures: Figures, words: Words) -> str:
    if figures.get("mcnemar") is None:
        return ""
    rows = [
        (words(f"compare.{name}"), [figures.number("mcnemar", name)])
        for name in ("both", "only_a", "only_b", "neither")
    ]
    note = words("compare.mcnemar_note", p=figures.number("mcnemar", "p", form=".4f"))
    return section(
        words("compare.mcnemar"), paragraph(note), table([words("compare.right"), words("compare.rows")], rows)
    )


def _calibration(figures: Figures, words: Words) -> str:
    if figures.get("calibration") is None:
        return ""
    marks = [
        Points(
            side.upper(),
            [each["confidence"] for each in bins],
            [each["accuracy"] for each in bins],
            [each["interval"][0] for each in bins],
            [each["interval"][1] for each in bins],
            style,
        )
        for style, side in enumerate(_SIDES)
        if (bins := figures.get("calibration", side, "bins"))
    ]
    drawn = chart(
        [Line(words("reliability.perfect"), [0.0, 1.0], [0.0, 1.0], quiet=True), *marks],
        title=words("reliability.chart"),
        x_label=words("reliability.confidence"),
        y_label=words("reliability.right"),
        within=(0.0, 1.0),
        square=True,
    )
    note = words(
        "compare.calibration_note",
        **{side: ece_words(figures, ("calibration", side)) for side in _SIDES},
    )
    tables = "".join(_bins(figures, words, side) for side in _SIDES)
    return section(
        words("compare.calibration"), paragraph(note), f'<div class="charts">{drawn}<div>{tables}</div></div>'
    )


def _bins(figures: Figures, words: Words, side: str) -> str:
    place = ("calibration", side, "bins")
    rows = [
        (
            Marked("–".join(figures.number(*place, index, end, form=".1f") for end in ("low", "high"))),
            [
                figures.number(*place, index, "rows"),
                figures.number(*place, index, "confidence", form=".3f"),
                figures.number(*place, index, "accuracy", form=".3f")
                + figures.interval(*place, index, "interval", form=".3f"),
            ],
        )
        for index in range(len(figures.get(*place, default=[])))
    ]
    heads = [words(f"reliability.{name}") for name in ("bin", "rows", "mean", "right")]
    return table(heads, rows, caption=side.upper())


def _models(figures: Figures, words: Words) -> str:
    names = ("parameters", "size", "speed")
    rows = [
        (
            side.upper(),
            [
                figures.number("models", side, "parameters"),
                figures.number("models", side, "bytes", unit=" B"),
                figures.number("speed", side, "per_second", form=",.0f")
                + figures.interval("speed", side, "range", form=",.0f"),
            ],
        )
        for side in _SIDES
    ]
    note = words(
        "compare.speed_note",
        predictions=figures.number("speed", "predictions"),
        rounds=figures.number("speed", "rounds"),
        threads=figures.number("speed", "threads"),
        ratio=figures.number("speed", "ratio", "value", form=".2f"),
        low=figures.number("speed", "ratio", "range", 0, form=".2f"),
        high=figures.number("speed", "ratio", "range", 1, form=".2f"),
    )
    facts = "".join(
        f"<div><dt>{side.upper()}</dt><dd>{figures.text('models', side, 'name')}<br>"
        f"{network_words(figures, words, ('models', side))}<br>"
        f"{figures.text('models', side, 'fingerprint', code=True)}</dd></div>"
        for side in _SIDES
    )
    return section(
        words("compare.models"),
        f'<dl class="facts">{facts}</dl>',
        table([words("compare.model"), *(words(f"compare.{name}") for name in names)], rows),
        paragraph(note, "quiet"),
    )


def _disagreements(figures: Figures, words: Words) -> str:
    shown = figures.get("disagreements", "shown", default=[])
    note = words(
        "compare.disagreements_note",
        rows=figures.number("disagreements", "rows"),
        share=figures.number("disagreements", "share", form=".1%"),
        shown=str(len(shown)),
    )
    if not shown:
        return section(words("compare.disagreements"), paragraph(words("compare.agree")))
    about = [name for name in _TEXTS if name in shown[0]]
    measured = [name for name in shown[0] if name not in _TEXTS]
    rows = [
        (
            " · ".join(_short(str(line.get(name, ""))) for name in about[:2]),
            [
                *(figures.text("disagreements", "shown", place, name) for name in about[2:]),
                *(_cell(figures, place, name) for name in measured),
            ],
        )
        for place, line in enumerate(shown)
    ]
    heads = [" · ".join(words(f"compare.{name}") for name in about[:2])]
    heads += [words(f"compare.{name}") for name in (*about[2:], *measured)]
    return section(words("compare.disagreements"), paragraph(note), table(heads, rows))


def _cell(figures: Figures, place: int, name: str) -> str:
    value = figures.get("disagreements", "shown", place, name)
    show = figures.number if isinstance(value, float) else figures.text
    return show("disagreements", "shown", place, name)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
