"""The axes of a chart: they map values to pixels and choose ticks (round numbers, powers of ten or dates)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock.report.figures import escape

__all__ = ["Axis", "Frame", "frame", "number_axis", "power_axis", "word_axis"]

# The largest distance between ticks: labels of larger numbers do not fit into the left margin.
_LARGEST_STEP = 1e6
_CHARACTER = 7  # approximate width of a character of a tick label, in pixels


@dataclass(frozen=True)
class Axis:
    """Maps values to pixels: `low` maps to pixel `start`, `high` to pixel `end`.

    ticks: the values that have a tick
    texts: the label of each tick; empty to use the numbers themselves
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False
    ticks: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def labels(self) -> list[str]:
        """Return the label of each tick, as HTML."""
        return [escape(text) for text in self.texts] if self.texts else [_label(tick, self) for tick in self.ticks]


@dataclass(frozen=True)
class Frame:
    """The size of a drawing and of its margins, in pixels."""

    width: float
    height: float
    left: float = 78
    right: float = 22
    top: float = 14
    bottom: float = 44


def number_axis(values: Sequence[float], start: float, end: float, *, about: int, wide: bool = False) -> Axis:
    """Make an axis with ticks at round numbers.

    Args:
        values: the values that the axis must cover.
        start, end: pixels.
        about: the approximate number of ticks.
        wide: whether the axis extends to the next tick at both ends.
    """
    low, high = _apart(min(values), max(values))
    ticks = _round_ticks(low, high, about)
    if wide:
        return Axis(min(low, ticks[0]), max(high, ticks[-1]), start, end, ticks=ticks)
    whole = all(float(value).is_integer() for value in values)
    inside = [tick for tick in ticks if low <= tick <= high and (not whole or tick.is_integer())]
    return Axis(low, high, start, end, ticks=inside)


def power_axis(values: Sequence[float], start: float, end: float) -> Axis:
    """Make a logarithmic axis whose ticks are powers of ten; all values must be above 0."""
    low, high = min(values), max(values)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / 6))
    powers = [10.0**power for power in range(first, last + 1, every)]
    inside = [tick for tick in powers if low / 1.3 <= tick <= high * 1.3]
    if len(inside) >= 2:
        return Axis(low / 1.3, high * 1.3, start, end, log=True, ticks=inside)
    return Axis(10.0**first, 10.0 ** max(last, first + 1), start, end, log=True, ticks=powers)


def word_axis(names: Sequence[tuple[float, str]], start: float, end: float) -> Axis:
    """Make an axis with text labels, such as dates, evenly spaced and as many as fit.

    Args:
        names: pairs of value and label in ascending order; at least one.
        start, end: pixels.
    """
    low, high = _apart(names[0][0], names[-1][0])
    short = _without_what_all_share([word for _, word in names])
    room = max(2, int((end - start) / (_CHARACTER * max(map(len, short)) + 14)))
    every = max(1, math.ceil((len(names) - 1) / max(room - 1, 1)))
    shown = range(0, len(names), every)
    return Axis(low, high, start, end, ticks=[names[k][0] for k in shown], texts=[short[k] for k in shown])


def frame(across: Axis, up: Axis, size: Frame, x_label: str, y_label: str) -> str:
    """Return the grid, the ticks and the names of the axes, as SVG."""
    center, middle = (size.left + size.width - size.right) / 2, (up.start + up.end) / 2
    rows = "".join(
        f'<line class="grid" x1="{size.left}" x2="{size.width - size.right}" y1="{up(tick):.1f}" y2="{up(tick):.1f}"/>'
        f'<text x="{size.left - 7}" y="{up(tick) + 4:.1f}" text-anchor="end">{text}</text>'
        for tick, text in zip(up.ticks, up.labels(), strict=True)
    )
    columns = "".join(
        f'<text x="{across(tick):.1f}" y="{up.start + 18}" text-anchor="middle">{text}</text>'
        for tick, text in zip(across.ticks, across.labels(), strict=True)
    )
    return (
        f'<g class="axes" aria-hidden="true">{rows}{columns}'
        f'<text x="{center}" y="{size.height - 6}" text-anchor="middle">{escape(x_label)}</text>'
        f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'
        "</g>"
    )


def _without_what_all_share(words: list[str]) -> list[str]:
    """Shorten dates by the parts that all of them share: the seconds, the day of the month or the date."""
    if len({word[10:] for word in words}) == 1 and all(len(word) > 10 and word[10] == " " for word in words):
        return [word[:10] for word in words]  # the same time on each day
    if len(words) > 1 and all(len(word) == 10 and word[7:] == "-01" for word in words):
        return [word[:7] for word in words]
    if all(word.endswith(":00") and len(word) == 19 for word in words):
        words = [word[:16] for word in words]
        if len({word[:10] for word in words}) == 1:
            return [word[11:] for word in words]
        if len({word[:4] for word in words}) == 1:
            return [word[5:] for word in words]
    return words


def _apart(low: float, high: float) -> tuple[float, float]:
    """Return the ends of an axis, far enough apart for the ticks to be distinct."""
    least = max(abs(low), abs(high)) * 1e-12
    return (low, high) if high - low > least else (low - max(0.5, least), high + max(0.5, least))


def _round_ticks(low: float, high: float, about: int) -> list[float]:
    """Return about `about` round values that cover the range from `low` to `high`."""
    rough = (high - low) / about
    digits = math.floor(math.log10(rough))
    power = 10.0**digits
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(index * step, 3 - digits) for index in range(first, last + 1)]


def _label(value: float, axis: Axis) -> str:
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
