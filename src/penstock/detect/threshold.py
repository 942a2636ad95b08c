"""Thresholds from peaks over a level, in constant memory and for many series at once (SPOT, Siffer et al. 2017).

Scores above a high level, less that level, follow a generalized Pareto distribution (Pickands 1975). Its two parameters
are fitted by moments (Hosking and Wallis 1987), so that sums are all that is kept of the peaks: scores here are
logarithms of probabilities, whose tails are near exponential, where moments are nearly as good as likelihood.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PEAKS", "add_scores", "fitted_peaks", "limits"]

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


def fitted_peaks(scores: Array) -> dict[str, float]:
    """Return what is kept (`PEAKS`) of scores (steps,), weighted as a prior for a series.

    Examples:
        >>> import numpy as np
        >>> fitted_peaks(np.arange(100.0))["level"]
        97.02
    """
    level = float(np.quantile(scores, _LEVEL))
    excess = scores[scores > level] - level
    if not len(excess):  # scores that are all the same
        excess = np.array([max(abs(level), 1.0)])
    weight = min(1.0, _PRIOR / len(scores))
    sums = (len(scores), len(excess), float(excess.sum()), float((excess**2).sum()))
    return {"level": level} | {name: weight * each for name, each in zip(PEAKS[1:], sums, strict=True)}


def limits(memory: Mapping[str, NDArray[Any]], rate: float) -> Array:
    """Return the score that an ordinary step exceeds with probability `rate`, (rows,).

    Args:
        memory: (rows,) each of `PEAKS`.
        rate: the probability, below the share of the peaks.
    """
    peaks = memory["peaks"]
    mean = memory["excess"] / peaks
    variance = np.maximum(memory["squares"] / peaks - mean * mean, 1e-12 * mean * mean)
    shape = np.clip(0.5 * (1 - mean * mean / variance), 0.0, _HEAVIEST)
    scale = mean * (1 - shape)
    log_rate = np.minimum(np.log(rate * memory["scores"] / peaks), 0.0)
    # (q^-shape - 1) / shape, and its limit -log q for a shape of 0
    heavy = np.expm1(-shape * log_rate) / np.where(shape > 0, shape, 1.0)
    return memory["level"] + scale * np.where(shape > 0, heavy, -log_rate)


def add_scores(memory: Memory, scores: Array, counted: NDArray[np.bool_], rate: float) -> None:
    """Add a score to each row of the memory, in place, where it is counted; a peak changes the `limit` too.

    A score above the limit counts as one at the limit, so that an anomaly hardly changes what is ordinary, and a state
    that lasts becomes ordinary in the end.

    Args:
        memory: (rows,) each of `PEAKS`, and `limit`.
        scores: (rows,).
        counted: (rows,), which of them count.
        rate: as for `limits`.
    """
    memory["scores"] = memory["scores"] + counted
    (rows,) = np.nonzero(counted & (scores > memory["level"]))
    if not len(rows):
        return
    own = {name: memory[name][rows] for name in PEAKS}
    excess = np.minimum(scores[rows], memory["limit"][rows]) - own["level"]
    fading = np.where(own["scores"] >= _MEMORY, 0.5, 1.0)
    for name, each in (("scores", 0.0), ("peaks", 1.0), ("excess", excess), ("squares", excess * excess)):
        own[name] = own[name] * fading + each
    for name, each in {**own, "limit": limits(own, rate)}.items():
        memory[name] = memory[name].copy()
        memory[name][rows] = each
