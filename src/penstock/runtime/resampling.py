"""Uncertainty of scores: 95 % confidence intervals, and tests of the difference from a baseline.

Scores are functions of sums over independent units: a unit is a row, a sequence, or a period of time. Resampling is
therefore a matrix product of counts and sums, and each score of a resample is computed from its sums.

Intervals use the percentile bootstrap over units (Efron and Tibshirani 1993). A share of rows, such as accuracy, uses
Wilson's interval (1927), which is also valid for few rows and near 0 and 1. For the interval of their difference, both
models are resampled together. A difference is significant if that interval excludes 0 and a paired randomisation test
(Yeh 2000), which swaps the two models' predictions of a unit at random, gives p <= 0.05. All draws use a fixed seed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BETTER",
    "FEWEST_UNITS",
    "FEW_UNITS",
    "LOWER_IS_BETTER",
    "UNCLEAR",
    "WORSE",
    "Interval",
    "Sums",
    "compared",
    "grouped",
    "intervals",
    "resampled",
    "stretch_of",
    "units_of",
    "verdict_of",
    "wilson",
]

Array = NDArray[np.float64]
Interval = list[float] | None

BETTER, WORSE, UNCLEAR = "better", "worse", "no clear difference"
LOWER_IS_BETTER = frozenset(
    {"bits_per_character", "cer", "log_loss", "mae", "mase", "mse", "nats", "perplexity", "rmse", "ser", "smape", "wer"}
)
"""Scores for which smaller is better."""
_NO_SIDE = frozenset(
    {"alarms_per_1000", "alarms_per_week", "coverage_80"}
)  # neither a larger nor a smaller value is better
FEWEST_UNITS = 6
"""With fewer units no difference can reach p <= 0.05: even if all 5 agree, chance gives this in 2 of 2^5 cases."""
FEW_UNITS = 30
"""With fewer units, intervals are wide and unreliable."""
_RESAMPLES, _PIECE = 2000, 250  # in total, and computed at once
_MOST_UNITS, _FEWEST_GROUPS, _MOST_VALUES = 2000, 200, 600_000
_LEVEL, _QUANTILES = 0.05, (0.025, 0.975)
_Z = 1.959963984540054  # the 0.975 quantile of the normal distribution


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums from which the scores of a data set are computed.

    Args:
        values: (groups, sums), the sums of each group of units; see `units_of`.
        scores: sums (..., sums) -> name -> score (...).
        units: the number of independent units.
        shares: names of scores that are shares of units, for which Wilson's interval is used.
    """

    values: Array
    scores: Callable[[Array], dict[str, Array]]
    units: int
    shares: tuple[str, ...] = ()


def units_of(units: int, width: int) -> tuple[NDArray[np.int64], int]:
    """Assign units to groups, which are resampled as a whole.

    There are at most 2,000 groups, and fewer if `width` is large. Up to that number, each unit is its own group. More
    units are grouped at random, which limits time and memory and doesn't change the expected interval.

    Args:
        units: the number of units.
        width: the number of sums per unit.

    Returns:
        The group of each unit, (units,), and the number of groups.
    """
    most = min(_MOST_UNITS, max(_FEWEST_GROUPS, _MOST_VALUES // width))
    if units <= most:
        return np.arange(units), units
    group = np.random.default_rng(0).permutation(units)
    group %= most
    return group, most


def grouped(rows: int, stretch: int, width: int) -> tuple[NDArray[np.int64], int, int]:
    """Return the group of each row (rows,), the number of groups, and that of units, which are stretches of rows."""
    units = -(-rows // stretch)
    group, groups = units_of(units, width)
    return group if stretch == 1 else group[np.arange(rows) // stretch], groups, units


def stretch_of(steps: int, span: int = 1) -> int:
    """Return how many consecutive steps to resample together: the cube root of their number (Künsch 1989), or more.

    Args:
        steps: the number of steps.
        span: over how many steps predictions are known to depend on each other, such as the length of a window.
    """
    return max(span, round(steps ** (1 / 3)), 1)


def compared(ours: Sums, baselines: Mapping[str, Sums]) -> dict[str, Any]:
    """Compute the intervals of the scores of a model and its baselines, and compare it with each of them.

    Args:
        ours: the sums of the model.
        baselines: the sums of the baselines over the same units, the main one first; may be empty.

    Returns:
        `units`, their number; `interval`, {score: [low, high]}, None if there is too little data;
        `baseline_intervals`, the same for each baseline; `verdict`, {score: "better", "worse" or "no clear
        difference"}; `difference`, {score: {"value": model minus baseline, "interval", "p"}}, interval and p None if
        there is too little data: both beside the main baseline, empty without one; `baseline_verdicts` and
        `baseline_differences`, the same beside each baseline.
    """
    generator = np.random.default_rng(0)
    groups = len(ours.values)
    every = [ours, *baselines.values()]
    drawn = _products([each.values for each in every], lambda rows: _counts(generator, rows, groups))
    resampled = [each.scores(sums) for each, sums in zip(every, drawn, strict=True)]
    found: dict[str, Any] = {
        "units": ours.units,
        "interval": _intervals(ours, resampled[0]),
        "baseline_intervals": {
            name: _intervals(theirs, scores)
            for (name, theirs), scores in zip(baselines.items(), resampled[1:], strict=True)
        },
    }
    gaps = [theirs.values - ours.values for theirs in baselines.values()]
    moved = _products(gaps, lambda rows: generator.integers(0, 2, (rows, groups))) if gaps else []
    found["baseline_differences"] = {
        name: _differences(ours, theirs, resampled[0], beside, swaps)
        for (name, theirs), beside, swaps in zip(baselines.items(), resampled[1:], moved, strict=True)
    }
    found["baseline_verdicts"] = {
        name: {score: verdict_of(score, each) for score, each in differences.items()}
        for name, differences in found["baseline_differences"].items()
    }
    main = next(iter(baselines), None)
    for name in ("verdict", "difference"):
        found[name] = found[f"baseline_{name}s"].get(main, {})
    return found


def intervals(sums: Sums) -> dict[str, Interval]:
    """Return the 95 % interval [low, high] of each score; None if there is too little data."""
    return _intervals(sums, resampled(sums))


def resampled(sums: Sums) -> dict[str, Array]:
    """Return each score of 2,000 resamples of the units, (resamples,)."""
    generator, groups = np.random.default_rng(0), len(sums.values)
    (drawn,) = _products([sums.values], lambda rows: _counts(generator, rows, groups))
    return sums.scores(drawn)


def verdict_of(score: str, difference: Mapping[str, Any]) -> str:
    """Return what a difference of a score, as in `compared`, says: "better", "worse" or "no clear difference"."""
    ends, value, p = difference["interval"], difference["value"], difference["p"]
    # If all resamples agree there is no interval, and only p decides.
    if p is None or p > _LEVEL or (ends is not None and ends[0] <= 0 <= ends[1]):
        return UNCLEAR
    return BETTER if (value < 0) == (score in LOWER_IS_BETTER) else WORSE


def wilson(share: ArrayLike, count: ArrayLike) -> tuple[Array, Array]:
    """The ends of the 95 % interval (Wilson 1927) of shares of `count` cases each; NaN for a count of 0."""
    p, n = np.asarray(share, np.float64), np.asarray(count, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * np.sqrt(p * (1 - p) / n + _Z**2 / (4 * n**2))
    low, high = np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)
    # Rounding must not move an end that is 0 or 1.
    return np.where((p == 0) & (n > 0), 0.0, low), np.where((p == 1) & (n > 0), 1.0, high)


def _products(several: Sequence[Array], draw: Callable[[int], NDArray[np.int64]]) -> list[Array]:
    """Drawn rows (resamples, groups) times each of several (groups, sums), in pieces to limit memory."""
    pieces = []
    for _ in range(_RESAMPLES // _PIECE):
        rows = draw(_PIECE).astype(np.float64)
        pieces.append([rows @ values for values in several])
    return [np.concatenate(products) for products in zip(*pieces, strict=True)]


def _counts(generator: np.random.Generator, rows: int, groups: int) -> NDArray[np.int64]:
    """How often each group occurs in a resample with replacement, (rows, groups)."""
    places = generator.integers(0, groups, (rows, groups)) + groups * np.arange(rows)[:, None]
    return np.bincount(places.ravel(), minlength=rows * groups).reshape(rows, groups)


def _intervals(sums: Sums, resampled: Mapping[str, Array]) -> dict[str, Interval]:
    own = sums.scores(sums.values.sum(axis=0))
    found: dict[str, Interval] = {}
    for name, values in resampled.items():
        if name in sums.shares:
            found[name] = [float(end) for end in wilson(own[name], sums.units)]
        else:
            found[name] = _ends(values) if sums.units >= FEWEST_UNITS else None
    return found


def _ends(values: Array) -> Interval:
    """The interval of the resampled values; None if it can't be computed, or if all resamples agree."""
    there = values[np.isfinite(values)]
    if not len(there) or there.min() == there.max():
        return None
    low, high = np.quantile(there, _QUANTILES)
    return [float(low), float(high)]


def _differences(
    ours: Sums, theirs: Sums, resampled: Mapping[str, Array], beside: Mapping[str, Array], moved: Array
) -> dict[str, dict[str, Any]]:
    """For each score that both have and for which larger or smaller is better: the difference, its interval, and p.

    Args:
        ours, theirs: the sums of the two models.
        resampled, beside: their scores on the same resamples.
        moved: (resamples, sums), the amounts added to our sums and subtracted from theirs by swapping random units.
    """
    total, other = ours.values.sum(axis=0), theirs.values.sum(axis=0)
    swapped, unswapped = ours.scores(total + moved), theirs.scores(other - moved)
    first, second = ours.scores(total), theirs.scores(other)
    found = {}
    for name in first.keys() & second.keys() - _NO_SIDE:
        value = float(first[name] - second[name])
        if not np.isfinite(value):
            continue
        by_chance = np.abs(swapped[name] - unswapped[name])
        # Rounding may change equal differences in their last digits.
        as_large = int((by_chance >= abs(value) * (1 - 1e-9)).sum())
        enough = ours.units >= FEWEST_UNITS
        ends = _ends(resampled[name] - beside[name]) if enough else None
        found[name] = {"value": value, "interval": ends, "p": (1 + as_large) / (1 + len(moved)) if enough else None}
    return {name: found[name] for name in first if name in found}
