"""The forecasts on the demo's page: yearly sunspot numbers, compared with naive baselines."""

from penstock.report.chart import chart
from penstock.report.figures import Figures
from penstock.report.marks import Band, Line
from penstock.report.page import mark, section
from penstock.report.scores import evaluation_table
from penstock.report.words import Words

__all__ = ["forecast_section"]


def forecast_section(figures: Figures) -> str:
    """Return the scores over all test origins, and one forecast with its interval beside the actual values."""
    if not figures.get("sunspots", "scores"):
        return ""
    return section(
        "Sunspots, years ahead",
        "<p>Yearly mean sunspot numbers since 1700 (the international record, as its source published it): "
        f"{figures.number('sunspots', 'rows', 'train', form='g')} years to learn from, the last "
        f"{figures.number('sunspots', 'rows', 'test', form='g')} held back, forecast "
        f"{figures.number('sunspots', 'horizon', form='g')} years ahead from each of "
        f"{figures.number('sunspots', 'origins', form='g')} origins.</p>",
        evaluation_table(figures, Words(), "Held-back years", "Forecaster", ("sunspots", "scores")),
        _fan(figures),
        "<p>By a paired test, the forecasts should be better than the last value and worse than no baseline. "
        f"{mark(bool(figures.get('sunspots', 'as_expected')))}</p>",
    )


def _fan(figures: Figures) -> str:
    fan = figures.get("sunspots", "fan", default={})
    if not fan:
        return ""
    lines = [
        Line("before", fan["history_years"], fan["history"], 3),
        Line("actual", fan["years"], fan["actual"], 1),
        Line("forecast (median)", fan["years"], fan["forecast"], 0),
    ]
    band = Band("80 % interval", fan["years"], fan["low"], fan["high"], 0)
    return chart(
        [band, *lines], title="A forecast and actual values", x_label="year", y_label="sunspot number",
        marker=fan["history_years"][-1],
    )  # fmt: skip
