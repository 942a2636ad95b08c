"""Parallel coordinates: an axis for each option, a line for each trial (Inselberg 1985), as inline SVG."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.report import escape

__all__ = ["parallel_coordinates"]

_APART, _HEIGHT, _TOP, _BOTTOM, _SIDE = 128, 320, 34, 18, 52
_TICKS = 3


class _Axis:
    """Maps the values of an option, or of the metric, to heights."""

    def __init__(self, name: str, about: Mapping[str, Any]) -> None:
        self.name, self._values = name, about.get("values")
        if self._values is not None:
            self.ticks = list(self._values)
            self._low, self._high = 0.0, max(len(self._values) - 1.0, 1.0)
            return
        self._log = bool(about["log"])
        self._low, self._high = (self._scaled(about[end]) for end in ("low", "high"))
        steps = [self._low + (self._high - self._low) * place / (_TICKS - 1) for place in range(_TICKS)]
        self.ticks = [math.exp(step) if self._log else step for step in steps]

    def place(self, value: Any) -> float:
        """Return the height of a value, in pixels from the top."""
        at = float(self._values.index(value)) if self._values is not None else self._scaled(value)
        share = (at - self._low) / ((self._high - self._low) or 1.0)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)

    def label(self, value: Any) -> str:
        """Return a value as the axis writes it."""
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self._log else float(value)


def parallel_coordinates(
    space: Mapping[str, Mapping[str, Any]],
    metric: str,
    trials: Sequence[Mapping[str, Any]],
    *,
    best: int,
    title: str,
    legend: tuple[str, str],
) -> str:
    """Draw the trials that have a value; empty if there are none.

    Args:
        space: the ranges by option, as `record.described` writes them.
        metric: the display name of the metric, whose axis is the last one.
        trials: `Search.trials_`.
        best: the number of the best trial, which stands out.
        title: the caption, plain text.
        legend: the names of the best trial and of the others.
    """
    shown = [trial for trial in trials if trial["value"] is not None]
    if not shown:
        return ""
    values = [trial["value"] for trial in shown]
    ends = {"low": min(values), "high": max(values), "log": False}
    axes = [*(_Axis(name, about) for name, about in space.items()), _Axis(metric, ends)]
    lines = "".join(_line(axes, trial, list(space), is_best=False) for trial in shown if trial["number"] != best)
    lines += "".join(_line(axes, trial, list(space), is_best=True) for trial in shown if trial["number"] == best)
    width = 2 * _SIDE + _APART * (len(axes) - 1)
    drawing = "".join(_drawn(axis, _SIDE + _APART * number) for number, axis in enumerate(axes))
    samples = "".join(
        f'<li><svg class="sample" viewBox="0 0 28 8" aria-hidden="true"><g class="{kind}">'
        f'<line x1="1" x2="27" y1="4" y2="4"/></g></svg>{escape(name)}</li>'
        for kind, name in zip(("line s0", "quiet-line"), legend, strict=True)
    )
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><div class="scroll wide" tabindex="0">'
        f'<svg viewBox="0 0 {width} {_HEIGHT}" style="min-width: {width * 0.75:.0f}px" role="img" '
        f'aria-label="{escape(title)}">{lines}{drawing}</svg></div><ul class="legend">{samples}</ul></figure>'
    )


def _line(axes: Sequence[_Axis], trial: Mapping[str, Any], names: Sequence[str], *, is_best: bool) -> str:
    values = [*(trial["params"][name] for name in names), trial["value"]]
    points = " ".join(
        f"{_SIDE + _APART * number},{axis.place(value):.1f}"
        for number, (axis, value) in enumerate(zip(axes, values, strict=True))
    )
    told = ", ".join(f"{axis.name} {axis.label(value)}" for axis, value in zip(axes, values, strict=True))
    kind = "line s0" if is_best else "quiet-line"
    return (
        f'<g class="{kind}"><polyline points="{points}"><title>{trial["number"]}: {escape(told)}</title></polyline></g>'
    )


def _drawn(axis: _Axis, x: float) -> str:
    """Draw an axis with its name and ticks."""
    ticks = "".join(
        f'<text x="{x + 5}" y="{axis.place(tick) + 4:.1f}">{escape(axis.label(tick))}</text>' for tick in axis.ticks
    )
    return (
        f'<g class="axes"><line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>'
        f'<text x="{x}" y="{_TOP - 14}" text-anchor="middle">{escape(axis.name)}</text>{ticks}</g>'
    )
