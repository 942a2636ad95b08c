"""What training fitted for a detector: scales of the series, what the network reads, and how scores are judged.

Each series has a location and a spread for each target, of its training values. Those of a series that training did not
know are estimated from its first `probation` values as they arrive; until then it has no alarm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.detect.threshold import PEAKS
from penstock.detect.timelines import Timeline, Timelines
from penstock.errors import ConfigError, DataError
from penstock.panels.calendar import calendar_features

__all__ = ["DetectFeatures", "Encoded", "forward_filled", "log_gap", "log_gaps", "moments", "step_inputs"]

Array = NDArray[np.float64]
FARTHEST = 30.0
"""Limit of the numbers that the network reads, in units of their series; scores are of the values themselves."""
_ROUNDING = 1e-14
"""Relative spread that rounding can give a constant series."""
SCALES = ("location", "variance", "gap", "gap_variance", "longest")


class Encoded(NamedTuple):
    """A series as the network reads it, and what it has to predict.

    x: (steps, size) float32, what is known before each step's values, and its time and covariates
    last: (steps, targets), the values before each step, in units of their series
    values: (steps, targets), the values in the same units; NaN where missing
    """

    x: NDArray[np.float32]
    last: Array
    values: Array


@dataclass(eq=False, kw_only=True)
class DetectFeatures:
    """The fitted properties of the training series, and the settings of detection.

    Args:
        targets, covariates: columns.
        time, id: the columns that times and names came from; None without.
        time_format: how times are read, as `panels.times.parse_times` takes it.
        dated: whether times are dates; None without times.
        calendar: names in `panels.calendar.CALENDAR` that the network reads.
        irregular: whether the network reads how long ago the last row was.
        probation: rows after which a series that training did not know is judged.
        smoothing: scores are averaged over about so many steps.
        false_alarm_rate: the share of ordinary steps whose score exceeds the threshold.
        names: the series.
        scales: of each series, `location` and `variance` (series, targets); `gap` and `gap_variance` (series,), of the
            logarithm of the time between rows; `longest` (series, targets), the most equal values in a row.
        covariate_scale: mean and standard deviation of each covariate, (2, covariates).
        peaks: the numbers of `threshold.PEAKS`, each (1 + series,): for a series that training did not know, and for
            each that it did; empty before they are known.
    """

    kind: ClassVar[str] = "detection"

    targets: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    time: str | None = None
    id: str | None = None
    time_format: str | None = None
    dated: bool | None = None
    calendar: tuple[str, ...] = ()
    irregular: bool = False
    probation: int = 100
    smoothing: int = 1
    false_alarm_rate: float = 1e-4
    names: tuple[str, ...] = ()
    scales: dict[str, Array]
    covariate_scale: Array
    peaks: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.peaks:
            sound = all(name in self.peaks and np.isfinite(self.peaks[name]).all() for name in PEAKS)
            if not sound or any(len(each) != len(self.names) + 1 for each in self.peaks.values()):
                raise ConfigError(f"peaks must hold {', '.join(PEAKS)} of each series; got {self.peaks!r:.80}")
        self._places = {name: place for place, name in enumerate(self.names)}

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of the training data, by the argument names of the reader."""
        several = {"target": list(self.targets), "covariates": list(self.covariates)}
        return {"time": self.time, "id": self.id, "time_format": self.time_format} | several

    @property
    def size(self) -> int:
        """The number of features of a step."""
        return 3 * len(self.targets) + len(self.covariates) + self.irregular + 2 * len(self.calendar)

    def identity(self, name: str) -> int:
        """Return a series' number, from 1; 0 if training did not know it."""
        return self._places.get(name, -1) + 1

    def check(self, data: Timelines, what: str = "the data") -> None:
        """Raise DataError unless the series have the columns and the kind of times of training."""
        for kind, own, ours in (
            ("target", data.targets, self.targets),
            ("covariate", data.covariates, self.covariates),
        ):
            if own != ours:
                raise DataError(
                    f"{what} must have the {kind} columns {', '.join(ours) or '(none)'}, as in training; got "
                    f"{', '.join(own) or 'none'}"
                )
        for series in data:
            dated = None if series.times is None else series.times.dtype.kind == "M"
            if self.dated is not None and dated != self.dated:
                wanted = "dates" if self.dated else "whole numbers"
                raise DataError(f"{what} must have times that are {wanted}, as in training. Name their column.")

    def timed(self, times: NDArray[Any] | None, late: Array, rows: int) -> NDArray[np.float32]:
        """Return what the network reads of times, (rows, ...): how late a row is, and the calendar."""
        parts = [np.clip(late, -FARTHEST, FARTHEST).astype(np.float32)[:, None]] if self.irregular else []
        if self.calendar:
            assert times is not None
            parts.append(calendar_features(times, self.calendar))
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros((rows, 0), np.float32), *parts], axis=1)

    def scaled_covariates(self, covariates: Array) -> NDArray[np.float32]:
        """Return covariates (rows, covariates) in units of the training data; 0, their mean, where missing."""
        if not covariates.shape[1]:
            return np.zeros(covariates.shape, np.float32)
        found = (covariates - self.covariate_scale[0]) / self.covariate_scale[1]
        return np.clip(np.where(np.isnan(found), 0.0, found), -FARTHEST, FARTHEST).astype(np.float32)

    def standardised(self, series: Timeline) -> Array:
        """Return values (steps, targets) in units of a series; those of an unknown one by its first values."""
        identity = self.identity(series.name)
        if identity:
            location, variance = (self.scales[name][identity - 1] for name in ("location", "variance"))
        else:
            location, variance = moments(series.values[: self.probation])
        return (series.values - location) / spread_of(variance)

    def encode(self, series: Timeline) -> Encoded:
        """Convert a training series; the same numbers as `detect.monitor` reads step by step."""
        place = self.identity(series.name) - 1
        location, spread = self.scales["location"][place], spread_of(self.scales["variance"][place])
        values = (series.values - location) / spread
        level = forward_filled(values)
        last, there = shifted(level), shifted((~np.isnan(values)).astype(np.float64))
        change = last - shifted(last)
        change[:2] = 0.0
        late = log_gaps(series.times, len(series)) - self.scales["gap"][place]
        late[:1] = 0.0
        timed = self.timed(series.times, late, len(series))
        return Encoded(step_inputs(last, change, there, self.scaled_covariates(series.covariates), timed), last, values)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        plain = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        plain |= {"scales": {name: array.tolist() for name, array in self.scales.items()}, "kind": self.kind}
        plain["covariate_scale"] = self.covariate_scale.tolist()
        plain["peaks"] = {name: array.tolist() for name, array in self.peaks.items()}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "DetectFeatures":
        """Read features from the result of `to_json`; ConfigError if it is invalid."""
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        try:
            values: dict[str, Any] = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in data.items()
                if name != "kind"
            }
            count, width = len(values["names"]), len(values["targets"])
            shapes = {name: (count,) if name.startswith("gap") else (count, width) for name in SCALES}
            values["scales"] = {
                name: np.array(data["scales"][name], np.float64).reshape(shape) for name, shape in shapes.items()
            }
            values["peaks"] = {name: np.array(each, np.float64) for name, each in data["peaks"].items()}
            values["covariate_scale"] = np.array(data["covariate_scale"], np.float64).reshape(2, -1)
            return cls(**values)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"features of a detector can't be read: {error}") from error


def step_inputs(
    last: Array, change: Array, there: Array, covariates: NDArray[np.float32], timed: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what the network reads of steps, (rows, size).

    Args:
        last, change, there: (rows, targets): the values before, their change, and 1 where they were there, not filled.
        covariates: (rows, covariates), scaled.
        timed: as `DetectFeatures.timed` returns it.
    """
    own = np.concatenate([last, change, there], axis=1)
    own = np.minimum(np.maximum(own, -FARTHEST), FARTHEST).astype(np.float32)
    return np.concatenate([own, covariates, timed], axis=1)


def spread_of(variance: Array) -> Array:
    """Return standard deviations; 1 where a series does not vary."""
    return np.where(variance > 0, np.sqrt(variance), 1.0)


def forward_filled(values: Array) -> Array:
    """Return values (steps, targets) with each missing one replaced by the one before it; 0 where there is none."""
    places = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))[:, None]), axis=0)
    return np.where(places < 0, 0.0, np.take_along_axis(values, np.maximum(places, 0), axis=0))


def shifted(values: Array) -> Array:
    """Return each step's values before it; 0 at the first."""
    return np.concatenate([np.zeros((1, values.shape[1])), values[:-1]])


def moments(values: Array) -> tuple[Array, Array]:
    """Return mean and variance of each column (steps, targets); 0 for one without values, or without change."""
    columns = [column[~np.isnan(column)] for column in values.T]
    location = np.array([column.mean() if len(column) else 0.0 for column in columns])
    spread = np.array([column.std() if len(column) else 0.0 for column in columns])
    return location, np.where(spread > _ROUNDING * np.abs(location), spread, 0.0) ** 2


def log_gaps(times: NDArray[Any] | None, steps: int) -> Array:
    """Return the logarithm of the time before each row (steps,), in seconds or steps, at least 1; 0 without times."""
    if times is None:
        return np.zeros(steps)
    whole = times.astype(np.int64)
    return log_gap(np.diff(whole, prepend=whole[:1]))


def log_gap(gaps: NDArray[np.int64]) -> Array:
    """Return the logarithm of times between rows, at least 1."""
    return np.log(np.maximum(gaps, 1).astype(np.float64))
