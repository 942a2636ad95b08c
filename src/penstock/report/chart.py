"""Line charts as inline SVG: no library, no script, colours that follow the page's light or dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.report.figures import escape

__all__ = ["Band", "Line", "line_chart"]

# Width and height are small so that the lettering stays readable where a phone shrinks the drawing.
_WIDTH, _HEIGHT = 480, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 78, 22, 14, 44
_DASHES = ("", "7 4", "2 4", "10 3 2 3")
# Between ticks; numbers any larger would not fit into the left margin.
_LARGEST_STEP = 1e6


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Args:
        name: what the legend says.
        x, y: its points, of equal length; where y is no finite number, the line has a gap.
        style: which of the page's line colours and dashes, from 0.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0

    def points(self, log: bool) -> list[tuple[float, float]]:
        """The points that can be drawn: finite, and above 0 on a logarithmic axis."""
        return [point for run in self.runs(log) for point in run]

    def runs(self, log: bool) -> list[list[tuple[float, float]]]:
        """The same, divided where points between them can't be drawn."""
        found: list[list[tuple[float, float]]] = [[]]
        for x, y in zip(self.x, self.y, strict=True):
            if math.isfinite(y) and (y > 0 or not log):
                found[-1].append((x, y))
            elif found[-1]:
                found.append([])
        return [run for run in found if run]


@dataclass(frozen=True)
class Band:
    """What lies between two lines, filled.

    Args:
        name: what the legend says.
        x, low, high: of equal length.
        style: which of the page's line colours, from 0.
    """

    name: str
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    style: int = 0

    def edges(self) -> tuple[Line, Line]:
        """The two lines."""
        return Line(self.name, self.x, self.low), Line(self.name, self.x, self.high)


@dataclass(frozen=True)
class _Axis:
    """Maps values to pixels: `low` lies at pixel `start`, `high` at pixel `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    ticks: list[float] = field(default_factory=list)

    def __call__(self, value: float) -> float:
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)


def line_chart(
    lines: Sequence[Line],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log: bool = False,
    marker: float | None = None,
    bands: Sequence[Band] = (),
) -> str:
    """A figure with its legend, as HTML.

    Args:
        lines: what is drawn; a chart without any points says so.
        title: the caption, also read to those who don't see.
        x_label, y_label: the axes, with units.
        log: whether the y axis is logarithmic; points not above 0 are then left out.
        marker: an x that is marked by a vertical line.
        bands: drawn below the lines.
    """
    edges = [edge for band in bands for edge in band.edges()]
    points = [point for line in (*lines, *edges) for point in line.points(log)]
    if not points:
        return f"<figure><figcaption>{escape(title)}</figcaption><p>No values.</p></figure>"
    across, up = _x_axis([x for x, _ in points]), _y_axis([y for _, y in points], log)
    drawing = _frame(across, up, x_label, y_label)
    if marker is not None:
        at = f"{across(marker):.1f}"
        drawing += f'<line class="marker" x1="{at}" x2="{at}" y1="{_TOP}" y2="{up.start}"/>'
    drawing += "".join(_band(band, across, up) for band in bands)
    drawing += "".join(_line(line, across, up) for line in lines)
    legend = "".join(f"<li>{_sample(line.style)}{escape(line.name)}</li>" for line in lines)
    legend += "".join(f"<li>{_patch(band.style)}{escape(band.name)}</li>" for band in bands)
    spoken = escape(f"{title}: {', '.join([*(line.name for line in lines), *(band.name for band in bands)])}")
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{spoken}">{drawing}</svg>'
        f'<ul class="legend">{legend}</ul></figure>'
    )


def _x_axis(values: list[float]) -> _Axis:
    low, high = _apart(min(values), max(values))
    ticks = [tick for tick in _round_ticks(low, high, 6) if low <= tick <= high]
    whole = all(float(value).is_integer() for value in values)
    return _Axis(low, high, _LEFT, _WIDTH - _RIGHT, ticks=[t for t in ticks if not whole or t.is_integer()])


def _y_axis(values: list[float], log: bool) -> _Axis:
    low, high = min(values), max(values)
    start, end = _HEIGHT - _BOTTOM, _TOP
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        every = max(1, math.ceil((last - first) / 6))
        powers = [10.0**power for power in range(first, last + 1, every)]
        inside = [tick for tick in powers if low / 1.3 <= tick <= high * 1.3]
        if len(inside) >= 2:
            return _Axis(low / 1.3, high * 1.3, start, end, log=True, ticks=inside)
        return _Axis(10.0**first, 10.0 ** max(last, first + 1), start, end, log=True, ticks=powers)
    low, high = _apart(low, high)
    ticks = _round_ticks(low, high, 5)
    return _Axis(min(low, ticks[0]), max(high, ticks[-1]), start, end, ticks=ticks)


def _apart(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis, far enough from each other for ticks that differ."""
    least = max(abs(low), abs(high)) * 1e-12
    return (low, high) if high - low > least else (low - max(0.5, least), high + max(0.5, least))


def _round_ticks(low: float, high: float, about: int) -> list[float]:
    """Round values from at most `low` to at least `high`, near `about` of them."""
    rough = (high - low) / about
    digits = math.floor(math.log10(rough))
    power = 10.0**digits
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 3 - digits) for index in range(first, last + 1)]


def _frame(across: _Axis, up: _Axis, x_label: str, y_label: str) -> str:
    center, middle = (_LEFT + _WIDTH - _RIGHT) / 2, (up.start + up.end) / 2
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>'
        f'<text x="{_LEFT - 7}" y="{up(tick) + 4:.1f}" text-anchor="end">{_tick(tick, up)}</text>'
        for tick in up.ticks
    )
    columns = "".join(
        f'<text x="{across(tick):.1f}" y="{up.start + 18}" text-anchor="middle">{_tick(tick, across)}</text>'
        for tick in across.ticks
    )
    return (
        f'<g class="axes" aria-hidden="true">{rows}{columns}'
        f'<text x="{center}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
        "</g>"
    )


def _tick(value: float, axis: _Axis) -> str:
    if axis.log:
        power = str(round(math.log10(value))).replace("-", "−")
        return f'10<tspan dy="-5" font-size="75%">{power}</tspan>'
    step = axis.ticks[1] - axis.ticks[0] if len(axis.ticks) > 1 else 1.0
    decimals = max(0, math.ceil(-math.log10(step) - 1e-9))
    if decimals <= 5 and step < _LARGEST_STEP:
        return f"{value:,.{decimals}f}".replace("-", "−")
    digits = max(0, math.floor(math.log10(max(map(abs, axis.ticks)))) - math.floor(math.log10(step) + 1e-9))
    number, power = f"{value:.{digits}e}".split("e")
    return f"{number}e{int(power)}".replace("-", "−") if value else "0"


def _line(line: Line, across: _Axis, up: _Axis) -> str:
    runs = [[(across(x), up(y)) for x, y in run] for run in line.runs(up.log)]
    paths = [" ".join(f"{x:.1f},{y:.1f}" for x, y in run) for run in runs]
    drawn = "".join(f'<polyline points="{path}"{_dash(line.style)}/>' for path in paths)
    # Few points are shown as points, so that a single epoch is seen too; and a point between two gaps is no line.
    few = sum(map(len, runs)) <= 40
    dots = [point for run in runs if few or len(run) == 1 for point in run]
    return (
        f'<g class="line s{line.style}">{drawn}'
        + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>' for x, y in dots)
        + "</g>"
    )


def _band(band: Band, across: _Axis, up: _Axis) -> str:
    low, high = (edge.points(up.log) for edge in band.edges())
    path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in [*low, *reversed(high)])
    return f'<polygon class="band s{band.style}" points="{path}"/>'


def _patch(style: int) -> str:
    return (
        f'<svg class="sample" viewBox="0 0 28 8" aria-hidden="true">'
        f'<polygon class="band s{style}" points="1,0 27,0 27,8 1,8"/></svg>'
    )


def _dash(style: int) -> str:
    dash = _DASHES[style % len(_DASHES)]
    return f' stroke-dasharray="{dash}"' if dash else ""


def _sample(style: int) -> str:
    return (
        f'<svg class="sample" viewBox="0 0 28 8" aria-hidden="true"><g class="line s{style}">'
        f'<line x1="1" x2="27" y1="4" y2="4"{_dash(style)}/></g></svg>'
    )
