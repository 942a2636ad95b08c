"""Calibration of the probabilities: the reliability diagram and the expected calibration error."""

from penstock.report.chart import chart
from penstock.report.figures import Figures, Marked
from penstock.report.marks import Line, Points
from penstock.report.page import paragraph, section, table
from penstock.report.words import Words

__all__ = ["ece_words", "reliability_section"]


def reliability_section(figures: Figures, words: Words) -> str:
    """Return the card; empty if metrics.json has no `reliability`."""
    bins = figures.get("reliability", "bins", default=[])
    if not bins:
        return ""
    points = Points(
        words("reliability.model"),
        [each["confidence"] for each in bins],
        [each["accuracy"] for each in bins],
        [each["interval"][0] for each in bins],
        [each["interval"][1] for each in bins],
    )
    drawn = chart(
        [Line(words("reliability.perfect"), [0.0, 1.0], [0.0, 1.0], quiet=True), points],
        title=words("reliability.chart"),
        x_label=words("reliability.confidence"),
        y_label=words("reliability.right"),
        within=(0.0, 1.0),
        square=True,
    )
    place = ("reliability", "bins")
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
        for index in range(len(bins))
    ]
    unit = figures.get("reliability", "unit", default="reliability.rows")
    heads = [words(name) for name in ("reliability.bin", unit, "reliability.mean", "reliability.right")]
    data = words.name("data", figures.get("reliability", "part", default=""))
    note = words("reliability.note", data=data, ece=ece_words(figures, ("reliability",)))
    return section(words("reliability"), paragraph(note, "quiet"), _beside(drawn, table(heads, rows)))


def ece_words(figures: Figures, place: tuple[str, ...]) -> str:
    """Return the expected calibration error at a place with its interval, in one line of HTML."""
    ends = [figures.number(*place, "ece_interval", end, form=".3f") for end in (0, 1)]
    between = f" [{', '.join(ends)}]" if figures.get(*place, "ece_interval") else ""
    return figures.number(*place, "ece", form=".3f") + between


def _beside(drawn: str, numbers: str) -> str:
    return f'<div class="charts">{drawn}<div>{numbers}</div></div>'
