"""Thresholds from peaks over a level, in constant memory and for many series at once (SPOT, Siffer et al. 2017).

Scores above a high level, less that level, follow a generalized Pareto distribution (Pickands 1975). Its two parameters
are fitted by moments (Hosking and Wallis 1987), so that sums are all that is kept of the peaks: scores here are
logarithms of probabilities, whose tails are near exponential, where moments are nearly as good as likelihood.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PEAKS", "UNIT", "add_scores", "fitted_peaks", "joint", "limits", "rarity", "share_of"]

Array = NDArray[np.float64]
Memory = dict[str, NDArray[Any]]

PEAKS = ("level", "scores", "peaks", "excess", "squares")
"""What is kept of a series: the level, the number of scores, and the number, sum and sum of squares of the excesses."""
_LEVEL = 0.98
"""The quantile of the scores that is the level."""
_HEAVIEST = 0.4
"""The largest shape of a fitted tail; moments need one below 0.5. Below 0 a tail would end, so 0 is the smallest."""
_PRIOR = 500.0
"""Scores of the calibration count as so many of a series' own, at most."""
_MEMORY = 5000.0
"""Older scores fade: at so many, what is known of them counts half."""
_LN_10 = float(np.log(10))
UNIT = 1 / _LN_10
"""The mean excess of -log10 of probabilities that hold."""


def fitted_peaks(scores: Array, unit: float = UNIT, least: float = 0.0) -> dict[str, float]:
    """Return what is kept (`PEAKS`) of scores (steps,), weighted as a prior for a series.

    Args:
        scores: of ordinary steps.
        unit: the mean excess that a single peak besides those of the scores has, without which scores that are all
            the same would have no tail. By default that of -log10 of a probability that holds.
        least: the least level.

    Examples:
        >>> import numpy as np
        >>> fitted_peaks(np.arange(100.0))["level"]
        97.02
    """
    level = max(float(np.quantile(scores, _LEVEL)), least)
    excess = scores[scores > level] - level
    weight = min(1.0, _PRIOR / len(scores))
    sums = (len(excess) * weight + 1.0, excess.sum() * weight + unit, (excess**2).sum() * weight + 2 * unit * unit)
    return dict(zip(PEAKS, (level, len(scores) * weight, *map(float, sums)), strict=True))


def limits(memory: Mapping[str, NDArray[Any]], rate: float) -> Array:
    """Return the score that an ordinary step exceeds with probability `rate`, in the shape of each of `PEAKS`.

    Args:
        memory: each of `PEAKS`.
        rate: the probability, below the share of the peaks.
    """
    scale, shape = _tail(memory)
    log_rate = np.minimum(np.log(rate * memory["scores"] / memory["peaks"]), 0.0)
    # (q^-shape - 1) / shape, and its limit -log q for a shape of 0
    heavy = np.expm1(-shape * log_rate) / np.where(shape > 0, shape, 1.0)
    return memory["level"] + scale * np.where(shape > 0, heavy, -log_rate)


def rarity(memory: Mapping[str, NDArray[Any]], scores: Array) -> Array:
    """Return -log10 of the probability that an ordinary score is as large, the inverse of `limits`.

    Below the level, which says nothing of its own, it falls evenly to 0.
    """
    scale, shape = _tail(memory)
    level = memory["level"]
    beyond = np.maximum(scores - level, 0.0) / scale
    tail = np.where(shape > 0, np.log1p(shape * beyond) / np.where(shape > 0, shape, 1.0), beyond)
    below = np.where(scores > level, 1.0, np.where(level > 0, scores / np.where(level > 0, level, 1.0), 0.0))
    return (below * np.log(memory["scores"] / memory["peaks"]) + tail) / _LN_10


def joint(several: Array) -> Array:
    """Return -log10 of the probability that one of several (rows, kinds) is as rare as the rarest of them, (rows,).

    That is exact for kinds that do not depend on each other (Sidak 1967), and otherwise no smaller than the truth by
    more than `share_of` allows.
    """
    rarest, kinds = several.max(axis=1), several.shape[1]
    # 1 - (1 - p)^kinds, which is kinds * p where p is small
    exact = -np.log(-np.expm1(kinds * np.log1p(-np.exp(-_LN_10 * np.clip(rarest, 1e-9, 9.0))))) / _LN_10
    return np.where(rarest > 9.0, rarest - np.log10(kinds), exact)


def share_of(rate: float, kinds: int) -> float:
    """Return the rate of each of several kinds of false alarms that together have a rate."""
    return float(-np.expm1(np.log1p(-rate) / kinds))


def add_scores(memory: Memory, scores: Array, counted: NDArray[np.bool_], rate: float) -> None:
    """Add scores to the memory, in place, where they are counted; a peak changes the `limit` too.

    A score above the limit counts as one at the limit, so that an anomaly hardly changes what is ordinary, and a state
    that lasts becomes ordinary in the end.

    Args:
        memory: each of `PEAKS`, and `limit`, (rows,) or (rows, kinds).
        scores: of the same shape.
        counted: which of them count.
        rate: as for `limits`.
    """
    memory["scores"] = memory["scores"] + counted
    rows = np.nonzero(counted & (scores > memory["level"]))
    if not len(rows[0]):
        return
    own = {name: memory[name][rows] for name in PEAKS}
    excess = np.minimum(scores[rows], memory["limit"][rows]) - own["level"]
    fading = np.where(own["scores"] >= _MEMORY, 0.5, 1.0)
    for name, each in (("scores", 0.0), ("peaks", 1.0), ("excess", excess), ("squares", excess * excess)):
        own[name] = own[name] * fading + each
    for name, each in {**own, "limit": limits(own, rate)}.items():
        memory[name] = memory[name].copy()
        memory[name][rows] = each


def _tail(memory: Mapping[str, NDArray[Any]]) -> tuple[Array, Array]:
    """Scale and shape of the distribution of the excesses."""
    peaks = memory["peaks"]
    mean = memory["excess"] / peaks
    variance = np.maximum(memory["squares"] / peaks - mean * mean, 1e-12 * mean * mean)
    shape = np.clip(0.5 * (1 - mean * mean / variance), 0.0, _HEAVIEST)
    return mean * (1 - shape), shape
