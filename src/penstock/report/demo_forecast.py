"""The forecasts on the demo's page: yearly sunspot numbers, compared with naive baselines."""

from penstock.report.chart import chart
from penstock.report.figures import Figures
from penstock.report.marks import Band, Line
from penstock.report.page import mark, section, table
from penstock.report.scores import metric_names
from penstock.report.words import baseline_words, metric_words

__all__ = ["forecast_section"]


def forecast_section(figures: Figures) -> str:
    """Return the scores over all test origins, and one forecast with its interval beside the actual values."""
    if not figures.get("sunspots", "metrics"):
        return ""
    names = metric_names(figures.get("sunspots", "metrics"))
    rows = [("Forecaster", [figures.number("sunspots", "metrics", name, form=".3f") for name in names])]
    for baseline in sorted(figures.get("sunspots", "baselines", default={})):
        cells = [figures.number("sunspots", "baselines", baseline, name, form=".3f") for name in names]
        rows.append((baseline_words(baseline), cells))
    return section(
        "Sunspots, years ahead",
        "<p>Yearly mean sunspot numbers since 1700 (the international record, as its source published it): "
        f"{figures.number('sunspots', 'rows', 'train', form='g')} years to learn from, the last "
        f"{figures.number('sunspots', 'rows', 'test', form='g')} held back, forecast "
        f"{figures.number('sunspots', 'horizon', form='g')} years ahead from each of "
        f"{figures.number('sunspots', 'origins', form='g')} origins.</p>",
        table(["Held-back years", *map(metric_words, names)], rows, ours="Forecaster"),
        _fan(figures),
        f"<p>The forecasts should beat the best naive one. {mark(bool(figures.get('sunspots', 'as_expected')))}</p>",
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
