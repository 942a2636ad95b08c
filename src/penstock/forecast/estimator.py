"""Forecasting of one or many time series, many steps ahead, with quantiles."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from penstock.bundle import Bundle
from penstock.checks import check_number, check_one_of, check_whole
from penstock.errors import ConfigError
from penstock.events import say
from penstock.forecast.calibration import calibrate
from penstock.forecast.data import ForecastData, as_panel, parse_split, prepare, split_by_time
from penstock.forecast.features import TRANSFORMS, ForecastFeatures
from penstock.forecast.figures import amount, data_figures, forecast_figures, inspected_series, stored_examples
from penstock.forecast.fitting import (
    carried_network,
    fitted_features,
    has_identities,
    window_network,
    with_series,
)
from penstock.forecast.model import ForecastModel
from penstock.forecast.spec import SegmentForecastHead
from penstock.network import Network
from penstock.panels.calendar import calendar_names
from penstock.panels.frames import is_frame
from penstock.panels.panel import Panel
from penstock.tasks.continuing import check_network, say_continued
from penstock.tasks.estimator import Estimator, seed_of, training_module
from penstock.tasks.memory import EXAMPLES
from penstock.tasks.options import CellName, CellOptions
from penstock.tasks.space import Between, Searched
from penstock.tasks.verbosity import say_data, verbose

if TYPE_CHECKING:
    import torch

    from penstock.forecast.objective import CarriedObjective, WindowObjective
    from penstock.training import Callback

__all__ = ["Forecaster"]

_LOGGER = logging.getLogger("penstock.forecast")
_QUANTILES = (0.1, 0.5, 0.9)
_FEATURES = ("horizon", "context", "season", "transform", "normalization", "calendar", "joint", "metric_scale")


@dataclass(kw_only=True, eq=False, repr=False)
class Forecaster(CellOptions, Estimator):
    """Forecasts time series with a recurrent network; scikit-learn style.

    Data is a `Panel` from `penstock.read_series`, a path or a frame with the columns `unique_id`, `ds` and `y`, or
    arrays without times: (steps,), (steps, targets), or several in a list or dict. `bidirectional` must be False,
    because future values are unknown.

    Args:
        horizon: number of steps to forecast.
        context: number of past steps that a forecast needs, the look-back of `memory` "window"; None for four horizons
            or three seasons, if the series are long enough.
        memory: "window" reads a look-back window for each forecast, in segments (SegRNN, Lin et al. 2023); "carried"
            carries its state over the whole series, so that a stream needs no window.
        quantiles: the quantiles to forecast, ascending, including 0.5, the point forecast; None for 0.1, 0.5 and 0.9.
        calibrate: widen intervals that cover too little of the validation data, similar to conformalised quantile
            regression (Romano et al. 2019); the point forecast does not change.
        segment: steps per segment with memory "window"; None for the horizon, limited to 12 to 48.
        highway: number of last values with a direct linear layer to the forecast with memory "window" (Lai et al.
            2018); None for the context, at most 336; 0 for none.
        normalization: normalisation of a look-back: "relative" to its last value, divided by its spread; "last", by
            subtracting its last value; "instance", by its mean and spread (Kim et al. 2022); "none". Memory "carried"
            subtracts the last value.
        transform: "log" or "log1p" before everything else, for values that grow and vary proportionally; or "none".
        joint: forecast all targets together, from all of them; otherwise each as its own series, with the same network.
        calendar: calendar features that the network reads: "none", "auto" for those suitable for the steps' frequency,
            or a list of "hour", "weekday", "yearday", "month".
        identities: give each training series its own trained vector; None for vectors with 2 to 64 series only.
        season: number of steps after which the series repeat, for the baseline and MASE; None for the one that
            the data shows.
        dropout: dropout probability of the encoder's outputs (Srivastava et al. 2014).
        metric_scale: unit of mse and mae: "original", or "standardised" by each series' spread in the training data.

    Examples:
        >>> import numpy as np
        >>> from penstock import Forecaster
        >>> series = np.sin(np.arange(200) / 5)
        >>> model = Forecaster(horizon=3, context=12, hidden_size=8, epochs=1).fit(series)
        >>> model.predict(series).shape  # series, steps ahead, targets
        (1, 3, 1)
    """

    task: ClassVar[str] = "forecasting"
    fewest_steps: ClassVar[int] = 800

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": (
            "horizon", "context", "quantiles", "calibrate", "season", "normalization", "transform", "joint", "calendar",
            "identities", "metric_scale",
        ),
        "training": ("dropout",),
    }  # fmt: skip
    everyday: ClassVar[tuple[str, ...]] = ("horizon", "context", "quantiles", "season", "calendar", "memory")
    searched: ClassVar[Searched] = {"dropout": Between(0.0, 0.7)}

    horizon: int = 12
    context: int | None = None
    memory: Literal["window", "carried"] = "window"
    quantiles: list[float] | None = None
    calibrate: bool = True
    segment: int | None = None
    highway: int | None = None
    normalization: Literal["relative", "last", "instance", "none"] = "relative"
    transform: Literal["none", "log", "log1p"] = "none"
    joint: bool = False
    calendar: Literal["none", "auto"] | list[str] = "none"
    identities: bool | None = None
    season: int | None = None
    dropout: float = 0.3
    metric_scale: Literal["original", "standardised"] = "original"
    cell: CellName = "gru"
    batch_size: int = 128
    learning_rate: float = 0.002
    average: float = 0.99

    @verbose
    def fit(
        self,
        X: Any,
        validation_data: Any = None,
        test_data: Any = None,
        *,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on series.

        Gaps are filled and missing values replaced by the preceding value; `metrics_` counts both. Ctrl-C ends the
        training with the best weights so far, as in every estimator.

        Args:
            X: series, in the form that the class describes.
            validation_data: the values after them, for early stopping; None holds back `validation_share` of each
                series at its end, at least the horizon.
            test_data: the values after that, used only in `metrics_`.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include besides those that a panel holds.

        Raises:
            DataError: a series is too short, irregular in time, or has values that are not numbers.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        started = time.perf_counter()
        training_module()
        self._check_options()
        seed = seed_of(self.random_state)
        data = prepare(
            X,
            validation_data,
            test_data,
            horizon=self.horizon,
            validation_share=self.validation_share,
            joint=self.joint,
            batch_size=self.batch_size,
        )
        data.count(dropped, changed)
        train, valid = (amount(panel)["rows"] for panel in (data.train.panel, data.valid))
        test = None if data.test is None else amount(data.test)["rows"]
        say_data("steps", train, valid, test, data.dropped, data.changed)
        return self._train(data, seed=seed, started=started, callbacks=callbacks)

    def fit_rows(self, train: Panel, valid: Panel | None, test: Panel | None, **more: Any) -> Self:  # type: ignore[override]
        """Call `fit` with the results of the task's reader; `more` is passed on, but for the panels' own `changed`."""
        return self.fit(train, validation_data=valid, test_data=test, **(more | {"changed": None}))

    def predict(self, X: Any) -> Any:
        """The forecasts after the end of each series.

        Args:
            X: series, as for `fit`, each with at least the context's steps.

        Returns:
            The point forecasts, an array (series, horizon, targets). For frames and series of pandas and Polars, a
            DataFrame of the same package with a row for each series, target and step: the id and the time, as they are
            named, `target` where there are several, `step`, `prediction` and `quantile_<level>` for each quantile.

        Raises:
            NotFittedError: `fit` has not been called.
            DataError: a series is shorter than the context, or its columns or steps differ from training.
        """
        return self._fitted().predict(self._asked(X))

    def predict_quantiles(self, X: Any) -> np.ndarray:
        """Return the quantiles after the end of each series, (series, horizon, targets, quantiles).

        Raises:
            NotFittedError, DataError: as `predict`.
        """
        model = self._fitted()
        assert isinstance(model, ForecastModel)
        return model.predict_quantiles(self._asked(X))

    @staticmethod
    def split(rows: Panel, proportions: Sequence[float], random_state: int) -> list[Panel]:
        """Split by time; each part includes the preceding context. Nothing is random."""
        return split_by_time(rows, proportions)

    parse_split = staticmethod(parse_split)

    def _asked(self, data: Any) -> Any:
        """Arrays and frames go to the model as they are: it knows the columns' names."""
        if isinstance(data, np.ndarray | list | tuple | Panel) or is_frame(data):
            return data
        model = self._fitted()
        assert isinstance(model, ForecastModel)
        return as_panel(data, columns=model.features.columns)

    def _check_options(self) -> None:
        for name in ("horizon", "context", "segment", "season", "batch_size", "highway"):
            if getattr(self, name) is not None:
                check_whole(name, getattr(self, name), at_least=0 if name == "highway" else 1)
        levels = self._levels()
        if 0.5 not in levels or levels != sorted(set(levels)) or not all(0 < level < 1 for level in levels):
            raise ConfigError(f"quantiles must be ascending, between 0 and 1, and include 0.5; got {self.quantiles!r}")
        for name, choices in (
            ("memory", ("window", "carried")),
            ("transform", TRANSFORMS),
            ("normalization", ("relative", "last", "instance", "none")),
            ("metric_scale", ("original", "standardised")),
        ):
            check_one_of(name, getattr(self, name), choices)
        if self.bidirectional:
            raise ConfigError("a forecaster reads forward: future values are unknown. Leave bidirectional out.")
        check_number("dropout", self.dropout, at_least=0, below=1)
        calendar_names(self.calendar)

    def _levels(self) -> list[float]:
        if self.quantiles is None:
            return list(_QUANTILES)
        numbers = isinstance(self.quantiles, list | tuple) and all(isinstance(q, float | int) for q in self.quantiles)
        if not numbers:
            raise ConfigError(f"quantiles must be a list like [0.1, 0.5, 0.9]; got {self.quantiles!r}")
        return [float(level) for level in self.quantiles]

    def _describe(self, data: ForecastData) -> tuple[ForecastFeatures, Network]:
        settings = {name: getattr(self, name) for name in _FEATURES}
        features = fitted_features(data.train.panel, quantiles=tuple(self._levels()), **settings)
        return features, self._network(data, features)

    def _network(self, data: ForecastData, features: ForecastFeatures) -> Network:
        before = self._known()
        usual = has_identities(features) if before is None else before.network.inputs.identities > 0
        identities = usual if self.identities is None else self.identities
        recurrent = self.recurrent(self.hidden_size)
        if self.memory == "carried":
            return carried_network(features, recurrent, identities=identities)
        return window_network(features, recurrent, identities=identities, segment=self.segment, highway=self.highway)

    def _module(self, data: ForecastData, features: ForecastFeatures, network: Network) -> "torch.nn.Module":
        from penstock import nn

        return nn.build(network, init="orthogonal", dropout=self.dropout)

    def _objective(
        self, data: ForecastData, features: ForecastFeatures, network: Network, seed: int
    ) -> "CarriedObjective | WindowObjective":
        from penstock.forecast.objective import objective_of

        carried = self.memory == "carried"
        return objective_of(data, features, carried=carried, batch_size=self.batch_size, seed=seed)

    def _fit_baselines(
        self, data: ForecastData, features: ForecastFeatures
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        from penstock.forecast.baseline_training import fit_baselines
        from penstock.forecast.examples import examples_of

        if not self.baseline:
            return {"order": np.array([2])}, {}
        train = examples_of(data.train.panel, features, "learn from")
        return fit_baselines(train, examples_of(data.valid, features, "validate with"), features)

    def _again(self, data: ForecastData, known: Any) -> tuple[ForecastFeatures, Network]:
        features = replace(known.features, factors=())  # the factors belong to the previous weights
        panel, before = data.train.panel, list(features.names)
        if known.network.inputs.identities:  # else each series is read as an unknown one
            features = with_series(features, [series for series in panel if series.name not in before])
        network = self._network(data, features)
        check_network(network, known.network)
        say_continued("series", before, list(features.names), panel.names)
        return features, network

    def _calibrate(self, model: ForecastModel, data: ForecastData) -> dict[str, Any]:
        if not self.calibrate:
            return {}
        say(_LOGGER, "calibrating", "calibrating the intervals on the validation data")
        model.features.factors, figures = calibrate(model, data.valid)
        return {"intervals": figures}

    def _measure(self, model: ForecastModel, data: ForecastData) -> dict[str, Any]:
        return forecast_figures(model, data)

    def _stored_examples(self, data: ForecastData) -> list[Any]:
        return stored_examples(data.test or data.valid, self.model_.features, self.examples)

    def _inspected(self, data: ForecastData) -> Panel:
        return inspected_series(data.valid, self.model_.features, EXAMPLES)

    def _data_figures(self, data: ForecastData, features: ForecastFeatures) -> dict[str, Any]:
        return data_figures(data, features)

    def _resolved(self, features: ForecastFeatures, network: Network) -> dict[str, Any]:
        head = network.head
        found = {
            "context": features.context,
            "quantiles": list(features.quantiles),
            "identities": network.inputs.identities > 0,
            "season": features.season,
            "calendar": list(features.calendar) or "none",
        }
        if isinstance(head, SegmentForecastHead):
            return found | {"segment": head.length, "highway": head.highway}
        return found

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        found = {name: saved.features[name] for name in (*_FEATURES, "quantiles")}
        return found | {"calendar": found["calendar"] or "none"}
