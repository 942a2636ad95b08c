"""Predicted numbers: compared with the ground truth, and the residuals."""

from penstock.report.chart import chart
from penstock.report.figures import Figures
from penstock.report.marks import Bars, Line, Points
from penstock.report.page import paragraph, section
from penstock.report.words import Words

__all__ = ["numbers_section"]


def numbers_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if metrics.json has no `predicted`."""
    truth, predicted = figures.get("predicted", "truth", default=[]), figures.get("predicted", "prediction", default=[])
    if not truth:
        return ""
    ends = [min(*truth, *predicted), max(*truth, *predicted)]
    scatter = chart(
        [Line(words("numbers.ideal"), ends, ends, quiet=True), Points(words("numbers.rows"), truth, predicted)],
        title=words("numbers.scatter"),
        x_label=words("numbers.actual"),
        y_label=words("numbers.predicted"),
        within=(ends[0], ends[1]),
        square=True,
    )
    residuals = [one - other for one, other in zip(truth, predicted, strict=True)]
    zero = Line(words("numbers.zero"), [min(predicted), max(predicted)], [0.0, 0.0], quiet=True)
    left = chart(
        [zero, Points(words("numbers.rows"), predicted, residuals)],
        title=words("numbers.residuals"),
        x_label=words("numbers.predicted"),
        y_label=words("numbers.residual"),
    )
    data = words.name("data", figures.get("predicted", "part", default=""))
    return section(
        words("numbers"),
        paragraph(words("numbers.note", data=data), "quiet"),
        f'<div class="charts">{scatter}{left}{_histogram(figures, words)}</div>',
        paragraph(_spread(figures, words)),
    )


def _histogram(figures: Figures, words: Words) -> str:
    if not figures.get("residuals", "counts"):
        return ""
    bars = Bars(words("numbers.rows"), figures.get("residuals", "edges"), figures.get("residuals", "counts"))
    return chart(
        [bars],
        title=words("numbers.histogram"),
        x_label=words("numbers.residual"),
        y_label=words("numbers.rows"),
        within=(0.0, 1.0),
    )


def _spread(figures: Figures, words: Words) -> str:
    if not figures.get("residuals", "counts"):
        return ""
    names = {"mean": "mean", "deviation": "std", "median": "median_absolute"}
    return words(
        "numbers.spread", **{word: figures.number("residuals", name, form=".4g") for word, name in names.items()}
    )
