"""Metrics of forecasts, accumulated origin by origin in constant memory.

Errors are kept by row (a target of a series) and by step ahead, and by stretch of time, for intervals: forecasts from
neighbouring origins are of the same steps, so they are resampled in stretches of a horizon at least (a block bootstrap,
Künsch 1989, with blocks that don't overlap).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.forecast.panel import Series
from penstock.runtime.resampling import Sums, units_of

__all__ = ["Errors", "Stretches"]

Array = NDArray[np.float64]
_FEWEST_STRETCHES = 10
"""Minimum number of stretches; with fewer, series are resampled instead if there are more of them."""
_SUMS = ("count", "absolute", "squared", "symmetric", "scaled", "scalable", "inside")


@dataclass(frozen=True)
class Stretches:
    """Time in stretches so long that errors in different ones hardly depend on each other.

    first: the place on the grid of the first origin
    length: steps of a stretch: the horizon, or the cube root of the number of origins where that is more
    """

    first: int
    length: int

    @classmethod
    def of(cls, series: Sequence[Series], context: int, horizon: int) -> Self:
        """Stretches for the origins that have their context and their truth; all series share them."""
        spans = [
            (each.start + max(each.begin, context), each.start + len(each) - horizon)
            for each in series
            if len(each) >= context + horizon
        ]
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        return cls(first, max(horizon, int(np.ceil(np.cbrt(last - first + 1)))))

    def __call__(self, series: Series, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the stretch of each origin of a series, (origins,)."""
        return (series.start + steps - self.first) // self.length


class Errors:
    """Sums of errors; missing true values are ignored.

    Args:
        spreads: (rows,), the unit of each row's squared and absolute errors.
        season_errors: (rows,), by which MASE divides a row's errors (Hyndman and Koehler 2006).
        horizon: steps ahead.
    """

    def __init__(self, spreads: ArrayLike, season_errors: ArrayLike, horizon: int) -> None:
        self.spreads, self.season_errors = np.asarray(spreads, np.float64), np.asarray(season_errors, np.float64)
        shape = (len(self.spreads), horizon)
        self.count, self.absolute, self.squared, self.symmetric, self.scaled, self.scalable, self.inside = (
            np.zeros(shape) for _ in _SUMS
        )
        self.origins = 0
        self.has_interval = False
        self.stretches: dict[int, Array] = {}
        """Of each stretch of time the sums of `_SUMS`, in their order."""
        self.series: dict[int, Array] = {}
        """The same of each series, by the first of its rows."""

    def add(
        self,
        rows: slice,
        truth: Array,
        found: Array,
        interval: tuple[Array, Array] | None = None,
        stretches: NDArray[np.int64] | None = None,
    ) -> None:
        """Add forecasts of one series.

        Args:
            rows: the rows of its targets.
            truth: (origins, horizon, targets), NaN where it is missing.
            found: of the same shape.
            interval: low and high, of the same shape.
            stretches: (origins,), the stretch of time of each; needed for `sums`.
        """
        there = ~np.isnan(truth)
        error = np.where(there, np.abs(truth - found), 0.0)
        size = np.where(there, np.abs(truth) + np.abs(found), 0.0)
        unit = self.spreads[rows]
        base = self.season_errors[rows]
        usable = base > 0  # False for NaN too
        each: dict[str, NDArray[Any]] = {
            "count": there,
            "absolute": error / unit,
            "squared": np.square(error / unit),
            "symmetric": 200 * np.divide(error, size, out=np.zeros_like(error), where=size > 0),
            "scaled": np.where(usable, error, 0.0) / np.where(usable, base, 1.0),
            "scalable": there & usable,
        }
        if interval is not None:
            self.has_interval = True
            each["inside"] = there & (truth >= interval[0]) & (truth <= interval[1])
        for name, values in each.items():
            getattr(self, name)[rows] += values.sum(0).T
        self.origins += len(truth)
        if stretches is not None:
            self._place(rows.start, each, stretches)

    def _place(self, series: int, each: dict[str, NDArray[Any]], stretches: NDArray[np.int64]) -> None:
        """Add to the sums of the series, and of the stretch of each origin."""
        by_origin = np.zeros((len(stretches), len(_SUMS)))
        for place, name in enumerate(_SUMS):
            if name in each:
                by_origin[:, place] = each[name].sum(axis=(1, 2))
        zero = np.zeros(len(_SUMS))
        self.series[series] = self.series.get(series, zero) + by_origin.sum(axis=0)
        for stretch in np.unique(stretches).tolist():
            own = by_origin[stretches == stretch].sum(axis=0)
            self.stretches[stretch] = self.stretches.get(stretch, zero) + own

    def sums(self) -> Sums:
        """What `metrics` follow from, for `resampling.compared`: by stretches of time that all series share.

        Where there are fewer than 10 of these and more series, by series.
        """
        by_series = len(self.stretches) < _FEWEST_STRETCHES and len(self.series) > len(self.stretches)
        units = self.series if by_series else self.stretches
        group, groups = units_of(len(units), len(_SUMS))
        values = np.zeros((groups, len(_SUMS)))
        np.add.at(values, group, np.array([units[key] for key in sorted(units)]))
        return Sums(values, self._scores, len(units))

    def _scores(self, sums: Array) -> dict[str, Array]:
        of = dict(zip(_SUMS, np.moveaxis(sums, -1, 0), strict=True))
        count = np.where(of["count"] > 0, of["count"], np.nan)
        scalable = np.where(of["scalable"] > 0, of["scalable"], np.nan)
        scores = {
            "mse": of["squared"] / count,
            "mae": of["absolute"] / count,
            "smape": of["symmetric"] / count,
            "mase": of["scaled"] / scalable,
        }
        return scores | ({"coverage_80": of["inside"] / count} if self.has_interval else {})

    def metrics(self) -> dict[str, float]:
        """Return mse, mae, smape, mase, and coverage_80 if there are intervals, over all forecast values."""
        found = {
            "mse": _ratio(self.squared, self.count),
            "mae": _ratio(self.absolute, self.count),
            "smape": _ratio(self.symmetric, self.count),
            "mase": _ratio(self.scaled, self.scalable),
        }
        return found | ({"coverage_80": _ratio(self.inside, self.count)} if self.has_interval else {})

    def by_step(self, name: str = "absolute") -> list[float]:
        """The mean of each step ahead: by default the absolute error; "inside": the share in the 80 % interval."""
        sums = getattr(self, name)
        return [_ratio(sums[:, step], self.count[:, step]) for step in range(self.count.shape[1])]

    def by_row(self, name: str = "absolute") -> list[float]:
        """Return the mean of each row; NaN if there is none."""
        counts = self.scalable if name == "scaled" else self.count
        return [_ratio(sums, count) for sums, count in zip(getattr(self, name), counts, strict=True)]


def _ratio(sums: NDArray[Any], counts: NDArray[Any]) -> float:
    total = float(counts.sum())
    return float(sums.sum()) / total if total else float("nan")
