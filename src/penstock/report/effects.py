"""Colours of attribution: blue where a part raised what was predicted, orange where it lowered it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from penstock.report.figures import escape

__all__ = ["Effects", "coloured_text", "strip"]

Place = Callable[[float], float]
_LEVELS = 3


def coloured_text(marked: Mapping[str, Any]) -> str:
    """Return a text with its tokens coloured, as HTML.

    Args:
        marked: `tokens`, the `scores` of each, and `gaps`, what stands before each token and after the last one.
    """
    levels = _levels(marked["scores"])
    parts = [
        escape(gap) + (f'<mark class="{level}">{escape(token)}</mark>' if level else escape(token))
        for gap, token, level in zip(marked["gaps"], marked["tokens"], levels, strict=False)
    ]
    return "".join(parts) + escape(marked["gaps"][-1])


def strip(scores: Sequence[float], spoken: str) -> str:
    """Return a strip of colours over time, as SVG; `spoken` is the description for screen readers."""
    rects, at = "", 0
    for level, run in groupby(_levels(scores)):
        width = len(list(run))
        rects += f'<rect class="{level or "none"}" x="{at}" width="{width}" height="1"/>'
        at += width
    return (
        f'<svg class="strip" viewBox="0 0 {at} 1" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(spoken)}">{rects}</svg>'
    )


@dataclass(frozen=True)
class Effects:
    """A mark of a chart: wide colours under lines, where their points raised or lowered the prediction.

    Args:
        name: the name in the legend.
        lines: x, y and score of each point, for each line.
    """

    name: str
    lines: Sequence[tuple[Sequence[float], Sequence[float], Sequence[float]]]

    def extent(self, log: bool) -> list[tuple[float, float]]:
        """Return no points: the lines above it have the same."""
        return []

    def drawn(self, across: Place, up: Place, log: bool, told: Callable[[float], str]) -> str:
        """Return a wide line for each run of points of the same colour."""
        largest = max((abs(score) for _, _, scores in self.lines for score in scores), default=0.0)
        drawing = ""
        for xs, ys, scores in self.lines:
            levels = _levels(scores, largest)
            # Each piece ends halfway to the next point, so that pieces meet.
            for at, level in enumerate(levels):
                near = [place for place in (at - 1, at, at + 1) if 0 <= place < len(levels)]
                points = [(xs[place] + xs[at], ys[place] + ys[at]) for place in near]
                if level and all(y == y for _, y in points):
                    path = " ".join(f"{across(x / 2):.1f},{up(y / 2):.1f}" for x, y in points)
                    drawing += f'<polyline class="effect {level}" points="{path}"/>'
        return drawing

    def sample(self) -> str:
        """Return both colours."""
        return '<rect class="hi3" x="1" width="13" height="8"/><rect class="lo3" x="14" width="13" height="8"/>'

    def spoken(self) -> str:
        """Return the name: which points matter is in metrics.json."""
        return self.name


def _levels(scores: Sequence[float], largest: float | None = None) -> list[str]:
    """Return the CSS class of each score: hi1 to hi3, lo1 to lo3, or "" for next to none."""
    most = max(map(abs, scores), default=0.0) if largest is None else largest
    found = []
    for score in scores:
        level = round(_LEVELS * abs(score) / most) if most else 0
        found.append(f"{'hi' if score > 0 else 'lo'}{level}" if level else "")
    return found
