"""What the report says of a forecaster: fans over what came, errors by step and series, what the errors still hold."""

from typing import Any

from penstock.report.chart import Band, Line, line_chart
from penstock.report.figures import Figures, escape
from penstock.report.page import PARTS, measured_part, section, table
from penstock.report.words import baseline_words

__all__ = ["forecast_sections"]

_STEPS_SHOWN = 12
_CLOSE = 0.05
"""A gain on the last value below which it counts as hard to beat."""


def forecast_sections(figures: Figures) -> list[str]:
    """The sections, each empty where metrics.json holds nothing for it."""
    return [
        _advice(figures),
        _fans(figures),
        _by_step(figures),
        _by_series(figures),
        _intervals(figures),
        _residuals(figures),
        _found(figures),
    ]


def _advice(figures: Figures) -> str:
    """Whether the last value is hard to beat, which is good to know before anybody relies on forecasts."""
    part = measured_part(figures.data)
    model, naive = (figures.get(*keys, part, "mae") for keys in ((), ("baseline", "naive")))
    if not model or not naive or model < (1 - _CLOSE) * naive:
        return ""
    return section(
        "The last value is hard to beat here",
        f"<p>Its mean absolute error on the {PARTS[part].lower()} data is "
        f"{figures.number('baseline', 'naive', part, 'mae')}, the network’s {figures.number(part, 'mae')}. "
        "Such a series moves like a random walk: what it will do next can hardly be told from what it did.</p>",
    )


def _fans(figures: Figures) -> str:
    charts = [_fan(fan) for fan in figures.get("fans", default=[])]
    part = PARTS.get(figures.get("part"), "").lower()
    note = f'<p class="quiet">Forecasts at some origins of the {part} data, over what came.</p>'
    return (
        section("Forecasts and actual values", note, f'<div class="charts">{"".join(charts)}</div>') if charts else ""
    )


def _fan(fan: dict[str, Any]) -> str:
    history, truth, levels = fan["history"], fan["truth"], fan["levels"]
    before, ahead = list(range(1 - len(history), 1)), list(range(1, len(truth) + 1))
    bands = [
        Band(f"{levels[-1 - k] - levels[k]:.0%} of cases", ahead, fan["quantiles"][k], fan["quantiles"][-1 - k])
        for k in range(len(levels) // 2)
    ]
    lines = [
        Line("what came", before + ahead, [_number(each) for each in history + truth], 1),
        Line("forecast (median)", ahead, fan["quantiles"][levels.index(0.5)], 0),
    ]
    names = " ".join(filter(None, (fan["series"], fan["target"])))
    return line_chart(
        lines,
        title=f"{names}, from {fan['times'][len(history)]}",
        x_label="steps ahead",
        y_label=fan["target"],
        marker=0,
        bands=bands,
    )


def _by_step(figures: Figures) -> str:
    steps = figures.get("by_step", default=[])
    if not steps:
        return ""
    main = baseline_words(figures.get("main_baseline", default=""))
    lines = [Line("this model", range(1, len(steps) + 1), [_number(each) for each in steps])]
    if beside := figures.get("by_step_baseline", default=[]):
        lines.append(Line(main, range(1, len(beside) + 1), [_number(each) for each in beside], 1))
    chart = line_chart(lines, title="Error by step ahead", x_label="steps ahead", y_label="mean absolute error")
    shown = sorted({round(k * (len(steps) - 1) / (_STEPS_SHOWN - 1)) for k in range(_STEPS_SHOWN)})
    rows = [
        (name, [figures.number(key, step) for step in shown])
        for name, key in (("This model", "by_step"), (main, "by_step_baseline"))
        if figures.get(key)
    ]
    numbers = table(["Steps ahead", *(str(step + 1) for step in shown)], rows, ours="This model")
    return section("Error by step ahead", chart, numbers)


def _by_series(figures: Figures) -> str:
    found = figures.get("by_series", default=[])
    if len(found) < 2:
        return ""
    names = [name for name in ("mae", "smape", "mase", "coverage_80") if name in found[0]]
    heads = {"mae": "MAE", "smape": "sMAPE", "mase": "MASE", "coverage_80": "in the 80 % interval"}
    rows = [
        (
            " ".join(filter(None, (each["series"], each["target"]))),
            [figures.number("by_series", place, name) for name in names],
        )
        for place, each in enumerate(found)
    ]
    return section("Error by series", table(["The worst first", *(heads[name] for name in names)], rows))


def _intervals(figures: Figures) -> str:
    """What calibration did."""
    pairs = figures.get("intervals", "pairs", default=[])
    if not pairs:
        return ""
    rows = [
        (
            " to ".join(f"{level:g}" for level in pair["levels"]),
            [figures.number("intervals", "pairs", place, name, form=".3f") for name in ("factor", "before", "after")],
        )
        for place, pair in enumerate(pairs)
    ]
    note = (
        "<p>The distance of these quantiles from the median is multiplied by the factor with which they hold their "
        "share of the validation data; by 1 where they did as trained, or where there is too little to tell. The "
        f"validation data holds {figures.number('intervals', 'stretches')} horizons that do not overlap: the fewer "
        "there are, the less certain these shares are.</p>"
    )
    heads = ["Quantiles", "factor", "share held, as trained", "share held, widened"]
    return section("Intervals on the validation data", table(heads, rows), note)


def _residuals(figures: Figures) -> str:
    calibration = figures.get("calibration", default=[])
    if not calibration:
        return ""
    rows = [
        (f"{each['quantile']:g}", [figures.number("calibration", place, "below", form=".3f")])
        for place, each in enumerate(calibration)
    ]
    parts = [table(["Quantile", "share of values below it"], rows, caption="Calibration: the two should be alike.")]
    lags = figures.get("residuals", "lags", default=[])
    bound = figures.get("residuals", "bound")
    if lags and bound:
        found = [_number(each) for each in figures.get("residuals", "autocorrelation")]
        chart = line_chart(
            [Line("autocorrelation", lags, found)],
            title="Autocorrelation of the errors one step ahead",
            x_label="lag",
            y_label="correlation",
            bands=[Band("within chance", lags, [-bound] * len(lags), [bound] * len(lags), 3)],
        )
        few = figures.get("residuals", "outside", default=0) <= max(1, len(lags) // 10)
        words = "little that a better forecaster could use" if few else "something that a better forecaster could use"
        outside = figures.number("residuals", "outside")
        parts += [chart, f"<p>Lags outside what is within chance: {outside}. The errors hold {words}.</p>"]
    return section("What the errors still hold", *parts)


def _found(figures: Figures) -> str:
    """What was done to the data."""
    found = figures.get("data", "found", default={})
    rows = [(words, [figures.number("data", "found", words)]) for words in sorted(found)]
    steps = figures.get("data", "frequency")
    note = f"<p>Steps of {escape(steps)}.</p>" if steps else ""
    if not rows:
        return section("Time", note + "<p>No gaps, nothing out of order, no value missing.</p>") if note else ""
    return section("Time", note, table(["Found and treated", "times"], rows))


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
