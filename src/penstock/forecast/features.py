"""Conversion of series to the network's inputs, and of its outputs to values: logarithms, scales, covariates.

Each series has a location and a scale for each target, of its training values; a series that training did not know is
scaled by its first `context` values. A missing value is the one before it: so a stream can do the same.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_fields
from penstock.errors import ConfigError, DataError
from penstock.panels.calendar import calendar_features
from penstock.panels.frequency import Frequency
from penstock.panels.panel import LARGEST, Panel, Series

__all__ = ["TRANSFORMS", "Encoded", "ForecastFeatures", "Scale"]

TRANSFORMS = ("none", "log", "log1p")
_ROUNDING = 1e-14
"""Relative spread that rounding can give a constant series."""
_FARTHEST = 1e9
"""Limit of scaled values: larger ones carry no more information, and sums of squares stay finite."""


class Scale(NamedTuple):
    """Scales of one series, each (targets,) float64.

    Attributes:
        location, scale: mean and standard deviation of the transformed values.
        spread: standard deviation of the original values.
        season_error: mean absolute change over a season, by which MASE divides errors.
    """

    location: NDArray[np.float64]
    scale: NDArray[np.float64]
    spread: NDArray[np.float64]
    season_error: NDArray[np.float64]


class Encoded(NamedTuple):
    """A series converted to the network's inputs.

    Attributes:
        values: (steps, targets) float32, without missing values.
        observed: (steps, targets), mask of the values that were present.
        covariates: (steps, past + known) float32.
        known: (steps + horizon, known) float32, including the calendar.
        known_steps: number of its rows that are actually known.
        scale: the series' scale.
        identity: 0 for a series unknown to training, otherwise its number from 1.
    """

    values: NDArray[np.float32]
    observed: NDArray[np.bool_]
    covariates: NDArray[np.float32]
    known: NDArray[np.float32]
    known_steps: int
    scale: Scale
    identity: int


@dataclass(eq=False, kw_only=True)
class ForecastFeatures:
    """The fitted properties of the training series, and the settings of forecasts.

    Args:
        horizon: steps that are forecast.
        context: steps that an answer needs before it; the look-back of a network that has one.
        quantiles: rising, 0.5 among them.
        targets, past, known: columns.
        transform: "log", "log1p" or "none", before anything else.
        normalization: "relative", "last", "instance" or "none": what a look-back is related to.
        calendar: names in `panels.calendar.CALENDAR`.
        joint: whether a step is of all targets together, or each target is a series of its own.
        season: steps after which the series repeat themselves most; 1 for none.
        frequency: the steps in time, None without.
        time, id: the columns that times and names came from.
        time_format: how times are read, as `times.parse_times` takes it; None where there is nothing to choose.
        names: the series.
        scales: location, scale, spread, season_error, each (series, targets).
        covariate_scale: mean and standard deviation of each covariate, (2, past + known).
        metric_scale: "original", or "standardised" by the training values' spread.
        factors: what each quantile's distance from the median is multiplied by, so that intervals hold their share of
            the validation data (`tasks.forecast_calibration`); empty where they are as trained.

    Raises:
        ConfigError: another number of factors than of quantiles, or one that is no positive number.
    """

    kind: ClassVar[str] = "forecasts"

    horizon: int
    context: int
    quantiles: tuple[float, ...]
    targets: tuple[str, ...]
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    transform: str = "none"
    normalization: str = "relative"
    calendar: tuple[str, ...] = ()
    joint: bool = False
    season: int = 1
    frequency: Frequency | None = None
    time: str | None = None
    id: str | None = None
    time_format: str | None = None
    names: tuple[str, ...] = ()
    scales: dict[str, NDArray[np.float64]]
    covariate_scale: NDArray[np.float64]
    metric_scale: str = "original"
    factors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        rising = (*self.quantiles, 1.0)
        if 0.5 not in rising or not all(0 < low < high for low, high in itertools.pairwise(rising)):
            raise ConfigError(
                f"quantiles must rise from above 0 to below 1, 0.5 among them; got {self.quantiles!r:.80}"
            )
        if self.factors and len(self.factors) != len(self.quantiles):
            raise ConfigError(f"there must be a factor for each of {len(self.quantiles)} quantiles; got {self.factors}")
        if not all(0 < factor < np.inf for factor in self.factors):
            raise ConfigError(f"factors of quantiles must be positive numbers; got {self.factors}")
        self._places = {name: place for place, name in enumerate(self.names)}

    @property
    def columns(self) -> dict[str, Any]:
        """Return the columns of the training data, by the argument names of `read_series`."""
        several = {"target": self.targets, "past": self.past, "known": self.known}
        return {"time": self.time, "id": self.id, "time_format": self.time_format} | {
            name: list(names) for name, names in several.items()
        }

    @property
    def median(self) -> int:
        """Index of the quantile 0.5, the point forecast."""
        return self.quantiles.index(0.5)

    @property
    def interval(self) -> tuple[int, int] | None:
        """Indices of the quantiles 0.1 and 0.9, the 80 % interval, if both exist."""
        both = all(each in self.quantiles for each in (0.1, 0.9))
        return (self.quantiles.index(0.1), self.quantiles.index(0.9)) if both else None

    def check(self, panel: Panel, what: str = "the data") -> None:
        """Raise DataError unless the panel has the columns and steps of training."""
        panel.check_like(self.targets, self.past, self.known, self.frequency, what)
        if self.calendar and panel.time is None:
            raise DataError(f"{what} must have times, as in training: its calendar is part of the model")

    def measurable(self, panel: Panel, what: str, context: int = 0) -> list[Series]:
        """Return the series with at least one origin whose forecast can be compared with actual values.

        `context` is the number of values that an origin must have before it, if more than a forecast needs.

        Raises:
            DataError: there is none; `what` says what they were to be used for.
        """
        context = max(context, self.context)
        found = [each for each in panel if len(each) - self.horizon >= max(each.begin, context)]
        if not found:
            longest = max(panel, key=lambda each: len(each) - max(each.begin, context))
            history = f", {longest.begin} of them history" if longest.begin else ""
            raise DataError(
                f"the series to {what} must have at least context + horizon = {context} + {self.horizon} steps, "
                f"the horizon behind what is history; the longest has {len(longest)}{history}. Give more data, or a "
                "shorter context or horizon."
            )
        return found

    def scale(self, identity: int, values: NDArray[np.float64]) -> Scale:
        """Return a known series' scale; for number 0 the scale of its first `context` values (steps, targets)."""
        if identity:
            return Scale(*(self.scales[each][identity - 1] for each in Scale._fields))
        return measured_scale(values[: self.context], self)

    def identity(self, name: str) -> int:
        """Return a series' number, from 1; 0 if training did not know it."""
        return self._places.get(name, -1) + 1

    def rows(self, identity: int) -> NDArray[np.int64]:
        """The numbers of the rows that a network sees of a series: of it, or of each of its targets; 0: unknown."""
        targets = len(self.targets)
        if self.joint:
            return np.array([identity])
        return (identity - 1) * targets + 1 + np.arange(targets) if identity else np.zeros(targets, np.int64)

    def encode(self, series: Series, frequency: Frequency | None = None) -> Encoded:
        """Convert a series to the network's inputs.

        Args:
            series: at least `context` steps long if training did not know it.
            frequency: of the panel it is from; by default the training's.
        """
        identity = self.identity(series.name)
        scale = self.scale(identity, series.values)
        observed = ~np.isnan(series.values)
        values = scaled(filled(series.values), scale, self.transform)
        steps, past = len(series), len(self.past)
        rows = steps + self.horizon
        covariates = np.concatenate([_rows(series.past, rows), _rows(series.known, rows)], 1)
        known_steps = self._known_steps(series)
        numbers = in_units(filled(covariates), *self.covariate_scale)
        times = self._times(series.start, rows, frequency or self.frequency)
        known = np.concatenate([numbers[:, past:], times], 1)
        return Encoded(
            values,
            observed,
            np.concatenate([numbers[:steps, :past], known[:steps]], 1),
            known,
            known_steps,
            scale,
            identity,
        )

    def forecasts(self, outputs: NDArray[np.float32], scale: Scale) -> NDArray[np.float64]:
        """The network's outputs (..., targets, quantiles) as quantiles of values: rising, calibrated if training did.

        The median stays where it is.
        """
        # Crossing quantiles are sorted (Chernozhukov et al. 2010).
        found = np.sort(outputs, axis=-1)
        if self.factors:
            median = found[..., self.median, None].astype(np.float64)
            # Intervals one in another may cross, where they were not multiplied by the same.
            found = np.sort(median + np.array(self.factors) * (found - median), axis=-1)
        return self.restore(found, scale)

    def restore(self, outputs: NDArray[Any], scale: Scale) -> NDArray[np.float64]:
        """Convert the network's outputs (..., targets, quantiles) to values."""
        found = outputs.astype(np.float64) * scale.scale[:, None] + scale.location[:, None]
        if self.transform == "none":
            return found
        found = np.minimum(found, np.log(LARGEST))  # no value is larger
        return np.exp(found) if self.transform == "log" else np.expm1(found)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        plain = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        plain |= {"frequency": self.frequency and self.frequency.to_json(), "kind": self.kind}
        plain |= {"scales": {name: array.tolist() for name, array in self.scales.items()}}
        plain["covariate_scale"] = self.covariate_scale.tolist()
        if not self.factors:
            del plain["factors"]  # as before there were any: the fingerprint of such a model stays the same
        if self.time_format is None:
            del plain["time_format"]  # likewise
        return {name: list(value) if isinstance(value, tuple) else value for name, value in plain.items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ForecastFeatures":
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
            width = len(values["targets"])
            values["scales"] = {
                name: np.array(data["scales"][name], np.float64).reshape(len(values["names"]), width)
                for name in Scale._fields
            }
            values["covariate_scale"] = np.array(data["covariate_scale"], np.float64).reshape(
                2, len(data["past"]) + len(data["known"])
            )
            values["frequency"] = data["frequency"] and Frequency.from_json(data["frequency"])
            return cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"features of a forecaster can't be read: {error}") from error

    def _known_steps(self, series: Series) -> int:
        """Steps from the first on whose known covariates are there; before the last value, missing ones are filled."""
        if not self.known:
            return len(series) + self.horizon
        missing = np.flatnonzero(np.isnan(series.known[len(series) :]).any(axis=1))
        return len(series) + int(missing[0]) if len(missing) else len(series.known)

    def _times(self, start: int, rows: int, frequency: Frequency | None) -> NDArray[np.float32]:
        if not self.calendar:
            return np.zeros((rows, 0), np.float32)
        if frequency is None:
            raise DataError("the model reads the calendar, and these series have no times")
        return calendar_features(frequency.times(np.arange(start, start + rows)), self.calendar)


def measured_scale(values: NDArray[np.float64], features: Any) -> Scale:
    """Compute the scale of values (steps, targets).

    Args:
        values: NaN where missing.
        features: `transform` and `season` are read.
    """
    there = [column[~np.isnan(column)] for column in values.T]
    changed = [transformed(column, features.transform) for column in there]
    location = np.array([column.mean() if len(column) else 0.0 for column in changed])
    scale, spread = (np.array([unit(column) for column in each]) for each in (changed, there))
    season = features.season
    steps = [np.abs(column[season:] - column[:-season]) for column in values.T]
    error = np.array([np.nanmean(each) if (~np.isnan(each)).any() else np.nan for each in steps])
    return Scale(location, scale, spread, error)


def unit(values: NDArray[np.float64]) -> float:
    """Return the standard deviation of values (steps,); 1 if they are constant."""
    found = float(values.std()) if len(values) else 0.0
    return found if len(values) and found > _ROUNDING * np.abs(values).max() else 1.0


def scaled(values: NDArray[np.float64], scale: Scale, transform: str) -> NDArray[np.float32]:
    """Values (..., targets), none missing but at the start, in units of their series; 0 where there is none yet."""
    return in_units(transformed(values, transform), scale.location, scale.scale)


def in_units(
    values: NDArray[np.float64], location: NDArray[np.float64], scale: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Scale values (..., columns); 0, the mean, where one is missing."""
    found = np.clip((values - location) / scale, -_FARTHEST, _FARTHEST)
    return np.where(np.isnan(found), 0.0, found).astype(np.float32)


def transformed(values: NDArray[np.float64], transform: str) -> NDArray[np.float64]:
    """Apply the transform.

    Raises:
        DataError: values that have none.
    """
    if transform == "none":
        return values
    least = 0.0 if transform == "log" else -1.0
    if (values <= least).any():
        raise DataError(
            f"with transform {transform!r} values must be above {least:g}; got {np.nanmin(values):g}. "
            "Train with another transform."
        )
    # On a contiguous copy: for a view, NumPy may use another code path with other bits.
    return np.log(values.copy()) if transform == "log" else np.log1p(values.copy())


def filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace each missing value by the preceding one in its column; leading ones remain missing."""
    if not np.isnan(values).any():
        return values
    rows = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    np.maximum.accumulate(rows, axis=0, out=rows)
    return np.take_along_axis(values, rows, axis=0)


def _rows(values: NDArray[np.float64], rows: int) -> NDArray[np.float64]:
    """The first rows, missing ones behind the last."""
    return np.concatenate([values[:rows], np.full((max(rows - len(values), 0), values.shape[1]), np.nan)])
