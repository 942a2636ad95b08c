"""How good forecasts are, summed up origin by origin, so that memory does not grow with them.

Errors are kept by row (a target of a series) and by step ahead: what a report shows is what the figures are made of.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Errors"]

Array = NDArray[np.float64]


class Errors:
    """Sums of errors; missing truth counts nowhere.

    Args:
        spreads: (rows,), the unit of each row's squared and absolute errors.
        season_errors: (rows,), what MASE relates a row's errors to (Hyndman and Koehler 2006).
        horizon: steps ahead.
    """

    def __init__(self, spreads: ArrayLike, season_errors: ArrayLike, horizon: int) -> None:
        self.spreads, self.season_errors = np.asarray(spreads, np.float64), np.asarray(season_errors, np.float64)
        shape = (len(self.spreads), horizon)
        self.count, self.absolute, self.squared, self.symmetric, self.scaled, self.scalable, self.inside = (
            np.zeros(shape) for _ in range(7)
        )
        self.origins = 0
        self.has_interval = False

    def add(self, rows: slice, truth: Array, found: Array, interval: tuple[Array, Array] | None = None) -> None:
        """Count forecasts of one series.

        Args:
            rows: the rows of its targets.
            truth: (origins, horizon, targets), NaN where it is missing.
            found: of the same shape.
            interval: low and high, of the same shape.
        """
        there = ~np.isnan(truth)
        error = np.where(there, np.abs(truth - found), 0.0)
        size = np.where(there, np.abs(truth) + np.abs(found), 0.0)
        unit = self.spreads[rows]
        base = self.season_errors[rows]
        usable = base > 0  # False for NaN too
        self.count[rows] += there.sum(0).T
        self.absolute[rows] += (error / unit).sum(0).T
        self.squared[rows] += np.square(error / unit).sum(0).T
        self.symmetric[rows] += 200 * np.divide(error, size, out=np.zeros_like(error), where=size > 0).sum(0).T
        self.scaled[rows] += (np.where(usable, error, 0.0) / np.where(usable, base, 1.0)).sum(0).T
        self.scalable[rows] += (there & usable).sum(0).T
        if interval is not None:
            self.has_interval = True
            self.inside[rows] += (there & (truth >= interval[0]) & (truth <= interval[1])).sum(0).T
        self.origins += len(truth)

    def metrics(self) -> dict[str, float]:
        """mse, mae, smape, mase, and coverage_80 where there are intervals; over all values that were forecast."""
        found = {
            "mse": _ratio(self.squared, self.count),
            "mae": _ratio(self.absolute, self.count),
            "smape": _ratio(self.symmetric, self.count),
            "mase": _ratio(self.scaled, self.scalable),
        }
        return found | ({"coverage_80": _ratio(self.inside, self.count)} if self.has_interval else {})

    def by_step(self) -> list[float]:
        """The mean absolute error of each step ahead."""
        return [_ratio(self.absolute[:, step], self.count[:, step]) for step in range(self.count.shape[1])]

    def by_row(self, name: str = "absolute") -> list[float]:
        """The mean of each row; NaN where there is none."""
        counts = self.scalable if name == "scaled" else self.count
        return [_ratio(sums, count) for sums, count in zip(getattr(self, name), counts, strict=True)]


def _ratio(sums: NDArray[Any], counts: NDArray[Any]) -> float:
    total = float(counts.sum())
    return float(sums.sum()) / total if total else float("nan")
