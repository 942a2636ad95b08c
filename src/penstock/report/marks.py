"""The marks of a chart: lines, bands between two lines, points and bars, each with its sample in the legend."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.report.figures import escape

__all__ = ["Band", "Bars", "Line", "Mark", "Points"]

Place = Callable[[float], float]
_DASHES = ("", "7 4", "2 4", "10 3 2 3")
_FEW_POINTS = 40  # a line with at most this many points shows them as circles, so that a single point is visible
_MOST_TOUCHED = 120  # the number of points of a line that have a tooltip


class Mark(Protocol):
    """The interface of a mark."""

    @property
    def name(self) -> str:
        """The name in the legend."""
        ...

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """Return the points that the axes must cover."""
        ...

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Return the SVG; `told` formats a value of x for the tooltips."""
        ...

    def sample(self) -> str:
        """Return the sample in the legend, as SVG of 28 by 8 pixels."""
        ...

    def spoken(self) -> str:
        """Return the description for screen readers."""
        ...


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Args:
        name: the name in the legend.
        x, y: the points, of equal length; the line has a gap where y is not finite.
        style: the index of the line colour and dash pattern, from 0.
        quiet: whether the line is only a reference: thin, grey and without circles.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    quiet: bool = False

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """Return the points that can be drawn: finite, and above 0 on a logarithmic axis."""
        return [point for run in self.runs(log) for point in run]

    def runs(self, log: bool) -> list[list[tuple[float, float]]]:
        """Return the drawable points, split at those that can't be drawn."""
        found: list[list[tuple[float, float]]] = [[]]
        for x, y in zip(self.x, self.y, strict=True):
            if math.isfinite(y) and (y > 0 or not log):
                found[-1].append((x, y))
            elif found[-1]:
                found.append([])
        return [run for run in found if run]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Return polylines, circles if there are few points, and tooltips."""
        runs = self.runs(log)
        paths = [" ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in run) for run in runs]
        lines = "".join(f'<polyline points="{path}"{self._dash()}/>' for path in paths)
        if self.quiet:
            return f'<g class="quiet-line">{lines}</g>'
        points = [point for run in runs for point in run]
        few = len(points) <= _FEW_POINTS
        dots = points if few else [run[0] for run in runs if len(run) == 1]
        seen = "".join(f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="2.6"/>' for x, y in dots)
        every = max(1, math.ceil(len(points) / _MOST_TOUCHED))
        touched = "".join(
            f'<circle class="touch" cx="{across(x):.1f}" cy="{up(y):.1f}" r="7">'
            f"<title>{escape(f'{self.name}, {told(x)}: {y:.4g}')}</title></circle>"
            for x, y in points[::every]
        )
        return f'<g class="line s{self.style}">{lines}{seen}{touched}</g>'

    def sample(self) -> str:
        """Return a short piece of the line."""
        kind = "quiet-line" if self.quiet else f"line s{self.style}"
        return f'<g class="{kind}"><line x1="1" x2="27" y1="4" y2="4"{self._dash()}/></g>'

    def spoken(self) -> str:
        """Return the first, last and extreme values."""
        points = self.extent(log=False)
        if self.quiet or not points:
            return self.name
        lowest, highest = min(points, key=lambda point: point[1]), max(points, key=lambda point: point[1])
        ends = f"{points[0][1]:.4g} → {points[-1][1]:.4g}"
        return f"{self.name} {ends} (min {lowest[1]:.4g}, max {highest[1]:.4g})"

    def _dash(self) -> str:
        dash = _DASHES[self.style % len(_DASHES)]
        return f' stroke-dasharray="{dash}"' if dash and not self.quiet else ""


@dataclass(frozen=True)
class Band:
    """The filled area between two lines.

    Args:
        name: the name in the legend.
        x, low, high: sequences of equal length.
        style: the index of the line colour, from 0.
    """

    name: str
    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    style: int = 0

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """Return the points of both edges."""
        return [point for edge in self._edges() for point in edge.extent(log)]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Return a polygon."""
        low, high = (edge.extent(log) for edge in self._edges())
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in [*low, *reversed(high)])
        return f'<polygon class="band s{self.style}" points="{path}"/>'

    def sample(self) -> str:
        """Return a filled rectangle."""
        return f'<polygon class="band s{self.style}" points="1,0 27,0 27,8 1,8"/>'

    def spoken(self) -> str:
        """Return the name."""
        return self.name

    def _edges(self) -> tuple[Line, Line]:
        return Line(self.name, self.x, self.low), Line(self.name, self.x, self.high)


@dataclass(frozen=True)
class Points:
    """Points, optionally with an interval each.

    Args:
        name: the name in the legend.
        x, y: sequences of equal length.
        low, high: the ends of the interval of each y; empty for no intervals.
        style: the index of the line colour, from 0.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    style: int = 0

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """Return the points and the ends of their intervals."""
        ys = (self.y, self.low, self.high) if self.low else (self.y,)
        return [(x, y) for column in ys for x, y in zip(self.x, column, strict=True) if y > 0 or not log]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Return circles and whiskers."""
        whiskers = "".join(
            f'<line x1="{across(x):.1f}" x2="{across(x):.1f}" y1="{up(low):.1f}" y2="{up(high):.1f}"/>'
            for x, low, high in zip(self.x, self.low or self.y, self.high or self.y, strict=True)
            if low != high
        )
        radius = 4 if len(self.x) <= _FEW_POINTS else 2.6
        dots = "".join(
            f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="{radius}"><title>{escape(f"{told(x)}: {y:.4g}")}</title>'
            "</circle>"
            for x, y in zip(self.x, self.y, strict=True)
        )
        return f'<g class="line dots s{self.style}">{whiskers}{dots}</g>'

    def sample(self) -> str:
        """Return one circle."""
        return f'<g class="line dots s{self.style}"><circle cx="14" cy="4" r="3.5"/></g>'

    def spoken(self) -> str:
        """Return the number of points and their range."""
        if not self.x:
            return self.name
        return (
            f"{self.name} ({len(self.x)}: x {min(self.x):.4g}–{max(self.x):.4g}, y {min(self.y):.4g}–{max(self.y):.4g})"
        )


@dataclass(frozen=True)
class Bars:
    """Adjacent bars that start at 0, such as those of a histogram.

    Args:
        name: the name in the legend.
        edges: the edges of the bars on the x axis, one more than `heights`.
        heights: the height of each bar.
        style: the index of the line colour, from 0.
    """

    name: str
    edges: Sequence[float]
    heights: Sequence[float]
    style: int = 0

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """Return the corners of the bars."""
        floor = 0.0 if not log else min((height for height in self.heights if height > 0), default=1.0)
        return [(self.edges[0], floor), (self.edges[-1], max(self.heights, default=0.0))]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Return rectangles with their heights as tooltips."""
        floor = up(self.extent(log)[0][1])
        bars = "".join(
            f'<rect x="{across(left) + 0.5:.1f}" width="{max(across(right) - across(left) - 1, 0.5):.1f}" '
            f'y="{up(height):.1f}" height="{floor - up(height):.1f}">'
            f"<title>{escape(f'{left:.4g} – {right:.4g}: {height:,.4g}')}</title></rect>"
            for left, right, height in zip(self.edges[:-1], self.edges[1:], self.heights, strict=True)
            if height > 0
        )
        return f'<g class="bars s{self.style}">{bars}</g>'

    def sample(self) -> str:
        """Return a filled rectangle."""
        return f'<g class="bars s{self.style}"><rect x="8" y="0" width="12" height="8"/></g>'

    def spoken(self) -> str:
        """Return the name and the range."""
        return f"{self.name} ({self.edges[0]:.4g} – {self.edges[-1]:.4g})"
