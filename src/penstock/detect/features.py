"""What training fitted for a detector: scales of the series, what the network reads, and how scores are judged.

Each series has a location and a spread for each target, of its training values. Those of a series that training did not
know are estimated from its first `probation` values as they arrive; until then it has no alarm.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_fields
from penstock.detect.columns import DetectColumns
from penstock.detect.season import MOST_POINTS, PROFILE, new_profile
from penstock.detect.threshold import PEAKS
from penstock.detect.timelines import Timeline
from penstock.detect.units import (
    FARTHEST,
    forward_filled,
    lateness,
    log_gaps,
    moments,
    shifted,
    spread_of,
    step_inputs,
)
from penstock.errors import ConfigError
from penstock.panels.calendar import calendar_features

__all__ = ["DetectFeatures", "Encoded"]

Array = NDArray[np.float64]
SCALES = ("location", "variance", "gap", "gap_variance", "points", "span", "origin", "until", "season_share")
_OF_TARGETS = ("location", "variance", "season_share")


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
class DetectFeatures(DetectColumns):
    """The fitted properties of the training series, and the settings of detection.

    Args:
        targets, covariates, time, id, time_format, dated: see `DetectColumns`.
        calendar: names in `panels.calendar.CALENDAR` that the network reads.
        irregular: whether the network reads how long ago the last row was.
        probation: rows after which a series that training did not know is judged.
        smoothing: surprise is averaged over about so many steps.
        false_alarm_rate: the share of ordinary steps whose score exceeds the threshold.
        names: the series.
        scales: of each series, `location` and `variance` (series, targets); `gap` and `gap_variance` (series,), of the
            logarithm of the time between rows; what `detect.season_search.fitted_seasons` found; and `until`, the time
            of the last value in its profile.
        covariate_scale: mean and standard deviation of each covariate, (2, covariates).
        peaks: the numbers of `threshold.PEAKS`, each (1 + series, 2 + targets): for a series that training did not
            know, and for each that it did; of the network's surprise, the season's, and how often each target repeats
            its value. Empty before they are known.
        profile: the numbers of `season.PROFILE`, each (series, points, targets), in units of the series; as of series
            of which nothing was seen, before they are known.
    """

    kind: ClassVar[str] = "detection"

    calendar: tuple[str, ...] = ()
    irregular: bool = False
    probation: int = 100
    smoothing: int = 1
    false_alarm_rate: float = 1e-4
    names: tuple[str, ...] = ()
    scales: dict[str, Array]
    covariate_scale: Array
    peaks: dict[str, Array] = field(default_factory=dict)
    profile: dict[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.names:
            raise ConfigError("features of a detector must name at least one training series")
        if self.peaks:
            shape = (len(self.names) + 1, self.kinds)
            if not all(
                name in self.peaks and self.peaks[name].shape == shape and np.isfinite(self.peaks[name]).all()
                for name in PEAKS
            ):
                raise ConfigError(f"peaks must hold {', '.join(PEAKS)} of each series; got {self.peaks!r:.80}")
        self.profile = self.profile or new_profile(len(self.names), self.points, len(self.targets))
        self._places = {name: place for place, name in enumerate(self.names)}

    @property
    def size(self) -> int:
        """The number of features of a step."""
        return 3 * len(self.targets) + len(self.covariates) + self.irregular + 2 * len(self.calendar)

    @property
    def kinds(self) -> int:
        """The kinds of alarms: by the network, by the season, and by repeated values of each target."""
        return 2 + len(self.targets)

    @property
    def points(self) -> int:
        """The most points of a season."""
        return int(self.scales["points"].max(initial=1))

    def without_phase(self, times: NDArray[Any] | None) -> bool:
        """Whether rows lack the times by which a season is followed."""
        return self.time is not None and times is None and self.points > 1

    def identity(self, name: str) -> int:
        """Return a series' number, from 1; 0 if training did not know it."""
        return self._places.get(name, -1) + 1

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

    def units(self, series: Timeline) -> tuple[Array, Array, Array]:
        """Return location and spread (targets,) of a series, and its usual time between rows, as a logarithm.

        Those of a series that training did not know are of its first values.
        """
        place = self.identity(series.name) - 1
        if place >= 0:
            location, variance, gap = (self.scales[name][place] for name in ("location", "variance", "gap"))
        else:
            location, variance = moments(series.values[: self.probation])
            gap = np.median(log_gaps(series.times, len(series))[1 : self.probation] if len(series) > 1 else [0.0])
        return location, spread_of(variance), gap

    def standardised(self, series: Timeline) -> Array:
        """Return values (steps, targets) in units of a series; those of an unknown one by its first values."""
        location, spread, _ = self.units(series)
        return (series.values - location) / spread

    def encode(self, series: Timeline) -> Encoded:
        """Convert a training series; the same numbers as `detect.monitor` reads step by step."""
        return self.encoded(series, *self.units(series))

    def encoded(self, series: Timeline, location: Array, spread: Array, gap: Array) -> Encoded:
        """Convert a series in units of its location and spread (targets,), and of its usual time between rows."""
        values = (series.values - location) / spread
        level = forward_filled(values)
        last, there = shifted(level), shifted((~np.isnan(values)).astype(np.float64))
        change = last - shifted(last)
        change[:2] = 0.0
        late = lateness(series.times, len(series), gap)
        timed = self.timed(series.times, late, len(series))
        return Encoded(step_inputs(last, change, there, self.scaled_covariates(series.covariates), timed), last, values)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        plain = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        plain |= {"scales": {name: array.tolist() for name, array in self.scales.items()}, "kind": self.kind}
        plain["covariate_scale"] = self.covariate_scale.tolist()
        plain["peaks"] = {name: array.tolist() for name, array in self.peaks.items()}
        # Each series has the points of its own season.
        counts = self.scales["points"].astype(int)
        plain["profile"] = {
            name: [own[:count].tolist() for own, count in zip(array, counts, strict=True)]
            for name, array in self.profile.items()
        }
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
            check_fields(cls, values)
            count, width = len(values["names"]), len(values["targets"])
            shapes = {name: (count, width) if name in _OF_TARGETS else (count,) for name in SCALES}
            values["scales"] = {
                name: np.array(data["scales"][name], np.float64).reshape(shape) for name, shape in shapes.items()
            }
            values["peaks"] = {name: np.array(each, np.float64) for name, each in data["peaks"].items()}
            values["profile"] = _read_profile(data["profile"], values["scales"], width)
            values["covariate_scale"] = np.array(data["covariate_scale"], np.float64).reshape(
                2, len(data["covariates"])
            )
            return cls(**values)
        except KeyError as error:
            raise ConfigError(
                f"features of a detector can't be read: they lack {error}; an older build may have written them. "
                "Train again."
            ) from error
        except (AttributeError, TypeError, ValueError) as error:
            raise ConfigError(f"features of a detector can't be read: {error}") from error


def _read_profile(data: Mapping[str, Any], scales: Mapping[str, Array], width: int) -> dict[str, Array]:
    """The profiles of series, (series, points, targets); those of a shorter season end with zeros."""
    counts = scales["points"]
    if not ((counts >= 1) & (counts <= MOST_POINTS) & (counts % 1 == 0) & (scales["span"] >= 1)).all():
        raise ValueError(f"a season must have 1 to {MOST_POINTS} points, and a length; got {counts!r:.80}")
    found = {name: np.zeros((len(counts), int(counts.max(initial=1)), width)) for name in PROFILE}
    for name, array in found.items():
        for own, given, count in zip(array, data[name], counts.astype(int), strict=True):
            own[:count] = np.array(given, np.float64).reshape(count, width)
    return found
