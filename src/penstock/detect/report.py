"""What the report shows of a detector: the series with range, score and alarms, and whether its probabilities hold."""

from collections.abc import Mapping
from typing import Any

from penstock.report import Band, Figures, Line, Points, Words, chart, measured_part, render, section, table
from penstock.report.page import paragraph

__all__ = ["render_report"]


def render_report(metrics: Mapping[str, Any], *, title: str = "", language: str = "en") -> str:
    """The report of a detector; arguments as for `report.render`."""
    return render(metrics, title=title, language=language, extra=[_found, _series, _tails])


def _found(figures: Figures, words: Words) -> str:
    """What the model's own threshold found."""
    if not figures.get("windows"):
        return ""
    labelled = figures.get("windows", "labelled")
    numbers = {name: figures.number("windows", name) for name in ("windows", "found", "false", "alarms")}
    data = words.name("data", measured_part(figures.data))
    told = paragraph(words("detect.found" if labelled else "detect.alarms", data=data, **numbers))
    if cut := figures.get("cut"):
        counts = {name: figures.number("cut", name) for name in ("window", "examples", "flagged", "labelled", "found")}
        told += paragraph(words("detect.cut_found" if cut["labelled"] else "detect.cut", data=data, **counts))
    note = paragraph(words("detect.nab_note") if labelled else "", "quiet")
    place = ("windows", "found", "false", "alarms") if labelled else ("alarms",)
    rows = [
        (each["series"] or words("detect.series"), [figures.number("series", index, name) for name in place])
        for index, each in enumerate(figures.get("series", default=[]))
    ]
    heads = [words("detect.series"), *(words(f"detect.n_{name}") for name in place)]
    return section(words("detect.found_title"), told, note, table(heads, rows) if len(rows) > 1 else "")


def _series(figures: Figures, words: Words) -> str:
    """Each series above its scores, the worst first."""
    drawn = []
    for each in figures.get("series", default=[]):
        drawn += [_values(each, words), _scores(each, words)]
    return section(
        words("detect.series_title"),
        paragraph(words("detect.series_note"), "quiet"),
        f'<div class="charts">{"".join(drawn)}</div>' if drawn else "",
    )


def _values(each: Mapping[str, Any], words: Words) -> str:
    parts = each["chart"]
    low, high = _numbers(parts["low"]), _numbers(parts["high"])
    places = list(range(len(low)))
    known = [value for value in (*low, *high) if value == value]
    bottom, top = (min(known), max(known)) if known else (0.0, 1.0)
    marks: list[Any] = [
        Band(words("detect.range"), places, _numbers(parts["expected_low"]), _numbers(parts["expected_high"])),
        # Each place has the least and the largest of its values.
        Line(
            words("detect.values"),
            [place + half for place in places for half in (0, 0.5)],
            [value for both in zip(low, high, strict=True) for value in both],
            1,
        ),
    ]
    if parts["windows"]:
        marks.insert(0, _windows(parts["windows"], bottom, top, words))
    for right, style in ((True, 2), (False, 4)):
        if at := [alarm["place"] for alarm in parts["alarms"] if alarm["right"] is right]:
            name = "detect.alarm" if not each["labelled"] else "detect.right" if right else "detect.wrong"
            marks.append(Points(words(name), at, [top] * len(at), style=style))
    return chart(
        marks,
        title=each["series"] or words("detect.series"),
        x_label=words("detect.time"),
        y_label=words("detect.value"),
        names=list(zip(map(float, places), parts["times"], strict=True)),
    )


def _scores(each: Mapping[str, Any], words: Words) -> str:
    parts = each["chart"]
    places = list(range(len(parts["score"])))
    return chart(
        [
            Line(words("detect.score"), places, _numbers(parts["score"]), 0),
            Line(words("detect.threshold"), places, _numbers(parts["threshold"]), 3),
        ],
        title=words("detect.score_of", series=each["series"] or words("detect.series")),
        x_label=words("detect.time"),
        y_label=words("detect.score"),
        names=list(zip(map(float, places), parts["times"], strict=True)),
    )


def _windows(windows: list[list[int]], bottom: float, top: float, words: Words) -> Band:
    """All labelled windows as one area, flat between them."""
    x, up = [], []
    for first, last in windows:
        x += [first, first, last + 1, last + 1]
        up += [bottom, top, top, bottom]
    return Band(words("detect.window"), x, [bottom] * len(x), up, 3)


def _tails(figures: Figures, words: Words) -> str:
    """Whether values as improbable as 1 % are 1 % of all."""
    rows = [
        (f"{each['p']:g}", [figures.number("tails", index, "share", form=".5f")])
        for index, each in enumerate(figures.get("tails", default=[]))
    ]
    if not rows:
        return ""
    note = words("detect.tails_note", values=figures.number("tails", 0, "values"))
    heads = [words("detect.tail"), words("detect.share")]
    return section(words("detect.tails"), table(heads, rows), paragraph(note, "quiet"))


def _numbers(values: list[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
