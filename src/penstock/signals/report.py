"""What the report shows of signals: each class's mean, and the worst errors drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report import Figures, Line, Words, chart, measured_part, render, section
from penstock.report.effects import Effects
from penstock.report.mistakes import mistake_words
from penstock.report.page import paragraph

__all__ = ["render_report"]

# Classes and rows that are drawn: more would be scrolled past.
_CLASSES, _ROWS = 12, 8


def render_report(metrics: Mapping[str, Any], *, title: str = "", language: str = "en") -> str:
    """The report of a model of signals; arguments as for `report.render`."""
    return render(metrics, title=title, language=language, extra=[_means], mistakes=_errors)


def _means(figures: Figures, words: Words) -> str:
    place = ("data", "class_means")
    cells = []
    for index in range(len(figures.get(*place, default=[])[:_CLASSES])):
        label, rows = figures.text(*place, index, "label"), figures.number(*place, index, "rows")
        drawn = _chart(figures, words, (*place, index, "mean"), words("signals.mean"))
        cells.append(drawn + paragraph(words("signals.count", label=label, rows=rows)))
    return _charts(words("signals.means"), words("signals.means_note"), cells)


def _errors(figures: Figures, words: Words) -> str:
    """The most confident errors of a classifier, or the largest of a regressor."""
    data = words.name("data", measured_part(figures.data))
    cells = []
    for index in range(len(figures.get("mistakes", default=[])[:_ROWS])):
        row = figures.number("mistakes", index, "row")
        said = words("signals.row", row=row, said=mistake_words(figures, words, index))
        cells.append(_chart(figures, words, ("mistakes", index, "signal"), words("signals.mistake")) + paragraph(said))
    if cells:
        return _charts(words("mistakes"), words("mistakes.note", data=data), cells)
    for index in range(len(figures.get("errors", default=[])[:_ROWS])):
        place = ("errors", index)
        said = words(
            "numbers.item",
            row=figures.number(*place, "row"),
            prediction=figures.number(*place, "prediction", form=".4g"),
            truth=figures.number(*place, "truth", form=".4g"),
        )
        cells.append(_chart(figures, words, (*place, "signal"), words("signals.mistake")) + paragraph(said))
    return _charts(words("numbers.largest"), words("numbers.largest_note", data=data), cells)


def _charts(title: str, note: str, cells: Sequence[str]) -> str:
    if not cells:
        return ""
    drawn = "".join(f"<div>{cell}</div>" for cell in cells)
    return section(title, paragraph(note, "quiet"), f'<div class="charts">{drawn}</div>')


def _chart(figures: Figures, words: Words, keys: Sequence[object], title: str) -> str:
    """Draw the channels, over the colours of what mattered in them if that is known."""
    channels: Sequence[Sequence[float | None]] = figures.get(*keys, default=[])
    lines = [
        Line(
            words("signals.channel", number=place + 1),
            [float(step) for step in range(1, len(values) + 1)],
            [float("nan") if value is None else value for value in values],
            place,
        )
        for place, values in enumerate(channels)
    ]
    scores: Sequence[Sequence[float]] = figures.get(*keys[:-1], "attribution", "scores", default=[])
    colours = [(line.x, line.y, each) for line, each in zip(lines, scores, strict=False) if len(line.x) == len(each)]
    under = [Effects(words("mistakes.effects"), colours)] if colours else []
    return chart([*under, *lines], title=title, x_label=words("signals.step"), y_label=words("signals.value"))
