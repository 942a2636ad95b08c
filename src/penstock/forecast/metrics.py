"""Metrics of forecasts, accumulated origin by origin.

Errors are kept by row (a target of a series) and by step ahead, and each also by stretch of time, for intervals:
forecasts from neighbouring origins are of the same steps, so they are resampled in stretches of a horizon at least (a
block bootstrap, Künsch 1989, with blocks that don't overlap).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.panels.panel import Series
from penstock.runtime.resampling import Interval, Sums, intervals, units_of

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
        self._placed: list[tuple[int, NDArray[np.int64], Array, Array]] = []

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
            stretches: (origins,), the stretch of time of each, ascending; needed for `sums` and intervals.
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

    def _place(self, row: int, each: Mapping[str, NDArray[Any]], stretches: NDArray[np.int64]) -> None:
        """Keep the sums of each stretch that a batch of origins meets, by target and by step ahead.

        They take less memory than the series themselves, as a stretch is at least a horizon long.
        """
        met, first = np.unique(stretches, return_index=True)  # origins, and so stretches, ascend
        shape = (len(stretches), *each["count"].shape[1:])
        all_sums = np.stack([each.get(name, np.zeros(shape)) for name in _SUMS], axis=-1).astype(np.float64)
        sums = np.add.reduceat(all_sums, first, axis=0)  # (stretches, horizon, targets, sums)
        self._placed.append((row, met, sums.sum(axis=1), sums.sum(axis=2)))

    def sums(self) -> Sums:
        """What `metrics` follow from, for `resampling.compared`: by stretches of time that all series share.

        Where there are fewer than 10 of these and more series, by series.
        """
        values, units = self._by_unit([by_target.sum(axis=1) for _, _, by_target, _ in self._placed])
        return Sums(values, self._scores, units)

    def step_intervals(self, name: str = "absolute") -> list[Interval]:
        """Return the 95 % interval of each mean of `by_step`, by the units of `sums`."""
        places = [_SUMS.index(name), _SUMS.index("count")]
        batches = [by_step[..., places].reshape(len(met), -1) for _, met, _, by_step in self._placed]
        values, units = self._by_unit(batches)

        def scores(sums: Array) -> dict[str, Array]:
            total, count = np.moveaxis(sums.reshape(*sums.shape[:-1], -1, 2), -1, 0)
            means = total / np.where(count > 0, count, np.nan)
            return {str(step): means[..., step] for step in range(means.shape[-1])}

        return list(intervals(Sums(values, scores, units)).values())

    def row_intervals(self, row: int) -> dict[str, Interval]:
        """Return the 95 % interval of each score of a row, by its stretches of time."""
        own: dict[int, Array] = {}
        for first, met, by_target, _ in self._placed:
            if first <= row < first + by_target.shape[1]:
                _add(own, met.tolist(), by_target[:, row - first])
        return intervals(Sums(np.array(list(own.values())), self._scores, len(own)))

    def _by_unit(self, batches: Sequence[Array]) -> tuple[Array, int]:
        """Add up (stretches, width) of each batch by group of units: (groups, width), and the number of units."""
        stretches: dict[int, Array] = {}
        series: dict[int, Array] = {}
        for (row, met, *_), sums in zip(self._placed, batches, strict=True):
            _add(stretches, met.tolist(), sums)
            _add(series, [row], sums.sum(axis=0, keepdims=True))
        by_series = len(stretches) < _FEWEST_STRETCHES and len(series) > len(stretches)
        units = series if by_series else stretches
        width = batches[0].shape[1]
        group, groups = units_of(len(units), width)
        values = np.zeros((groups, width))
        np.add.at(values, group, np.array([units[key] for key in sorted(units)]))
        return values, len(units)

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


def _add(totals: dict[int, Array], keys: Sequence[int], sums: Array) -> None:
    for key, each in zip(keys, sums, strict=True):
        totals[key] = totals[key] + each if key in totals else each


def _ratio(sums: NDArray[Any], counts: NDArray[Any]) -> float:
    total = float(counts.sum())
    return float(sums.sum()) / total if total else float("nan")
