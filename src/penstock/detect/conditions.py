"""What else is told of a row beside its score: a gap, a missing column, a stuck sensor, a shift of the level."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ALARM", "CONDITIONS", "MISSING", "OUTLIER", "TOLD", "Watch", "told"]

CONDITIONS = ("", "probation", "unseasonal", "outlier", "level shift", "stuck", "gap", "missing")
"""Of several, the last one is told. An outlier whose values stay away is a level shift."""
PROBATION, UNSEASONAL, OUTLIER, SHIFT, STUCK, GAP, MISSING = range(1, len(CONDITIONS))
_LATE = float(np.log(1.5))
"""A gap is 1.5 times the usual time between rows, and more where that varies."""
_LATE_SPREADS = 4.0
_SHIFT_LEAST = 10
ALARM, TOLD = 1, 2
"""Of a run of equal values: it raises an alarm; it has raised one, and raises no other."""

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Watch:
    """Tells conditions from counters, a few numbers of each target.

    Args:
        smoothing: steps over which surprise is averaged; a level has shifted after twice as many away from the range
            that was expected at an anomaly.
    """

    def __init__(self, smoothing: int) -> None:
        self._shifted = max(_SHIFT_LEAST, 2 * smoothing)

    def memory(self, rows: int, targets: int) -> dict[str, NDArray[Any]]:
        """Return the memory of new series."""
        shape = (rows, targets)
        return {
            "run": np.zeros(shape, np.int64),
            "stuck": np.zeros(shape, np.int64),
            "floor": np.full(shape, np.nan),
            "ceiling": np.full(shape, np.nan),
            "away": np.zeros(shape, np.int64),
        }

    def repeats(self, memory: dict[str, NDArray[Any]], values: Array) -> tuple[Array, Array]:
        """Count on, in place, how often the value of each target was repeated.

        Returns:
            The count, and that of a run which ended with this row; NaN for a missing value, and where none ended.
        """
        there, before = ~np.isnan(values), memory["run"]
        same = values == memory["last"]
        memory["run"] = np.where(there, np.where(same, before + 1, 0), before)
        ended = there & ~same & ~np.isnan(memory["last"])
        return np.where(there, memory["run"], np.nan), np.where(ended, before, np.nan)

    def __call__(
        self,
        memory: dict[str, NDArray[Any]],
        values: Array,
        late: Array,
        probation: Flags,
        alarms: Flags,
        low: Array,
        high: Array,
    ) -> NDArray[np.int64]:
        """Return the condition of each row, (rows,) places in `CONDITIONS`, and change the memory in place.

        Args:
            memory: of these series.
            values, low, high: (rows, targets).
            late, probation: (rows,).
            alarms: (rows, 2 + targets), what raised an alarm: the network, the season, values that repeat.
        """
        memory["stuck"] = np.where(np.isnan(values), memory["stuck"], self._stuck(memory, alarms[:, 2:]))
        shift = self.shift(memory, values, alarms[:, 0], low, high)
        return told(probation, alarms, shift, memory["stuck"] > 0, late, memory["gap_variance"], values)

    def _stuck(self, memory: dict[str, NDArray[Any]], alarms: Flags) -> NDArray[np.int64]:
        """What the run of equal values of each target is: ordinary, an alarm, or one that was told."""
        later = np.where(memory["stuck"] > 0, TOLD, 0)
        return np.where(memory["run"] == 0, 0, np.where(alarms, ALARM, later))

    def shift(self, memory: dict[str, NDArray[Any]], values: Array, anomaly: Flags, low: Array, high: Array) -> Flags:
        """Count values in a row beyond the range that was expected when an anomaly began: above up, below down.

        Returns whether the level has shifted with this row, (rows,); changes the memory in place.
        """
        there = ~np.isnan(values)
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


def told(
    probation: Flags, alarms: Flags, shift: Flags, stuck: Flags, late: Array, gap_variance: Array, values: Array
) -> NDArray[np.int64]:
    """Return the condition of each row, (rows,), by what holds of it; arguments as for `Watch`."""
    found = np.zeros(len(values), np.int64)
    for place, flags in (
        (PROBATION, probation),
        (UNSEASONAL, alarms[:, 1]),
        (OUTLIER, alarms[:, 0]),
        (SHIFT, shift),
        (STUCK, stuck.any(axis=1)),
        (GAP, late > np.maximum(_LATE, _LATE_SPREADS * np.sqrt(gap_variance))),
        (MISSING, np.isnan(values).any(axis=1)),
    ):
        found = np.where(flags, place, found)
    return found
