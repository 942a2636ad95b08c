"""One series of a forecaster, to be explained: what of its history, and of what is known ahead, a forecast follows.

The cells are (time, column): the steps of the look-back, and those of the horizon, where only columns that are known
ahead have values. The baseline is flat: a target at its own mean over the look-back, a covariate at its training mean.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.forecast.features import Encoded, ForecastFeatures
from penstock.forecast.wiring import windowed
from penstock.panels.panel import Panel, Series
from penstock.panels.times import words_of
from penstock.runtime.question import Aim, Evidence, Question, named_place, step_place
from penstock.runtime.scorer import Scorer

if TYPE_CHECKING:
    from penstock.forecast.model import ForecastModel

__all__ = ["ForecastQuestion"]

_LONGEST = 512
"""Steps of a look-back that is not limited by the network: earlier ones stay as they are in its state."""


class ForecastQuestion(Question):
    """The end of one series.

    Args:
        model: the model.
        inputs: one series, as `predict` takes it; a list holds its steps.
        target, at: as for `Model.question`.

    Raises:
        DataError: there is not exactly one series, or as `ForecastModel.predict_quantiles`.
        ConfigError: the model has no such target or step ahead.
    """

    def __init__(self, model: "ForecastModel", inputs: Any, target: Any, at: int | None) -> None:
        # `predict` takes a list of lists for several series; here there is one, so the lists are its steps.
        steps = isinstance(inputs, list) and not any(hasattr(each, "shape") for each in inputs)
        panel = model.panel([inputs] if steps else inputs)
        if len(panel) != 1:
            raise DataError(f"one series can be explained at a time; got {len(panel)}. Choose one.")
        self._model, self.network, self.tensors = model, model.network, model.tensors
        features: ForecastFeatures = model.features
        series, encoded = panel.series[0], model.encoded_ahead(panel.series[0], panel)
        self._target = 0 if target is None else named_place("target", target, list(features.targets))
        step = None if at is None else step_place(at, features.horizon)
        self._context = features.context if not model.carries else min(len(series), _LONGEST)
        self._rows = features.rows(encoded.identity)
        if not features.joint:
            self._rows = self._rows[self._target : self._target + 1]
        self._columns = range(len(features.targets)) if features.joint else range(self._target, self._target + 1)
        self._encoded, self._state = encoded, None
        self.evidence = self._cells(panel, series, encoded)
        self.steps = self._context + features.horizon
        self.aim = Aim(
            target=features.targets[self._target], at=at, unit="value", score=lambda outputs: self._value(outputs, step)
        )
        self._read_before(series)

    def outputs(self, variants: NDArray[Any]) -> NDArray[Any]:
        """See `Question`: (variants, horizon, targets, quantiles)."""
        return self._forecast(self._model.scorer, variants)

    def answer(self, variant: NDArray[Any]) -> dict[str, Any]:
        """Return the point forecast of each step ahead."""
        values = self._restored(self._forecast(self._model.scorer, variant[None]))
        return {"prediction": np.asarray(values, np.float64)[0].tolist()}

    def embedded(self, module: Any, variants: Any) -> Any:
        """Return the variants unchanged."""
        return variants

    def traced(self, module: Any, x: Any) -> Any:
        """See `Question`."""
        return self._forecast(module, x)

    def _cells(self, panel: Panel, series: Series, encoded: Encoded) -> Evidence:
        features: ForecastFeatures = self._model.features
        steps, context, horizon = len(series), self._context, features.horizon
        targets, past = len(self._columns), len(features.past)
        values = np.zeros((context + horizon, targets + encoded.covariates.shape[1]), np.float32)
        values[:context, :targets] = encoded.values[steps - context : steps, list(self._columns)]
        values[:context, targets:] = encoded.covariates[steps - context : steps]
        values[context:, targets + past :] = encoded.known[steps : steps + horizon]
        baseline = np.zeros_like(values)
        baseline[:context, :targets] = values[:context, :targets].mean(axis=0, dtype=np.float64)
        places = series.start + np.arange(steps - context, steps + horizon)
        times = places if panel.frequency is None else panel.frequency.times(places)
        calendar = [f"{name} ({wave})" for name in features.calendar for wave in ("sine", "cosine")]
        columns = [features.targets[column] for column in self._columns]
        return Evidence(
            values=values,
            baseline=baseline,
            axes=("time", "column"),
            places={
                "time": [words_of(time) for time in times],
                "column": [*columns, *features.past, *features.known, *calendar],
            },
        )

    def _read_before(self, series: Series) -> None:
        """Compute the state before the look-back, for a model that carries one."""
        before = len(series) - self._context
        if self._model.carries and before:
            encoded, columns = self._encoded, list(self._columns)
            values = encoded.values[None, :before, columns]
            _, self._state = self._read(
                self._model.scorer, values, encoded.covariates[None, :before], values[:, :1], None
            )

    def _forecast(self, parts: Any, x: Any) -> Any:
        """Return outputs (variants, horizon, targets, quantiles) from the parts of the network, in NumPy or PyTorch."""
        features: ForecastFeatures = self._model.features
        targets, context = len(self._columns), self._context
        values, covariates = x[:, :context, :targets], x[:, :context, targets:]
        known = x[:, context:, targets + len(features.past) :]
        if not self._model.carries:
            return windowed(parts, self.network.head, values, covariates, known, self._identity(x))[0]
        before = len(self._encoded.values) - context
        first = self._encoded.values[None, before - 1 : before, list(self._columns)] if before else None
        xp = array_namespace(x)
        start = values[:, :1] if first is None else xp.broadcast_to(xp.asarray(first), values[:, :1].shape)
        y, _ = self._read(parts, values, covariates, start, self._state_for(parts, values))
        return parts.head(y[:, -1], values[:, -1], known)

    def _read(self, parts: Any, values: Any, covariates: Any, start: Any, state: Any) -> tuple[Any, Any]:
        """Read steps with a carried state; `start` (variants, 1, targets) is the step before the first."""
        xp = array_namespace(values)
        change = values - xp.concat([start, values[:, :-1]], axis=1)
        steps = xp.concat([values, change, covariates], axis=2)
        return parts.encode(parts.vectors(steps, self._identity(values)), state)

    def _state_for(self, parts: Any, values: Any) -> Any:
        """Return the state before the look-back, for each variant, as these parts take it."""
        if self._state is None:
            return None
        layers = [[np.repeat(each, len(values), axis=1) for each in layer] for layer in self._state]
        if isinstance(parts, Scorer):
            return layers
        xp = array_namespace(values)  # PyTorch's states hold all layers
        return tuple(xp.asarray(np.concatenate(each)) for each in zip(*layers, strict=True))

    def _identity(self, like: Any) -> Any:
        return array_namespace(like).asarray(np.repeat(self._rows, len(like)))

    def _restored(self, outputs: Any) -> Any:
        """Return the medians of the target (variants, horizon), in the unit of the data."""
        features: ForecastFeatures = self._model.features
        xp = array_namespace(outputs)
        column = self._target if features.joint else 0
        median = xp.astype(xp.sort(outputs[:, :, column], axis=-1)[..., features.median], xp.float64)
        scale = self._encoded.scale
        found = median * float(scale.scale[self._target]) + float(scale.location[self._target])
        if features.transform == "none":
            return found
        return xp.exp(found) if features.transform == "log" else xp.expm1(found)

    def _value(self, outputs: Any, step: int | None) -> Any:
        found = self._restored(outputs)
        return array_namespace(found).mean(found, axis=1) if step is None else found[:, step]
