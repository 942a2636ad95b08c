"""How the parts of a forecasting network are connected, written once for PyTorch and for the engine.

As in `network.wiring`, the functions take the parts of one backend and arrays of that backend's library.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from array_api_compat import array_namespace

from penstock.forecast.spec import LEAST_SPREAD, SegmentForecastHead
from penstock.network.wiring import Parts

__all__ = ["LookBack", "WindowParts", "carried", "look_back", "windowed"]


class WindowParts(Parts, Protocol):
    """The parts of a network that makes forecasts from a look-back."""

    def means(self, values: Any) -> Any:
        """Means over time: (batch, context, targets) -> (batch, 1, targets)."""
        ...


def carried(parts: Parts, steps: Any, last: Any, known: Any, identity: Any, state: Any = None) -> tuple[Any, Any]:
    """Forecasts (batch, time, horizon, targets, quantiles) after each step, and the state after the last step.

    Args:
        parts: the parts of a network with `CARRIED` wiring.
        steps: (batch, time, features).
        last: (batch, time, targets), the values of the steps.
        known: (batch, time, horizon, known).
        identity: (batch,), the number of the series from 1, or 0 for an unknown series.
        state: as `encode` returns it; None for the initial state.
    """
    y, state = parts.encode(parts.vectors(steps, identity), state)
    return parts.head(y, last, known), state


def windowed(
    parts: WindowParts, head: SegmentForecastHead, values: Any, covariates: Any, known: Any, identity: Any
) -> tuple[Any, Any]:
    """Forecasts (batch, horizon, targets, quantiles), and the unit (batch, 1, targets, 1) of their errors.

    The encoder reads the look-back segment by segment. From the state after it, all segments ahead are predicted in
    parallel.

    Args:
        parts: the parts of a network with `WINDOWED` wiring.
        head: the description of the head.
        values: (batch, context, targets).
        covariates: (batch, context, covariates).
        known: (batch, horizon, known).
        identity: (batch,), the number of the series from 1, or 0 for an unknown series.
    """
    xp = array_namespace(values)
    read = look_back(parts, head, values, covariates, identity)
    _, state = parts.encode(read.x)
    asked = parts.head.questions(known)
    batch = values.shape[0]
    side_by_side = xp.reshape(asked, (batch * head.stretches, 1, head.size))
    y, _ = parts.encode(side_by_side, _repeated(state, head.stretches))
    found = parts.head.answers(xp.reshape(y, (batch, head.stretches, y.shape[-1])), read.values)
    return found * read.unit[..., None] + read.level[..., None], read.unit[..., None]


class LookBack(NamedTuple):
    """A look-back as the network reads it.

    x: (batch, segments, size), the input of the layers
    values: (batch, context, targets), normalized by `level` and `unit`
    level, unit: (batch, 1, targets)
    """

    x: Any
    values: Any
    level: Any
    unit: Any


def look_back(parts: WindowParts, head: SegmentForecastHead, values: Any, covariates: Any, identity: Any) -> LookBack:
    """The input of the layers for a look-back, segment by segment; arguments as for `windowed`."""
    xp = array_namespace(values)
    level, unit = _level_and_unit(parts.means, values, head.normalization)
    values = (values - level) / unit
    batch, context = values.shape[:2]
    segments = context // head.length
    steps = xp.concat([values, covariates], axis=2)[:, context - segments * head.length :]
    x = parts.vectors(xp.reshape(steps, (batch, segments, head.length * steps.shape[2])), identity)
    return LookBack(x, values, level, unit)


def _level_and_unit(means: Callable[[Any], Any], values: Any, normalization: str) -> tuple[Any, Any]:
    """The level and unit by which look-backs (batch, context, targets) are normalized, each (batch, 1, targets)."""
    xp = array_namespace(values)
    level, unit = values[:, -1:], xp.ones_like(values[:, -1:])
    if normalization in ("relative", "instance"):
        mean = means(values)
        unit = xp.sqrt(means(xp.square(values - mean))) + LEAST_SPREAD
        level = mean if normalization == "instance" else level
    return (xp.zeros_like(level) if normalization == "none" else level), unit


def _repeated(state: Any, times: int) -> Any:
    """The state with each sequence repeated `times` times; a state is nested arrays (directions, batch, size)."""
    if isinstance(state, tuple | list):
        return type(state)(_repeated(each, times) for each in state)
    return array_namespace(state).repeat(state, times, axis=1)
