"""What the report says of a forecaster: forecasts and actual values, errors by step and series, calibration."""

from collections.abc import Mapping
from typing import Any

from penstock.report import Band, Figures, Line, Words, chart, measured_part, render, section, table
from penstock.report.marks import Mark
from penstock.report.page import paragraph
from penstock.runtime.resampling import BETTER, WORSE

__all__ = ["render_report"]

_STEPS_SHOWN = 12


def render_report(metrics: Mapping[str, Any], *, title: str = "", language: str = "en") -> str:
    """The report of a forecaster; arguments as for `report.render`."""
    cards = [_advice, _fans, _by_step, _by_series, _intervals, _residuals, _grid]
    return render(metrics, title=title, language=language, extra=cards)


def _advice(figures: Figures, words: Words) -> str:
    """That no test shows the model to beat the last value, which is good to know before anybody relies on forecasts."""
    part = measured_part(figures.data)
    verdict = figures.get("baseline", "naive", "verdict", part, "mae")
    tested = figures.get("baseline", "naive", "difference", part, "mae", "p") is not None
    if not tested or verdict == BETTER:
        return ""
    note = words(
        "forecast.worse_note" if verdict == WORSE else "forecast.hard_note",
        data=words.name("data", part),
        naive=figures.number("baseline", "naive", part, "mae"),
        model=figures.number(part, "mae"),
    )
    return section(words("forecast.hard"), paragraph(note))


def _fans(figures: Figures, words: Words) -> str:
    alone = figures.get("data", "train", "series") == 1  # and then its name says nothing
    charts = [_fan(fan, words, alone) for fan in figures.get("fans", default=[])]
    note = words("forecast.fans_note", data=words.name("data", figures.get("part", default="")))
    drawn = f'<div class="charts">{"".join(charts)}</div>'
    return section(words("forecast.fans"), paragraph(note, "quiet"), drawn) if charts else ""


def _fan(fan: dict[str, Any], words: Words, alone: bool) -> str:
    """A forecast with its history; times stand on the axis where the series has dates."""
    history, truth, levels, times = fan["history"], fan["truth"], fan["levels"], fan["times"]
    before, ahead = list(range(1 - len(history), 1)), list(range(1, len(truth) + 1))
    steps = [*before, *ahead]
    bands = [
        Band(
            words("forecast.cases", share=f"{levels[-1 - k] - levels[k]:.0%}"),
            ahead,
            [_number(each) for each in fan["quantiles"][k]],
            [_number(each) for each in fan["quantiles"][-1 - k]],
        )
        for k in range(len(levels) // 2)
    ]
    lines = [
        Line(words("forecast.actual"), steps, [_number(each) for each in history + truth], 1),
        Line(words("forecast.median"), ahead, [_number(each) for each in fan["quantiles"][levels.index(0.5)]], 0),
    ]
    names = " ".join(filter(None, ("" if alone else fan["series"], fan["target"])))
    dated = "-" in times[0]
    return chart(
        [*bands, *lines],
        title=words("forecast.from", names=names, time=times[len(history)]),
        x_label=words("forecast.time") if dated else words("forecast.ahead"),
        y_label=fan["target"],
        marker=0.5,
        marker_text=words("forecast.start"),
        names=list(zip(map(float, steps), times, strict=True)) if dated else (),
    )


def _by_step(figures: Figures, words: Words) -> str:
    steps = figures.get("by_step", default=[])
    if not steps:
        return ""
    main = words.spoken("baseline", figures.get("main_baseline", default=""))
    both = ((words("scores.model"), "by_step", 0), (main, "by_step_baseline", 1))
    marks = [mark for name, key, style in both for mark in _with_interval(figures, words, name, key, style)]
    charts = [
        chart(
            marks,
            title=words("forecast.by_step"),
            x_label=words("forecast.ahead"),
            y_label=words("metric.mae"),
            within=(0.0, 0.0),
        )
    ]
    if held := figures.get("coverage_by_step", default=[]):
        nominal = Line(words("forecast.nominal"), [1, len(held)], [0.8, 0.8], quiet=True)
        charts.append(
            chart(
                [nominal, *_with_interval(figures, words, words("scores.model"), "coverage_by_step", 0)],
                title=words("forecast.coverage"),
                x_label=words("forecast.ahead"),
                y_label=words("forecast.coverage_label"),
                within=(0.0, 1.0),
            )
        )
    shown = sorted({round(k * (len(steps) - 1) / (_STEPS_SHOWN - 1)) for k in range(_STEPS_SHOWN)})
    rows = [
        (name, [figures.number(key, step) + figures.interval("interval_by_step", key, step) for step in shown])
        for name, key in (*((name, key) for name, key, _ in both), (words("metric.coverage_80"), "coverage_by_step"))
        if figures.get(key)
    ]
    heads = [words("forecast.ahead"), *(str(step + 1) for step in shown)]
    drawn = f'<div class="charts">{"".join(charts)}</div>'
    return section(words("forecast.by_step"), drawn, table(heads, rows, ours=words("scores.model")))


def _by_series(figures: Figures, words: Words) -> str:
    found = figures.get("by_series", default=[])
    if len(found) < 2:
        return ""
    names = [name for name in ("mae", "smape", "mase", "coverage_80") if name in found[0]]
    rows = [
        (
            " ".join(filter(None, (each["series"], each["target"]))),
            [
                figures.number("by_series", place, name) + figures.interval("by_series", place, "interval", name)
                for name in names
            ],
        )
        for place, each in enumerate(found)
    ]
    heads = [words("forecast.worst"), *(words.name("metric", name) for name in names)]
    return section(words("forecast.by_series"), table(heads, rows))


def _intervals(figures: Figures, words: Words) -> str:
    """What calibration did."""
    pairs = figures.get("intervals", "pairs", default=[])
    if not pairs:
        return ""
    rows = []
    for place, pair in enumerate(pairs):
        ends = [f"{level:g}" for level in pair["levels"]]
        name = words("forecast.to", low=ends[0], high=ends[1]) if len(ends) == 2 else ends[0]
        cells = [figures.number("intervals", "pairs", place, key, form=".3f") for key in ("factor", "before", "after")]
        rows.append((name, cells))
    note = words("forecast.intervals_note", stretches=figures.number("intervals", "stretches"))
    heads = [words(f"forecast.{name}") for name in ("quantiles", "factor", "before", "after")]
    return section(words("forecast.intervals"), table(heads, rows), paragraph(note, "quiet"))


def _residuals(figures: Figures, words: Words) -> str:
    calibration = figures.get("calibration", default=[])
    if not calibration:
        return ""
    rows = [
        (f"{each['quantile']:g}", [figures.number("calibration", place, "below", form=".3f")])
        for place, each in enumerate(calibration)
    ]
    heads = [words("forecast.quantile"), words("forecast.below")]
    parts = [table(heads, rows, caption=words("forecast.calibration"))]
    lags = figures.get("residuals", "lags", default=[])
    bound = figures.get("residuals", "bound")
    if lags and bound:
        found = [_number(each) for each in figures.get("residuals", "autocorrelation")]
        drawn = chart(
            [
                Band(words("forecast.chance"), lags, [-bound] * len(lags), [bound] * len(lags), 3),
                Line(words("forecast.correlation"), lags, found),
            ],
            title=words("forecast.autocorrelation"),
            x_label=words("forecast.lag"),
            y_label=words("forecast.correlation"),
        )
        few = figures.get("residuals", "outside", default=0) <= max(1, len(lags) // 10)
        outside = figures.number("residuals", "outside")
        parts += [drawn, paragraph(words("forecast.little" if few else "forecast.something", outside=outside))]
    return section(words("forecast.residuals"), *parts)


def _grid(figures: Figures, words: Words) -> str:
    """The grid of times that was found; the section of the data says what was changed."""
    if not figures.get("data", "frequency"):
        return ""
    clean = not figures.get("data", "changed", default={}) and not figures.get("data", "found", default={})
    return section(
        words("forecast.grid"),
        paragraph(words("forecast.steps", frequency=figures.text("data", "frequency"))),
        paragraph(words("forecast.clean") if clean else ""),
    )


def _with_interval(figures: Figures, words: Words, name: str, key: str, style: int) -> list[Mark]:
    """Values by step ahead, from 1, in front of their 95 % intervals; empty if there are none."""
    values = figures.get(key, default=[])
    if not values:
        return []
    steps = range(1, len(values) + 1)
    line = Line(name, steps, [_number(each) for each in values], style)
    ends = figures.get("interval_by_step", key, default=[])
    if len(values) == 1 or not any(ends):  # an area needs two steps
        return [line]
    low, high = ([_number(each and each[end]) for each in ends] for end in (0, 1))
    return [Band(words("forecast.step_interval", name=name), steps, low, high, style), line]


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)
