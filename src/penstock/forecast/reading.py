"""A series as a forecasting network reads it, for `penstock.inspection`."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.forecast.baselines import Origins
from penstock.forecast.features import Encoded
from penstock.forecast.scorer import WindowScorer
from penstock.forecast.wiring import windowed
from penstock.panels.calendar import calendar_features, usual_calendar
from penstock.panels.frequency import BUSINESS_DAY, DAY, MONTH, NUMBER, SECOND, Frequency
from penstock.panels.panel import Series
from penstock.panels.times import words_of
from penstock.runtime.reading import Reading

if TYPE_CHECKING:
    from penstock.forecast.model import ForecastModel

__all__ = ["series_reading"]

Floats = NDArray[np.float32]
Recall = Callable[[Sequence[int]], Floats]
_SECONDS = {"week": 7 * DAY, "day": DAY, "hour": 3600, "minute": 60, "second": 1}


def series_reading(model: "ForecastModel", series: Series, encoded: Encoded, frequency: Frequency | None) -> Reading:
    """Return what the layers read before the last forecast that the series allows.

    Args:
        model: the forecaster.
        series, encoded: the series, at least as long as the context, and its network inputs.
        frequency: the time grid of the series; None without times.
    """
    features, head = model.features, model.network.head
    end = min(len(series), encoded.known_steps - features.horizon)
    origin = Origins(series, encoded, np.array([end]))
    unit, step = _unit(frequency)
    if model.carries:
        x, direct, length = _carried_input(model, encoded, end), 0, 1
        recall = _carried_recall(model, origin, x)
    else:
        x, direct, length = model.look_back(*_look_back(model, origin)), head.highway, head.length
        recall = _window_recall(model, origin)
    begin = end - len(x) * length
    ends = np.arange(begin + length, end + 1, length) - 1
    times = (frequency or Frequency(NUMBER, 1, 0)).times(series.start + ends)
    properties = {"position": ends[:, None].astype(np.float64)} | {
        f"level of {name}": encoded.values[ends, k : k + 1].astype(np.float64)
        for k, name in enumerate(features.targets)
    }
    for name in usual_calendar(frequency):
        properties[name] = calendar_features(times, [name]).astype(np.float64)
    return Reading(
        x=x,
        recall=recall,
        rows=() if x.shape[1] == 1 else features.targets,
        names=tuple(words_of(time) for time in times) if frequency else (),
        unit=unit,
        step=step * length,
        span=step * length,
        direct=step * direct,
        properties=properties,
    )


def _carried_input(model: "ForecastModel", encoded: Encoded, end: int) -> Floats:
    before = np.concatenate([encoded.values[:1], encoded.values[:-1]])
    features = model.carried_features(encoded.values, before, encoded.covariates)[:end]
    rows = model.features.rows(encoded.identity)
    return model.scorer.vectors(features, np.broadcast_to(rows, features.shape[:2]))


def _carried_recall(model: "ForecastModel", origin: Origins, x: Floats) -> Recall:
    def recall(steps: Sequence[int]) -> Floats:
        rows, count = x.shape[1], len(steps)
        counts = np.repeat(np.asarray(steps, np.int64), rows)
        _, states = model.scorer.encoder(_last_steps(np.tile(x, (1, count, 1)), counts), None, counts)
        y = states[-1][0][0].reshape(count, rows, -1)  # the first state of the last layer is its output
        last = np.repeat(origin.encoded.values[origin.steps - 1], count, axis=0)
        found = model.carried(y, last, np.repeat(_known(model, origin), count, axis=0))
        return _median(model, found).reshape(count, -1)

    return recall


def _window_recall(model: "ForecastModel", origin: Origins) -> Recall:
    def recall(steps: Sequence[int]) -> Floats:
        values, covariates, identities = model.look_back_rows(*_look_back(model, origin))
        rows, count = len(values), len(steps)
        values, covariates = (np.concatenate([each] * count) for each in (values, covariates))
        known = np.repeat(_known(model, origin), count * rows, axis=0)
        parts = _Remembering(model.scorer, np.repeat(np.asarray(steps, np.int64), rows))
        found, _ = windowed(parts, model.network.head, values, covariates, known, np.tile(identities, count))
        return _median(model, found).reshape(count, -1)

    return recall


def _median(model: "ForecastModel", outputs: Floats) -> Floats:
    """The median of outputs (..., quantiles), of which crossing ones are sorted first, as in a forecast."""
    return np.sort(outputs, axis=-1)[..., model.features.median]


class _Remembering:
    """The parts of a network that reads look-backs, whose layers read only each row's last segments."""

    def __init__(self, scorer: WindowScorer, counts: NDArray[np.int64]) -> None:
        self._scorer, self._counts = scorer, counts
        self.head, self.vectors, self.means = scorer.head, scorer.vectors, scorer.means

    def encode(self, x: Floats, state: Any = None, lengths: Any = None) -> tuple[Floats, Any]:
        """Run the layers; from the initial state only over the last segments."""
        if state is not None:
            return self._scorer.encode(x, state, lengths)
        y, after = self._scorer.encoder(_last_steps(x.swapaxes(0, 1), self._counts), None, self._counts)
        return y.swapaxes(0, 1), after


def _last_steps(x: Floats, counts: NDArray[np.int64]) -> Floats:
    """Move the last `counts` steps of each row of x (steps, rows, size) to the beginning."""
    places = len(x) - counts + np.arange(len(x))[:, None]
    return x[np.minimum(places, len(x) - 1), np.arange(x.shape[1])]


def _look_back(model: "ForecastModel", origin: Origins) -> tuple[Floats, Floats, int]:
    """The look-back before the origin, as `ForecastModel.windows` takes it."""
    end, context = int(origin.steps[0]), model.features.context
    encoded, window = origin.encoded, slice(end - context, end)
    return encoded.values[window].T[None], encoded.covariates[window][None], encoded.identity


def _known(model: "ForecastModel", origin: Origins) -> Floats:
    """The known covariates of the steps ahead, (1, horizon, known)."""
    end = int(origin.steps[0])
    return origin.encoded.known[None, end : end + model.features.horizon]


def _unit(frequency: Frequency | None) -> tuple[str, float]:
    """Return the unit in which distances are said, and the number of them in a step."""
    if frequency is None or frequency.month_days or (frequency.unit == BUSINESS_DAY and frequency.hours):
        return "step", 1
    if frequency.unit == SECOND:
        unit = next(name for name, seconds in _SECONDS.items() if frequency.step % seconds == 0)
        return unit, frequency.step / _SECONDS[unit]
    return (frequency.unit, frequency.step) if frequency.unit in (MONTH, BUSINESS_DAY) else ("step", 1)
