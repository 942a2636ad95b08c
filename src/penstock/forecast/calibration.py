"""Calibration: after training, intervals that cover too little of the validation data are widened.

Conformalised quantile regression (Romano, Patterson and Candès 2019) with scores in units of the distance from the
median (Kivaranovic, Johnson and Leeb 2020): a truth's score is what that distance must be multiplied by so that the
interval just reaches it. The interval's factor is the score below which as many lie as the interval should hold. One
factor serves all series, targets and steps ahead: scores of neighbouring origins depend on each other, and those that
don't are too few to tell more factors apart.

The theory asks for data that training has not seen, in no order. Validation data chose the best epoch, and time has
passed when the model is used: both make errors there smaller than those to come. So intervals that hold too little even
there are widened, and those that hold more than they should are left as they are.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.forecast.model import ForecastModel
from penstock.forecast.origins import ahead
from penstock.panels.panel import Panel

__all__ = ["calibrate"]

_FEWEST_STRETCHES = 20
"""With this many independent cases, the coverage of an 80 % interval has a standard error of 9 points."""
_MOST_VALUES = 1 << 20
"""Approximate maximum number of true values; with more, some origins are skipped evenly."""


class _Interval(NamedTuple):
    """Ends as places among the quantiles: two, or one of a quantile without its opposite; the share it should hold."""

    ends: tuple[int, ...]
    share: float


def calibrate(model: ForecastModel, panel: Panel) -> tuple[tuple[float, ...], dict[str, Any]]:
    """Return factors for `ForecastFeatures.factors`, and their description for metrics.json, `intervals`.

    Forecasts of the same steps are no independent cases; stretches of a horizon that share no step are the most there
    can be, and only steps with a truth count. An interval is left as it is where there are fewer than 20 of them, or
    too few for a conformal quantile of its share: n with (n + 1) * share > n.

    Args:
        model: the trained model, without factors.
        panel: the validation data.

    Returns:
        Empty factors where all are 1. Figures: `stretches`, how many the validation data holds; `pairs`, of each
        interval its `levels`, `factor`, and the shares of the validation data in it `before` and `after`.
    """
    levels, median = model.features.quantiles, model.features.median
    outputs, truth, stretches = _validation(model, panel)
    if not len(truth):
        return (), {"stretches": 0, "pairs": []}
    factors, pairs = np.ones(len(levels)), []
    for interval in _intervals(levels, median):
        scores = _scores(outputs, truth, median, interval.ends)
        factor = _factor(scores, interval.share, stretches)
        factors[list(interval.ends)] = factor
        pairs.append(
            {
                "levels": [levels[end] for end in interval.ends],
                "factor": factor,
                "before": float((scores <= 1).mean()),
                "after": float((scores <= factor).mean()),
            }
        )
    changed = tuple(factors.tolist()) if (factors > 1).any() else ()
    return changed, {"stretches": stretches, "pairs": pairs}


def _validation(model: ForecastModel, panel: Panel) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return ascending quantiles (values, quantiles) and truth (values,), both scaled, and the number of stretches."""
    features = model.features
    horizon, first = features.horizon, features.context
    origins = sum(max(len(series) - max(series.begin, first) - horizon + 1, 0) for series in panel)
    every = max(1, -(-origins * horizon * len(features.targets) // _MOST_VALUES))
    outputs, truth = [np.zeros((0, len(features.quantiles)), np.float32)], [np.zeros(0, np.float32)]
    seen: dict[int, NDArray[np.bool_]] = {}  # by series: whether some target of a step that was forecast is there
    for number, some, read in model.origins(panel, every=every):
        there = ahead(some.encoded.observed, some.steps, horizon)
        outputs.append(np.sort(model.outputs(some, read)[there], axis=-1))
        truth.append(ahead(some.encoded.values, some.steps, horizon)[there])
        steps = slice(some.steps[0], some.steps[-1] + horizon)
        seen.setdefault(number, np.zeros(len(some.series), bool))[steps] |= some.encoded.observed[steps].any(axis=1)
    stretches = sum(int(there.sum()) // horizon for there in seen.values())
    return np.concatenate(outputs).astype(np.float64), np.concatenate(truth).astype(np.float64), stretches


def _intervals(levels: tuple[float, ...], median: int) -> list[_Interval]:
    """Return the intervals from the innermost; each quantile except the median is in one."""
    found = []
    for high in range(median + 1, len(levels)):
        low = [place for place in range(median) if np.isclose(levels[place] + levels[high], 1)]
        found.append(_Interval((*low, high), levels[high] - (levels[low[0]] if low else 0)))
    paired = {end for interval in found for end in interval.ends}
    return found + [_Interval((low,), 1 - levels[low]) for low in range(median) if low not in paired]


def _scores(
    outputs: NDArray[np.float64], truth: NDArray[np.float64], median: int, ends: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the factor of the ends' distances from the median that reaches each true value."""
    error = truth - outputs[:, median]
    found = np.full(len(truth), -np.inf)
    for end in ends:
        outwards = np.copysign(1.0, end - median) * error
        distance = np.abs(outputs[:, end] - outputs[:, median])
        with np.errstate(divide="ignore", invalid="ignore"):
            # An end that equals the median has no distance to scale: it covers only that value.
            found = np.maximum(found, np.where(outwards == 0, 0.0, outwards / distance))
    return found


def _factor(scores: NDArray[np.float64], share: float, stretches: int) -> float:
    """Return the conformal quantile of the scores, at least 1; 1 if there are too few or it is infinite."""
    rank = int(np.ceil((len(scores) + 1) * share))
    if stretches < _FEWEST_STRETCHES or (stretches + 1) * share > stretches or rank > len(scores):
        return 1.0
    found = float(np.partition(scores, rank - 1)[rank - 1])
    return max(1.0, found) if np.isfinite(found) else 1.0
