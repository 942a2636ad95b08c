"""What the report shows of signals: each class's mean, the worst mistakes drawn, numbers predicted beside the truth."""

from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report.chart import Line, line_chart
from penstock.report.figures import Figures, escape, pointer
from penstock.report.page import PARTS, section

__all__ = ["signal_sections"]

# Classes and rows that are drawn: more would be scrolled past.
_CLASSES, _ROWS = 12, 8
_CHANNELS = ("first channel", "second channel", "third channel", "fourth channel")


def signal_sections(metrics: Mapping[str, Any]) -> list[str]:
    """The sections, each empty where metrics.json holds nothing for it."""
    figures = Figures(metrics)
    return [_means(figures), _predicted(figures), _mistakes(figures), _errors(figures)]


def _means(figures: Figures) -> str:
    place = ("data", "class_means")
    cells = [
        _chart(figures, (*place, index, "mean"), "Mean of a class")
        + f"<p>{_word(figures, *place, index, 'label')}, {figures.number(*place, index, 'rows')} signals</p>"
        for index in range(len(figures.get(*place, default=[])[:_CLASSES]))
    ]
    return _charts("The classes’ signals", "Means of the training signals, stretched to one length.", cells)


def _predicted(figures: Figures) -> str:
    truth = figures.get("predicted", "truth", default=[])
    if not truth:
        return ""
    places = [float(place) for place in range(1, len(truth) + 1)]
    lines = [Line("truth", places, truth, 0), Line("model", places, figures.get("predicted", "prediction"), 1)]
    part = PARTS.get(figures.get("predicted", "part"), "").lower()
    return section(
        "Numbers predicted beside the truth",
        f'<p class="quiet">Rows of the {part} data in the order of the truth.</p>',
        line_chart(lines, title="Truth and model", x_label="row", y_label="value"),
    )


def _mistakes(figures: Figures) -> str:
    cells = []
    for index in range(len(figures.get("mistakes", default=[])[:_ROWS])):
        place = ("mistakes", index)
        cells.append(
            _chart(figures, (*place, "signal"), "Answered wrong")
            + f'<p>Row {figures.number(*place, "row")}: answered <strong class="bad">'
            f"{_word(figures, *place, 'prediction')}</strong> at {figures.number(*place, 'probability', form='.3f')}, "
            f'is <strong class="good">{_word(figures, *place, "label")}</strong></p>'
        )
    return _charts("Worst mistakes", "Most confident errors first.", cells)


def _errors(figures: Figures) -> str:
    cells = []
    for index in range(len(figures.get("errors", default=[])[:_ROWS])):
        place = ("errors", index)
        cells.append(
            _chart(figures, (*place, "signal"), "Far off")
            + f"<p>Row {figures.number(*place, 'row')}: predicted {figures.number(*place, 'prediction', form='.4g')}, "
            f"is {figures.number(*place, 'truth', form='.4g')}</p>"
        )
    return _charts("Largest errors", "The furthest off, first.", cells)


def _charts(title: str, note: str, cells: Sequence[str]) -> str:
    if not cells:
        return ""
    drawn = "".join(f"<div>{cell}</div>" for cell in cells)
    return section(title, f'<p class="quiet">{note}</p>', f'<div class="charts">{drawn}</div>')


def _word(figures: Figures, *keys: object) -> str:
    """A label, marked with its place."""
    return f'<span data-metric="{escape(pointer(*keys))}">{escape(figures.get(*keys))}</span>'


def _chart(figures: Figures, keys: Sequence[object], title: str) -> str:
    channels: Sequence[Sequence[float | None]] = figures.get(*keys, default=[])
    lines = [
        Line(
            name,
            [float(step) for step in range(1, len(values) + 1)],
            [float("nan") if value is None else value for value in values],
            style,
        )
        for style, (name, values) in enumerate(zip(_CHANNELS, channels, strict=False))
    ]
    return line_chart(lines, title=title, x_label="step drawn", y_label="value")
