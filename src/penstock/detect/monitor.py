"""Judges the rows of many series at once as they arrive: the arithmetic of every stream, pool and prediction.

All of it but the recurrent layers is elementwise, so that the bits of a series do not depend on the others beside it.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.detect.conditions import Watch
from penstock.detect.features import DetectFeatures, log_gap, spread_of, step_inputs
from penstock.detect.head import logistic, tail
from penstock.detect.recursive import correction, follow_errors, output_memory
from penstock.detect.threshold import add_scores, limits
from penstock.errors import ConfigError

__all__ = ["Adapt", "Judgement", "Memory", "Monitor"]

Array = NDArray[np.float64]
Memory = dict[str, NDArray[Any]]
"""What is known of each series, by name; the first axis of each array is the series."""
Advance = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Adapt = bool | Literal["output"]
_WITHIN = float(np.log(0.995 / 0.005))
"""Half the width of the interval that holds 99 % of a logistic distribution, in scales."""
_OUTLIER = 5.0
"""The most by which a value changes an adapting location, in spreads."""
NEVER = -(1 << 49)
"""The time of no row."""


class Judgement(NamedTuple):
    """What is said of one row of each series.

    score, threshold: (rows,); NaN where no value was there
    anomaly: (rows,) bool
    expected, low, high: (rows, targets), the location and the interval of 99 % that was predicted
    condition: (rows,) int64, places in `conditions.CONDITIONS`
    """

    score: Array
    threshold: Array
    anomaly: NDArray[np.bool_]
    expected: Array
    low: Array
    high: Array
    condition: NDArray[np.int64]


class Monitor:
    """Judges rows with a network's head and features; the memory is the caller's.

    Args:
        features: of the model.
        head: scores of the encoder's outputs, (rows, size) -> (rows, 2 * targets).
        adapt: whether location and spread of a series go on following its values after `probation` of them; "output":
            also a correction of what is expected, see `detect.recursive`.
        size: the encoder's output size.
    """

    def __init__(self, features: DetectFeatures, head: Advance, adapt: Adapt = False, *, size: int) -> None:
        if adapt not in (False, True, "output"):
            raise ConfigError(f"adapt must be False, True or 'output'; got {adapt!r:.40}")
        self.features, self._head, self._adapt, self._size = features, head, adapt, size
        self._watch = Watch(features.smoothing)

    def memory(self, identities: NDArray[np.int64]) -> Memory:
        """Return the memory of new series by number (series,): from 1, or 0 for one that training did not know."""
        features, count = self.features, len(identities)
        targets, known = len(features.targets), (identities > 0)[:, None]
        place = np.maximum(identities - 1, 0)

        def fitted(name: str, usual: float) -> Array:
            if not features.names:
                return np.full((count, targets), usual)
            found = features.scales[name][place]
            return np.where(known, found[:, None] if found.ndim == 1 else found, usual)

        shape = (count, targets)
        peaks = {name: array[identities] for name, array in (features.peaks or _no_peaks(len(features.names))).items()}
        return {
            "rows": np.zeros(count, np.int64),
            "time": np.full(count, NEVER, np.int64),
            "last": np.full(shape, np.nan),
            "before": np.full(shape, np.nan),
            "there": np.zeros(shape),
            "counts": np.where(known, features.probation, np.zeros(shape, np.int64)),
            "location": fitted("location", 0.0),
            "variance": fitted("variance", 0.0),
            "gaps": np.where(identities > 0, features.probation, 0),
            "gap": fitted("gap", 0.0)[:, 0].copy(),
            "gap_variance": fitted("gap_variance", 0.0)[:, 0].copy(),
            "smoothed": np.zeros(count),
            **peaks,
            "limit": limits(peaks, features.false_alarm_rate),
            **self._watch.memory(count, targets, fitted("longest", 0.0).astype(np.int64)),
            **(output_memory(count, targets, self._size) if self._adapt == "output" else {}),
        }

    def judge(
        self,
        memory: Memory,
        values: Array,
        covariates: Array,
        times: NDArray[Any] | None,
        advance: Advance,
    ) -> Judgement:
        """Judge the next row of each series, and change its memory in place.

        Args:
            memory: of these series.
            values: (rows, targets), NaN where missing.
            covariates: (rows, covariates).
            times: (rows,) datetime64[s] or int64; None without times.
            advance: takes a step of the layers: x (rows, size) -> outputs (rows, output size).
        """
        features, there = self.features, ~np.isnan(values)
        late = self._late(memory, times) if times is not None else np.zeros(len(values))
        location, spread = memory["location"], spread_of(memory["variance"])
        last, before = (_in_units(memory[name], location, spread) for name in ("last", "before"))
        change = np.where((memory["rows"] < 2)[:, None], 0.0, last - before)
        timed = features.timed(times, late, len(values))
        x = step_inputs(last, change, memory["there"], features.scaled_covariates(covariates), timed)
        y = advance(x)
        middle, scale = logistic(self._head(y), last)
        if self._adapt == "output":
            read = np.concatenate([y.astype(np.float64), np.ones((len(y), 1))], axis=1)
            middle = middle + correction(memory, read)
            error, most = (values - location) / spread - middle, _OUTLIER * scale
            follow_errors(memory, read, np.where(there, np.minimum(np.maximum(error, -most), most), 0.0))
        surprise = tail((values - location) / spread, middle, scale)
        surprise = np.where(there, surprise, 0.0).sum(axis=1)
        low, high = (location + spread * (middle + side * _WITHIN * scale) for side in (-1, 1))
        score, limit, ready, anomaly = self._score(memory, surprise, there)
        condition = self._watch(memory, values, there, late, ~ready, anomaly, low, high)
        self._take(memory, values, there, times)
        expected = location + spread * middle
        return Judgement(score, np.where(there.any(axis=1), limit, np.nan), anomaly, expected, low, high, condition)

    def _late(self, memory: Memory, times: NDArray[Any]) -> Array:
        """How long ago the last row was beside the usual: the difference of logarithms; 0 for a first row."""
        gap = log_gap(times.astype(np.int64) - memory["time"])
        first = memory["time"] == NEVER
        late = np.where(first | (memory["gaps"] == 0), 0.0, gap - memory["gap"])
        _follow(memory, "gaps", "gap", "gap_variance", gap, ~first, self.features.probation, 0.0)
        return late

    def _score(
        self, memory: Memory, surprise: Array, there: NDArray[np.bool_]
    ) -> tuple[Array, Array, NDArray[np.bool_], NDArray[np.bool_]]:
        """Smooth the surprise, and compare it with the threshold, which it changes afterwards."""
        features, seen = self.features, there.any(axis=1)
        ready = memory["counts"].max(axis=1) >= features.probation
        smoothed = memory["smoothed"] + (surprise - memory["smoothed"]) / features.smoothing
        memory["smoothed"] = np.where(seen, smoothed, memory["smoothed"])
        limit, counted = memory["limit"], seen & ready
        anomaly = counted & (smoothed > limit)
        add_scores(memory, smoothed, counted, features.false_alarm_rate)
        return np.where(seen, smoothed, np.nan), limit, ready, anomaly

    def _take(self, memory: Memory, values: Array, there: NDArray[np.bool_], times: NDArray[Any] | None) -> None:
        """Remember the row, and follow location and spread."""
        features = self.features
        slow = 1 / (10 * features.probation) if self._adapt else 0.0
        _follow(memory, "counts", "location", "variance", values, there, features.probation, slow)
        memory["before"] = memory["last"].copy()  # the caller may hold views
        memory["last"] = np.where(there, values, memory["last"])
        memory["there"] = there.astype(np.float64)
        memory["rows"] = memory["rows"] + 1
        if times is not None:
            memory["time"] = times.astype(np.int64)


def _no_peaks(series: int) -> dict[str, Array]:
    """Peaks that give no alarm."""
    usual = {"level": np.inf, "scores": 1.0, "peaks": 1.0, "excess": 1.0, "squares": 2.0}
    return {name: np.full(series + 1, value) for name, value in usual.items()}


def _in_units(values: Array, location: Array, spread: Array) -> Array:
    return np.where(np.isnan(values), 0.0, (values - location) / spread)


def _follow(
    memory: Memory,
    counts: str,
    location: str,
    variance: str,
    values: Array,
    counted: NDArray[np.bool_],
    most: int,
    slow: float,
) -> None:
    """Add values to a mean and a variance, in place: the first `most` with equal weights, later ones with `slow`."""
    young = memory[counts] < most
    if not slow and not young.any():
        return
    count = np.minimum(memory[counts] + counted, most)
    weight = np.where(young, 1.0 / np.maximum(count, 1), slow) * counted
    spread = np.sqrt(memory[variance])
    change = np.where(counted, values, memory[location]) - memory[location]
    change = np.where(young, change, np.minimum(np.maximum(change, -_OUTLIER * spread), _OUTLIER * spread))
    memory[location] = memory[location] + weight * change
    memory[variance] = (1 - weight) * (memory[variance] + weight * change * change)
    memory[counts] = count
