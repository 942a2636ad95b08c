"""Streaming forecasts: one forecast after each observation, bit-identical to forecasting from the whole series."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.dates import STEPS
from penstock.errors import DataError, InputError
from penstock.forecast.features import Scale, filled, in_units, scaled
from penstock.panels.calendar import calendar_features
from penstock.panels.frequency import NUMBER
from penstock.panels.lines import MOST_NAMES, name_number, number_of, same_series
from penstock.panels.times import parse_times
from penstock.runtime.stream import Stream, Traces, advance, step_arrays

if TYPE_CHECKING:
    from penstock.forecast.model import ForecastModel

__all__ = ["Forecast", "ForecastStream"]

AHEAD = "ahead"
"""The key of an observation that holds the known covariates of the steps ahead."""


@dataclass(frozen=True, eq=False)
class Forecast:
    """One forecast in the units of the series.

    prediction: (horizon, targets) float64, the median
    quantiles: (horizon, targets, quantiles) float64
    """

    prediction: NDArray[np.float64]
    quantiles: NDArray[np.float64]


class ForecastStream(Stream):
    """Return a forecast after each observation; None until the stream has read as many as the model's context.

    Create it with `ForecastModel.stream()`. An item is one observation: a number; a list of the columns (targets, past,
    known) in that order; or a mapping from column to value. In a mapping, "ahead" holds, for each known column, the
    list of its values at the `horizon` steps ahead. A missing value is None or NaN. If the model uses calendar
    features, the first observation must include its time. `finish` repeats the forecast after the last observation.

    A network with a carried state stores only that state. A network that reads a look-back stores the look-back, and
    `trace` shows the network's steps over it.

    Args:
        model: the model that makes the forecasts.
        series: the name of a training series; None: the only training series, or an unknown one if there were several.
    """

    def __init__(self, model: "ForecastModel", series: str | None = None) -> None:
        features = model.features
        if series is not None and not features.identity(series):
            raise DataError(f"there is no series {series!r} in the model; leave it out for an unknown one")
        super().__init__(features.kind, model)
        self._name = series
        self._usual = features.identity(series) if series is not None else int(len(features.names) == 1)
        targets, context = len(features.targets), features.context
        columns = len(features.past) + len(features.known) + 2 * len(features.calendar)
        self._usual_name = name_number(features.names[self._usual - 1]) if self._usual else 0
        # Number of observations so far, grid place of the first one, numbers of the series and of its name.
        self._counts = np.array([0, 0, self._usual, self._usual_name])
        # The first values, unscaled: the scale of an unknown series is computed from them.
        self._first = np.full((context, targets), np.nan)
        self._values = np.zeros((context, targets), np.float32)
        self._last_value = np.full(targets, np.nan)
        self._covariates = np.zeros((context, columns), np.float32)
        # The known covariates of the steps ahead, NaN where the last observation did not give them.
        self._ahead = np.full((features.horizon, len(features.known)), np.nan, np.float32)
        self._step = model.scorer.encoder.step(len(model.features.rows(0))) if model.carries else None
        self._output = np.zeros((len(model.features.rows(0)), model.network.encoder.output_size), np.float32)

    def read(self, observations: Any) -> None:
        """Read observations without making forecasts, for example the history before the stream starts.

        Args:
            observations: items as for `push`.

        Raises:
            DataError: as for `push`, except that the covariates of the steps ahead may be left out.
            StateError: `finish` was called.
        """
        self._refuse_if_finished()
        for each in observations:
            self._take_in(each, None, answered=False)

    def _push(self, item: Any, traces: Traces | None) -> Forecast | None:
        self._take_in(item, traces, answered=True)
        if traces is not None and self._step is None and self._counts[0] >= len(self._first):
            self._look(traces)
        return self._whole()

    def _whole(self) -> Forecast | None:
        seen = int(self._counts[0])
        return None if seen < len(self._first) else self._forecast(self._known(seen))

    def _forget(self) -> None:
        self._counts[:] = 0, 0, self._usual, self._usual_name
        for array in (self._first, self._last_value, self._ahead):
            array[:] = np.nan
        for array in (self._values, self._covariates, self._output):
            array[:] = 0
        if self._step is not None:
            self._step.reset()

    def _memory(self) -> dict[str, NDArray[Any]]:
        steps = dict(step_arrays(self._step, "encoder.")) if self._step is not None else {}
        return steps | {
            "seen": self._counts[:1],
            "place": self._counts[1:2],
            "series": self._counts[2:3],
            "id": self._counts[3:],
            "first": self._first,
            "last_value": self._last_value,
            "values": self._values,
            "covariates": self._covariates,
            "ahead": self._ahead,
            "output": self._output,
        }

    def _bounds(self) -> dict[str, tuple[int, int]]:
        # 2^40 one-second steps are about 35,000 years; later times are not supported.
        steps = {"seen": (0, 1 << 40), "place": (-(1 << 40), 1 << 40)}
        names = {"series": (0, len(self._model.features.names)), "id": (0, MOST_NAMES)}
        return super()._bounds() | steps | names

    def _take_in(self, observation: Any, traces: Traces | None, *, answered: bool) -> None:
        """Read one observation."""
        before = self._counts.copy()
        targets, seen, context = len(self._model.features.targets), int(before[0]), len(self._first)
        try:
            row, ahead = self._row(observation)
            values = np.where(np.isnan(row[:targets]), self._last_value, row[:targets])
            covariates = self._scaled_covariates(row[targets:])
            known = self._scaled_ahead(ahead, needed=answered and seen + 1 >= context)
        except InputError:
            self._counts[:] = before  # series and time are stored before the values are checked
            raise
        if not seen and np.isnan(values).all():  # a series begins with its first value, as in a panel
            self._counts[:] = before
            return
        self._last_value[:], self._ahead[:] = values, known
        self._counts[0] += 1
        if seen < context:
            self._first[seen], self._covariates[seen] = row[:targets], covariates
            if seen + 1 == context:
                self._begin(traces)
        else:
            self._advance(values, covariates, traces)

    def _row(self, observation: Any) -> tuple[NDArray[np.float64], Any]:
        """The numbers of the columns, and the covariates of the steps ahead; None if they were not given."""
        features = self._model.features
        names = (*features.targets, *features.past, *features.known)
        ahead = None
        if isinstance(observation, Mapping):
            self._check_series(observation)
            if missing := [name for name in names if name not in observation]:
                raise DataError(f"an observation must have {', '.join(names)}; this one lacks {', '.join(missing)}")
            self._take_time(observation)
            ahead = observation.get(AHEAD)
            given: Any = [observation[name] for name in names]
        else:
            # Check for lists first: `np.ndim` raises an error for a ragged list.
            several = isinstance(observation, list | tuple) or np.ndim(observation) > 0
            given = list(observation) if several else [observation]
            if self._model.features.calendar and not self._counts[0]:
                raise DataError(f"the first observation must be an object with its {features.time}: the model reads it")
        if len(given) != len(names):
            raise DataError(f"an observation must hold {', '.join(names)}; got {len(given)} values")
        row = np.array([number_of(value, name) for value, name in zip(given, names, strict=True)])
        return row, ahead

    def _check_series(self, observation: Mapping[str, Any]) -> None:
        column = self._model.features.id
        if column is None or column not in observation:
            return
        named = same_series(observation[column], int(self._counts[3]) if self._counts[0] else None)
        if not self._counts[0]:
            self._counts[2:] = self._model.features.identity(str(observation[column])), named

    def _take_time(self, observation: Mapping[str, Any]) -> None:
        features = self._model.features
        if features.frequency is None or features.time not in observation:
            if features.calendar and not self._counts[0]:
                raise DataError(f"the first observation must have its {features.time}: the model reads the calendar")
            return
        counted = STEPS if features.frequency.unit == NUMBER else None  # for models that don't store a time format
        read = features.time_format or counted
        times = parse_times([observation[features.time]], features.time or "", time_format=read)
        place = int(features.frequency.places(features.frequency.read(times))[0])
        if not self._counts[0]:
            self._counts[1] = place
        elif place != (expected := int(self._counts[:2].sum())):
            raise DataError(
                f"observations must come step by step, {features.frequency.words} apart; "
                f"{observation[features.time]} is {place - expected + 1} steps after the one before it"
            )

    def _scaled_covariates(self, row: NDArray[np.float64]) -> NDArray[np.float32]:
        """The scaled covariates of this step; a missing value takes the value of the previous step."""
        features, seen = self._model.features, int(self._counts[0])
        numbers = in_units(row, *features.covariate_scale)
        before = self._covariates[min(seen, len(self._covariates)) - 1, : len(row)] if seen else np.zeros_like(numbers)
        numbers = np.where(np.isnan(row), before, numbers)
        return np.concatenate([numbers, self._calendar(seen, 1)[0]])

    def _calendar(self, seen: int, rows: int) -> NDArray[np.float32]:
        features = self._model.features
        if not features.calendar:
            return np.zeros((rows, 0), np.float32)
        assert features.frequency is not None
        return calendar_features(features.frequency.times(self._counts[1] + seen + np.arange(rows)), features.calendar)

    def _known(self, seen: int) -> NDArray[np.float32]:
        """Known covariates and calendar of the steps after `seen`, (1, horizon, known)."""
        if np.isnan(self._ahead).any():
            self._check_ahead(None)
        return np.concatenate([self._ahead, self._calendar(seen, len(self._ahead))], axis=1)[None]

    def _scaled_ahead(self, ahead: Any, *, needed: bool) -> NDArray[np.float32]:
        """The known covariates of the steps ahead, (horizon, known); NaN if they are neither given nor needed."""
        features = self._model.features
        if not features.known or (ahead is None and not needed):
            return np.full_like(self._ahead, np.nan)
        self._check_ahead(ahead)
        columns = np.array([[number_of(value, name) for value in ahead[name]] for name in features.known]).T
        return in_units(columns, *features.covariate_scale[:, len(features.past) :])

    def _check_ahead(self, ahead: Any) -> None:
        """Raise DataError unless every known covariate of the steps ahead is given."""
        features = self._model.features
        for name in features.known:
            given = ahead.get(name) if isinstance(ahead, Mapping) else None
            if not isinstance(given, list | tuple | np.ndarray):
                given = ()
            if len(given) != features.horizon:
                raise DataError(
                    f'an observation must hold, under "{AHEAD}", the {features.horizon} values of {name} at the steps '
                    f"ahead; got {len(given)}"
                )
            if np.isnan([number_of(value, name) for value in given]).any():
                raise DataError(f"{name} of the steps ahead must not be missing")

    def _scale(self) -> Scale:
        return self._model.features.scale(int(self._counts[2]), self._first)

    def _begin(self, traces: Traces | None) -> None:
        """Read the first `context` values, which are enough to compute a scale."""
        model = self._model
        self._values[:] = scaled(filled(self._first), self._scale(), model.features.transform)
        if self._step is None:
            return
        before = np.concatenate([self._values[:1], self._values[:-1]])
        for features in model.carried_features(self._values, before, self._covariates):
            self._take(features, traces)

    def _advance(self, values: NDArray[np.float64], covariates: NDArray[np.float32], traces: Traces | None) -> None:
        model = self._model
        now = scaled(values, self._scale(), model.features.transform)
        if self._step is not None:
            self._take(model.carried_features(now[None], self._values[-1:], covariates[None])[0], traces)
            self._values[-1], self._covariates[-1] = now, covariates
            return
        for window, new in ((self._values, now), (self._covariates, covariates)):
            window[:-1] = window[1:]
            window[-1] = new

    def _take(self, features: NDArray[np.float32], traces: Traces | None) -> None:
        """Run the encoder for one step on features (rows, features)."""
        assert self._step is not None
        x = self._model.scorer.vectors(features, self._model.features.rows(int(self._counts[2])))
        self._output[:] = advance(self._step, x, traces)

    def _look(self, traces: Traces) -> None:
        """Run the encoder over the look-back again, step by step, to record traces."""
        x = self._model.look_back(self._values.T[None], self._covariates[None], int(self._counts[2]))
        step = self._model.scorer.encoder.step(x.shape[1])
        for segment in x:
            advance(step, np.ascontiguousarray(segment), traces)

    def _forecast(self, known: NDArray[np.float32]) -> Forecast:
        model = self._model
        if self._step is not None:
            outputs = model.carried(self._output[None], self._values[-1:], known)
        else:
            outputs = model.windows(self._values.T[None], self._covariates[None], known, int(self._counts[2]))
        found = model.features.forecasts(outputs, self._scale())[0]
        return Forecast(found[..., model.features.median], found)

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, self._name
