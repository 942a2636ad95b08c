"""What else is told of a row beside its score: a gap, a missing column, a stuck sensor, a shift of the level."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CONDITIONS", "Watch"]

CONDITIONS = ("", "probation", "outlier", "level shift", "stuck", "gap", "missing")
"""Of several, the last one is told. An anomaly is an outlier until its values stay away, which is a level shift."""
PROBATION, OUTLIER, SHIFT, STUCK, GAP, MISSING = range(1, len(CONDITIONS))
_LATE = float(np.log(1.5))
"""A gap is 1.5 times the usual time between rows, and more where that varies."""
_LATE_SPREADS = 4.0
_STUCK_LEAST, _STUCK_TIMES = 10, 3
"""A sensor is stuck after so many equal values in a row, and so many times as many as was ordinary before."""
_SHIFT_LEAST = 10

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Watch:
    """Tells conditions from counters, a few numbers of each target.

    Args:
        smoothing: steps over which scores are averaged; a level has shifted after twice as many away from the range
            that was expected at an anomaly.
    """

    def __init__(self, smoothing: int) -> None:
        self._shifted = max(_SHIFT_LEAST, 2 * smoothing)

    def memory(self, rows: int, targets: int, longest: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Return the memory of new series; `longest` (rows, targets) is the most equal values in a row in training."""
        shape = (rows, targets)
        return {
            "run": np.zeros(shape, np.int64),
            "longest": longest,
            "floor": np.full(shape, np.nan),
            "ceiling": np.full(shape, np.nan),
            "away": np.zeros(shape, np.int64),
        }

    def __call__(
        self,
        memory: dict[str, NDArray[Any]],
        values: Array,
        there: Flags,
        late: Array,
        probation: Flags,
        anomaly: Flags,
        low: Array,
        high: Array,
    ) -> NDArray[np.int64]:
        """Return the condition of each row, (rows,) places in `CONDITIONS`, and change the memory in place."""
        stuck = self._stuck(memory, values, there)
        shift = self._shift(memory, values, there, anomaly, low, high)
        allowed = np.maximum(_LATE, _LATE_SPREADS * np.sqrt(memory["gap_variance"]))
        found = np.zeros(len(values), np.int64)
        for place, flags in (
            (PROBATION, probation),
            (OUTLIER, anomaly),
            (SHIFT, shift),
            (STUCK, stuck),
            (GAP, late > allowed),
            (MISSING, ~there.all(axis=1)),
        ):
            found = np.where(flags, place, found)
        return found

    def _stuck(self, memory: dict[str, NDArray[Any]], values: Array, there: Flags) -> Flags:
        """Count equal values in a row; a run that counts as stuck is not ordinary afterwards."""
        run, longest = memory["run"], memory["longest"]
        same = there & (values == memory["last"])
        if not same.any() and not run.any():  # the same as below, and quicker
            return np.zeros(len(values), bool)
        most = np.maximum(_STUCK_LEAST, _STUCK_TIMES * longest)
        ended = there & ~same & (run <= most)
        memory["longest"] = np.where(ended, np.maximum(longest, run), longest)
        memory["run"] = np.where(there, np.where(same, run + 1, 0), run)
        return (memory["run"] > most).any(axis=1)

    def _shift(
        self, memory: dict[str, NDArray[Any]], values: Array, there: Flags, anomaly: Flags, low: Array, high: Array
    ) -> Flags:
        """Count values in a row beyond the range that was expected when an anomaly began: above up, below down."""
        watched = ~np.isnan(memory["floor"])
        if not watched.any() and not anomaly.any():  # the same as below, and quicker
            return np.zeros(len(values), bool)
        floor = np.where(watched, memory["floor"], np.where(anomaly[:, None], low, np.nan))
        ceiling = np.where(watched, memory["ceiling"], np.where(anomaly[:, None], high, np.nan))
        side = np.where(values > ceiling, 1, np.where(values < floor, -1, 0))
        before = memory["away"]
        away = np.where(there, np.where(side * before >= 0, before + side, 0) * (side != 0), before)
        over = (there & (side == 0)) | (np.abs(away) > self._shifted)
        memory["floor"], memory["ceiling"] = (np.where(over, np.nan, each) for each in (floor, ceiling))
        memory["away"] = np.where(over, 0, away)
        return (np.abs(away) == self._shifted).any(axis=1)
