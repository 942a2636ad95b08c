"""Judges the rows of many series at once as they arrive: the arithmetic of every stream, pool and prediction.

All of it but the recurrent layers is elementwise, so that the bits of a series do not depend on the others beside it.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.detect.conditions import TOLD, Watch
from penstock.detect.features import DetectFeatures
from penstock.detect.head import logistic, tail
from penstock.detect.memory import NEVER, Memory, new_memory
from penstock.detect.recursive import correction, follow_errors, output_memory
from penstock.detect.season import follow, points, usual
from penstock.detect.threshold import add_scores, joint, limits, rarity, share_of
from penstock.detect.units import log_gap, spread_of, step_inputs
from penstock.errors import ConfigError

__all__ = ["Adapt", "Advance", "Judgement", "Monitor", "ranges", "seasonal_surprise", "together"]

Array = NDArray[np.float64]
Advance = Callable[[NDArray[np.float32]], NDArray[np.float32]]
Adapt = bool | Literal["output"]
Flags = NDArray[np.bool_]
_WITHIN = float(np.log(0.995 / 0.005))
"""Half the width of the interval that holds 99 % of a logistic distribution, in scales."""
_PER_DEVIATION = float(np.sqrt(3) / np.pi)
"""The scale of a logistic distribution of standard deviation 1."""
_OUTLIER = 5.0
"""The most by which a value changes an adapting location, in spreads."""


class Judgement(NamedTuple):
    """What is said of one row of each series.

    score, threshold: (rows,), -log10 of a probability; NaN where no value was there
    anomaly: (rows,) bool
    expected, low, high: (rows, targets), the location and the interval of 99 % that was predicted
    condition: (rows,) int64, places in `conditions.CONDITIONS`
    evidence: (rows, 2 + targets), what the score follows from: the surprise of the network and that of the season,
        smoothed, and how often each target repeated its value; NaN where it doesn't count
    """

    score: Array
    threshold: Array
    anomaly: NDArray[np.bool_]
    expected: Array
    low: Array
    high: Array
    condition: NDArray[np.int64]
    evidence: Array


class Monitor:
    """Judges rows with a network's head and features; the memory is the caller's.

    Args:
        features: of the model.
        head: scores of the encoder's outputs, (rows, size) -> (rows, 2 * targets).
        adapt: whether location and spread of a series go on following its values after `probation` of them; "output":
            also a correction of what is expected, see `detect.recursive`.
        size: the encoder's output size.

    Attributes:
        rate: of false alarms of each kind, which together have that of the features.
        watch: tells conditions.
    """

    def __init__(self, features: DetectFeatures, head: Advance, adapt: Adapt = False, *, size: int) -> None:
        if adapt not in (False, True, "output"):
            raise ConfigError(f"adapt must be False, True or 'output'; got {adapt!r:.40}")
        self.features, self.head, self._adapt, self._size = features, head, adapt, size
        self.watch = Watch(features.smoothing)
        self.rate = share_of(features.false_alarm_rate, features.kinds)

    def memory(self, identities: NDArray[np.int64]) -> Memory:
        """Return the memory of new series by number (series,): from 1, or 0 for one that training did not know."""
        features, (rows, targets) = self.features, (len(identities), len(self.features.targets))
        found = new_memory(features, identities) | self.watch.memory(rows, targets)
        found["limit"] = limits(found, self.rate)
        return found | (output_memory(rows, targets, self._size) if self._adapt == "output" else {})

    def judge(
        self,
        memory: Memory,
        values: Array,
        covariates: Array,
        times: NDArray[Any] | None,
        advance: Advance,
        places: NDArray[np.int64] | None = None,
    ) -> Judgement:
        """Judge the next row of each series, and change its memory in place.

        Args:
            memory: of these series; but the profiles of the seasons may be of more.
            values: (rows, targets), NaN where missing.
            covariates: (rows, covariates).
            times: (rows,) datetime64[s] or int64; None without times.
            advance: takes a step of the layers: x (rows, size) -> outputs (rows, output size).
            places: (rows,) of the series in the profiles; None for those of the memory.
        """
        features, there = self.features, ~np.isnan(values)
        late = self._late(memory, times) if times is not None else np.zeros(len(values))
        location, spread = memory["location"], spread_of(memory["variance"])
        last, before = (_in_units(memory[name], location, spread) for name in ("last", "before"))
        change = np.where((memory["rows"] < 2)[:, None], 0.0, last - before)
        timed = features.timed(times, late, len(values))
        x = step_inputs(last, change, memory["there"], features.scaled_covariates(covariates), timed)
        y = advance(x)
        middle, scale = logistic(self.head(y), last)
        if self._adapt == "output":
            read = np.concatenate([y.astype(np.float64), np.ones((len(y), 1))], axis=1)
            middle = middle + correction(memory, read)
            error, most = (values - location) / spread - middle, _OUTLIER * scale
            follow_errors(memory, read, np.where(there, np.minimum(np.maximum(error, -most), most), 0.0))
        surprise = tail((values - location) / spread, middle, scale)
        low, expected, high = ranges(location, spread, middle, scale)
        seasonal = self._season(memory, values, spread, times, np.arange(len(values)) if places is None else places)
        repeats, ended = self.watch.repeats(memory, values)
        evidence = np.concatenate([self._smoothed(memory, surprise, seasonal), repeats], axis=1)
        score, alarms, ready = self._score(memory, evidence, ended)
        condition = self.watch(memory, values, late, ~ready, alarms, low, high)
        self._take(memory, values, there, times)
        threshold = np.where(np.isnan(score), np.nan, -np.log10(features.false_alarm_rate))
        return Judgement(score, threshold, score > threshold, expected, low, high, condition, evidence)

    def settled(self, memory: Memory) -> bool:
        """Whether location, spread and time between rows of the series no longer change."""
        probation = self.features.probation
        timed = memory["time"] != NEVER
        return not self._adapt and bool(
            (memory["counts"] >= probation).all() and ((memory["gaps"] >= probation) | ~timed).all()
        )

    def _late(self, memory: Memory, times: NDArray[Any]) -> Array:
        """How long ago the last row was beside the usual: the difference of logarithms; 0 for a first row."""
        gap = log_gap(times.astype(np.int64) - memory["time"])
        first = memory["time"] == NEVER
        late = np.where(first | (memory["gaps"] == 0), 0.0, gap - memory["gap"])
        _follow(memory, "gaps", "gap", "gap_variance", gap, ~first, self.features.probation, 0.0)
        return late

    def _season(
        self, memory: Memory, values: Array, spread: Array, times: NDArray[Any] | None, places: NDArray[np.int64]
    ) -> Array:
        """The surprise of values by the season, (rows, targets), NaN where nothing is known of it; follows them."""
        if self.features.without_phase(times):
            return np.full(values.shape, np.nan)
        at = memory["rows"] if times is None else times.astype(np.int64)
        memory["origin"] = np.where(memory["origin"] == NEVER, at, memory["origin"])
        now = points(at, memory["origin"], memory["span"], memory["points"])
        mean, deviation = usual(memory, places, now, memory["season_share"] * spread)
        # A value of training that is read again is part of the profile already.
        fresh = np.where((at > memory["until"])[:, None], values, np.nan) if times is not None else values
        follow(memory, places, now, fresh, deviation, memory["points"])
        return seasonal_surprise(values, mean, deviation)

    def _smoothed(self, memory: Memory, surprise: Array, seasonal: Array) -> Array:
        """The surprise of all targets together, of the network and of the season, (rows, 2)."""
        both = np.stack([together(surprise), together(seasonal)], axis=1)
        smoothed = memory["smoothed"] + (both - memory["smoothed"]) / self.features.smoothing
        memory["smoothed"] = np.where(np.isnan(both), memory["smoothed"], smoothed)
        return smoothed

    def _score(self, memory: Memory, evidence: Array, ended: Array) -> tuple[Array, Flags, Flags]:
        """The score of each row, which kinds raise an alarm, and whether it was judged; learns what is ordinary.

        A run of equal values is learned from when it ends, or while it raises an alarm, which ends when runs as long
        have become ordinary: what is ordinary must not grow with the run itself.
        """
        ready = memory["counts"].max(axis=1) >= self.features.probation
        counted = ~np.isnan(evidence) & ready[:, None]
        counted[:, 2:] &= memory["stuck"] < TOLD
        known = np.where(counted, evidence, 0.0)
        rare = np.where(counted, rarity(memory, known), 0.0)
        alarms = rare > -np.log10(self.rate)
        learned, stuck = known.copy(), alarms[:, 2:]
        ordinary = ~np.isnan(ended) & (memory["stuck"] == 0)
        learned[:, 2:] = np.where(stuck, known[:, 2:], np.where(ordinary, ended, 0.0))
        counted[:, 2:] = ready[:, None] & (stuck | ordinary)
        add_scores(memory, learned, counted, self.rate)
        return np.where(np.isnan(evidence[:, 0]), np.nan, joint(rare)), alarms, ready

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


def ranges(location: Array, spread: Array, middle: Array, scale: Array) -> tuple[Array, Array, Array]:
    """Return lower end, middle and upper end of the interval of 99 %, in the unit of the values."""
    width = _WITHIN * scale
    return location + spread * (middle - width), location + spread * middle, location + spread * (middle + width)


def seasonal_surprise(values: Array, mean: Array, deviation: Array) -> Array:
    """Return -log10 of the probability of values as far from the mean of their point; NaN where nothing is known."""
    return tail(values, mean, deviation * _PER_DEVIATION)


def together(surprise: Array) -> Array:
    """Return the sum over targets, (rows,), of what is there; NaN for none."""
    there = ~np.isnan(surprise)
    return np.where(there.any(axis=1), np.where(there, surprise, 0.0).sum(axis=1), np.nan)


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
