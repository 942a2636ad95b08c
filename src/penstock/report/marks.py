"""What charts draw: lines, bands between two lines, points, bars; each with its place in the legend."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from penstock.report.figures import escape

__all__ = ["Band", "Bars", "Line", "Mark", "Points"]

Place = Callable[[float], float]
_DASHES = ("", "7 4", "2 4", "10 3 2 3")
_FEW_POINTS = 40  # of a line: these are shown as points too, so that a single one is seen
_MOST_TOUCHED = 120  # points of a line that tell their values when pointed at


class Mark(Protocol):
    """Something that a chart draws."""

    @property
    def name(self) -> str:
        """What the legend says."""
        ...

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """The points that the axes must hold."""
        ...

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """The SVG; `told` gives the words for a value of x."""
        ...

    def sample(self) -> str:
        """Its picture in the legend, as SVG 28 by 8."""
        ...

    def spoken(self) -> str:
        """What is said to those who don't see."""
        ...


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Args:
        name: what the legend says.
        x, y: its points, of equal length; where y is no finite number, the line has a gap.
        style: which of the page's line colours and dashes, from 0.
        quiet: whether it is there to compare with: thin, grey and without points.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    style: int = 0
    quiet: bool = False

    def extent(self, log: bool) -> list[tuple[float, float]]:
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

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Polylines, points where there are few, and what tells a value when pointed at."""
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
        """A piece of it."""
        kind = "quiet-line" if self.quiet else f"line s{self.style}"
        return f'<g class="{kind}"><line x1="1" x2="27" y1="4" y2="4"{self._dash()}/></g>'

    def spoken(self) -> str:
        """Its ends and its extremes."""
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

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """The points of both edges."""
        return [point for edge in self._edges() for point in edge.extent(log)]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """A polygon."""
        low, high = (edge.extent(log) for edge in self._edges())
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in [*low, *reversed(high)])
        return f'<polygon class="band s{self.style}" points="{path}"/>'

    def sample(self) -> str:
        """A patch of it."""
        return f'<polygon class="band s{self.style}" points="1,0 27,0 27,8 1,8"/>'

    def spoken(self) -> str:
        """Its name."""
        return self.name

    def _edges(self) -> tuple[Line, Line]:
        return Line(self.name, self.x, self.low), Line(self.name, self.x, self.high)


@dataclass(frozen=True)
class Points:
    """Points, each with an interval where there is one.

    Args:
        name: what the legend says.
        x, y: of equal length.
        low, high: ends of the interval of each y; empty for none.
        style: which of the page's line colours, from 0.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    style: int = 0

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """The points and the ends of their intervals."""
        ys = (self.y, self.low, self.high) if self.low else (self.y,)
        return [(x, y) for column in ys for x, y in zip(self.x, column, strict=True) if y > 0 or not log]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Circles and whiskers."""
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
        """One of them."""
        return f'<g class="line dots s{self.style}"><circle cx="14" cy="4" r="3.5"/></g>'

    def spoken(self) -> str:
        """How many there are, and where."""
        if not self.x:
            return self.name
        return (
            f"{self.name} ({len(self.x)}: x {min(self.x):.4g}–{max(self.x):.4g}, y {min(self.y):.4g}–{max(self.y):.4g})"
        )


@dataclass(frozen=True)
class Bars:
    """Bars side by side, from 0 up, as of a histogram.

    Args:
        name: what the legend says.
        edges: their ends on the x axis, one more than there are heights.
        heights: how high each is.
        style: which of the page's line colours, from 0.
    """

    name: str
    edges: Sequence[float]
    heights: Sequence[float]
    style: int = 0

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """The corners."""
        floor = 0.0 if not log else min((height for height in self.heights if height > 0), default=1.0)
        return [(self.edges[0], floor), (self.edges[-1], max(self.heights, default=0.0))]

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Rectangles, each of which tells its height when pointed at."""
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
        """A patch."""
        return f'<g class="bars s{self.style}"><rect x="8" y="0" width="12" height="8"/></g>'

    def spoken(self) -> str:
        """Its name and range."""
        return f"{self.name} ({self.edges[0]:.4g} – {self.edges[-1]:.4g})"
