"""A forecasting model at run time: forecasts several steps ahead, with quantiles."""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.events import Steps
from penstock.forecast.baselines import ForecastBaselines, Origins
from penstock.forecast.features import ForecastFeatures
from penstock.forecast.frames import forecast_frame
from penstock.forecast.lowering import graph_inputs
from penstock.forecast.metrics import Errors, Stretches
from penstock.forecast.origins import OriginOutputs, ahead
from penstock.forecast.pair import forecast_pair, judged
from penstock.forecast.plot import plot_forecast
from penstock.forecast.question import ForecastQuestion
from penstock.forecast.reading import series_reading
from penstock.forecast.stream import Forecast, ForecastStream
from penstock.network import CARRIED, WINDOWED
from penstock.panels.frames import as_table, frame_panel, is_frame
from penstock.panels.lines import parse_row
from penstock.panels.panel import Panel
from penstock.panels.panel_columns import arrays_panel
from penstock.panels.times import words_of
from penstock.runtime.judged import Judged, evaluation
from penstock.runtime.model import Model
from penstock.runtime.question import check_length
from penstock.runtime.reading import Reading
from penstock.sequences import Sequences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ForecastModel"]

_LOGGER = logging.getLogger("penstock.forecast")


class ForecastModel(OriginOutputs, Model):
    """A forecasting model that does not need PyTorch.

    Inputs are a `Panel` (from `penstock.read_series`), a pandas or Polars frame or series with the columns of training,
    or arrays without times: (steps,), (steps, targets), or several in a list or by name. A forecast needs
    `features.context` values before it.
    """

    task = "forecasting"
    reads = "step"
    view = "forecast"

    def check(self) -> None:
        """Check that the network matches the features."""
        head, features = self.network.head, self.features
        if self.network.wiring not in (CARRIED, WINDOWED):
            raise ConfigError(f"a forecaster needs a head for forecasts; got one of kind {head.kind!r}")
        targets = len(features.targets) if features.joint else 1
        asked = (features.horizon, targets, len(features.quantiles))
        if (head.horizon, head.targets, head.quantiles) != asked:
            raise ConfigError(f"the head must give (horizon, targets, quantiles) {asked}, as the features say")

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> ForecastFeatures:
        """Read scales, columns and the horizon."""
        return ForecastFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> ForecastBaselines:
        """Read the baselines: last value, value a season ago, and ridge regression."""
        return ForecastBaselines(arrays, self.features)

    def predict(self, inputs: Any) -> Any:
        """Return the point forecasts after the end of each series, (series, horizon, targets).

        For frames and series of pandas and Polars, return a DataFrame of the same package with the columns id and time
        (under their own names), `target` if there are several, `step`, `prediction` and `quantile_<level>` for each
        quantile.

        Raises:
            DataError: as `predict_quantiles`.
        """
        features = self.features
        if not is_frame(inputs):
            return self.predict_quantiles(inputs)[..., features.median]
        table = as_table(inputs)
        panel = self.panel(table)
        found = self.predict_quantiles(panel)
        return forecast_frame(table, panel, found, features.quantiles, features.median)

    def predict_quantiles(self, inputs: Any) -> NDArray[np.float64]:
        """Return the quantiles after the end of each series, (series, horizon, targets, quantiles).

        Raises:
            DataError: a series shorter than the context, columns or steps that differ from training, or known
                covariates without values for the steps ahead.
        """
        panel = self.panel(inputs)
        found = []
        with Steps(_LOGGER, "predicting", len(panel), "series") as told:
            for series in panel:
                encoded = self.encoded_ahead(series, panel)
                found.append(self.forecasts(Origins(series, encoded, np.array([len(series)])))[0])
                told.advance()
        return np.stack(found)

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """Return mse, mae, smape, mase and coverage_80 over all origins with context and ground truth; see `Model`.

        Raises:
            DataError: there is no origin, because the series are too short.
        """
        panel = self.panel(inputs)
        names = self.baselines.names if self.baselines else ()
        return evaluation(judged(self.errors(panel)), {name: judged(self.errors(panel, name)) for name in names})

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`: both forecast at the origins that have the longer context; our scales give the units.

        Raises:
            ConfigError: the models have other horizons or targets.
            DataError: there is no origin, or the models can't forecast at the same ones.
        """
        return forecast_pair(self, other, inputs, inputs if theirs is None else theirs)

    def timed(self, inputs: Any, most: int) -> Callable[[], int]:
        """See `Model.timed`; the predictions are forecasts at the first origins."""
        _, origins, _ = next(iter(self.origins(self.panel(inputs), network=False)))
        few = Origins(origins.series, origins.encoded, origins.steps[:most])

        def run() -> int:
            self.forecasts(few)
            return len(few.steps)

        return run

    def errors(
        self,
        panel: Panel,
        baseline: str | None = None,
        watch: Callable[..., None] | None = None,
        *,
        context: int = 0,
        units: "ForecastModel | None" = None,
    ) -> Errors:
        """Compare the forecasts of the model or a baseline with the ground truth at every origin of a panel.

        Args:
            panel: as `self.panel` returns it.
            baseline: the name of the baseline; None for the model.
            watch: called with (row of the first target, Origins, ground truth, quantiles) for each batch of origins.
            context: the number of values that an origin must have before it, if more than the model needs.
            units: the model whose scales give the units of the errors; None for this one.

        Raises:
            DataError: there is no origin.
        """
        features, targets = self.features, len(self.features.targets)
        context = max(context, features.context)
        features.measurable(panel, "measure on", context)
        measure = (units or self).features
        scales = [measure.scale(measure.identity(series.name), series.values) for series in panel]
        standard = measure.metric_scale == "standardised"
        spreads = np.concatenate([scale.spread if standard else np.ones(targets) for scale in scales])
        errors = Errors(spreads, np.concatenate([scale.season_error for scale in scales]), features.horizon)
        stretches = Stretches.of(panel.series, context, features.horizon)
        for number, origins, read in self._measured(panel, baseline, context):
            rows = slice(number * targets, (number + 1) * targets)
            truth = ahead(origins.series.values, origins.steps, features.horizon)
            if baseline is not None:
                assert self.baselines is not None
                found = self.baselines.answers(baseline, origins)
                errors.add(rows, truth, found, stretches=stretches(origins.series, origins.steps))
                continue
            found = self.forecasts(origins, read)
            ends = features.interval
            interval = None if ends is None else (found[..., ends[0]], found[..., ends[1]])
            at = stretches(origins.series, origins.steps)
            errors.add(rows, truth, found[..., features.median], interval, at)
            if watch is not None:
                watch(rows.start, origins, truth, found)
        return errors

    def _measured(
        self, panel: Panel, baseline: str | None, context: int
    ) -> Iterator[tuple[int, Origins, NDArray[np.float32] | None]]:
        """`origins`, with progress reports."""
        first = [max(series.begin, context) for series in panel]
        last = [len(series) - self.features.horizon for series in panel]
        total = sum(max(0, end - start + 1) for start, end in zip(first, last, strict=True))
        with Steps(_LOGGER, "predicting" if baseline is None else f"measuring {baseline}", total, "origins") as told:
            for number, origins, read in self.origins(panel, network=baseline is None, context=context):
                yield number, origins, read
                told.advance(len(origins.steps))

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield unique_id, ds, target, step, prediction and each quantile_Q, per series, target and step ahead."""
        panel = self.panel(inputs)
        found = self.predict_quantiles(panel)
        for series, forecast in zip(panel, found, strict=True):
            places = series.start + len(series) + np.arange(self.features.horizon)
            times = places if panel.frequency is None else panel.frequency.times(places)
            for column, target in enumerate(self.features.targets):
                for step, quantiles in enumerate(forecast[:, column]):
                    yield {
                        "unique_id": series.name,
                        "ds": words_of(times[step]),
                        "target": target,
                        "step": step + 1,
                        "prediction": float(quantiles[self.features.median]),
                        **{
                            f"quantile_{q:g}": float(v) for q, v in zip(self.features.quantiles, quantiles, strict=True)
                        },
                    }

    def plot(self, kind: str | None = None, *, ax: "Axes | None" = None, **options: Any) -> "Axes":
        """Draw a figure with Matplotlib: the learning curve, as `Model.plot`, or a forecast.

        Args:
            kind: "forecast" or "learning_curve"; by default "forecast" if `data` is given.
            ax: where to draw; new axes if None.
            options: for "forecast": `data`, as `predict` takes it; `series`, the name of a series (the first by
                default); `target`, the name of a target (likewise); `history`, the number of steps shown before the
                forecast (three horizons by default).

        Raises:
            ConfigError: a forecast without data, or an unknown series, target or kind.
            DataError: as `predict_quantiles`.
        """
        if (kind or ("forecast" if "data" in options else "")) == "forecast":
            return plot_forecast(self, **options, ax=ax)
        return super().plot(kind, ax=ax, **options)

    def encode(self, inputs: Any) -> dict[str, Sequences]:
        """Return series as the inputs of the exported graph, by name; arguments as for `predict`.

        Raises:
            ConfigError: the network reads a look-back, so that no graph describes it.
            DataError: as for `predict_quantiles`.
        """
        if not self.carries:
            raise ConfigError("a forecaster with a look-back has no graph, and so no inputs of one")
        panel = self.panel(inputs)
        return graph_inputs(self, (self._encoded(series, panel) for series in panel))

    def reading(self, item: Any) -> Reading:
        """Return a series as the layers read it before the last forecast that its covariates allow.

        Args:
            item: as for `predict`, but with one series.

        Raises:
            DataError: there are several series, or as for `predict_quantiles`.
        """
        panel = self.panel(item)
        if len(panel) != 1:
            names = ", ".join(series.name for series in list(panel)[:5])
            raise DataError(f"one series can be inspected at a time; got {len(panel)} ({names}). Choose one.")
        return next(self.readings(panel))

    def readings(self, inputs: Any) -> Iterator[Reading]:
        """Yield `reading` of each series; arguments as for `predict`."""
        panel = self.panel(inputs)
        for series in panel:
            yield series_reading(self, series, self._encoded(series, panel), panel.frequency)

    def question(
        self, one: Any, *, target: Any = None, at: int | None = None, most_steps: int | None = None
    ) -> ForecastQuestion:
        """See `Model.question`; `one` is one series: as `predict` takes it, or a list of its steps."""
        question = ForecastQuestion(self, one, target, at)
        check_length(question.steps, most_steps)
        return question

    def stream(self, series: str | None = None) -> ForecastStream:
        """Open a stream that makes a forecast after each observation.

        Args:
            series: the name of a training series; None: the only training series, or an unknown one if there were
                several.
        """
        return ForecastStream(self, series)

    def item(self, line: str) -> Any:
        """Parse an observation: a number, several with commas, or JSON (a list, or an object by column)."""
        return parse_row(line)

    def as_json(self, answer: Forecast | None) -> dict[str, Any]:
        """{"prediction": [...], "quantiles": {"0.1": [...], ...}}, each by target if there are several targets.

        {"prediction": null} until there are enough observations.
        """
        if answer is None:
            return {"prediction": None}
        quantiles = {f"{q:g}": self._named(answer.quantiles[..., k]) for k, q in enumerate(self.features.quantiles)}
        return {"prediction": self._named(answer.prediction), "quantiles": quantiles}

    def info(self) -> dict[str, Any]:
        """See `Model.info`; also describes the targets and the horizon."""
        features = self.features
        names = ("horizon", "context", "quantiles", "targets", "past", "known", "season", "transform", "normalization")
        about = {name: getattr(features, name) for name in names}
        about["frequency"] = features.frequency.words if features.frequency else None
        about["series"] = len(features.names)
        return super().info() | {"forecast": {k: list(v) if isinstance(v, tuple) else v for k, v in about.items()}}

    def panel(self, inputs: Any) -> Panel:
        """Return the inputs as a panel with the columns and steps of training.

        Raises:
            DataError: the columns, the steps or the kind of data differ from training.
        """
        if isinstance(inputs, Panel):
            found = inputs
        elif is_frame(inputs):
            found = frame_panel(as_table(inputs), self.features.columns)
        else:
            found = arrays_panel(inputs, self.features.targets)
        self.features.check(found)
        own, trained = found.frequency, self.features.frequency
        # The step detected from a few rows may be wrong, so the grid of training is used.
        return found.on(trained) if own and trained and not own.like(trained) else found

    def _named(self, values: NDArray[np.float64]) -> Any:
        """(horizon, targets) as plain lists."""
        if len(self.features.targets) == 1:
            return values[:, 0].tolist()
        return {name: values[:, k].tolist() for k, name in enumerate(self.features.targets)}
