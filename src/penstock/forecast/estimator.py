"""Forecasting of one or many time series, many steps ahead, with quantiles."""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from penstock.bundle import Bundle
from penstock.checks import check_number, check_one_of, check_whole
from penstock.errors import ConfigError, DataError
from penstock.events import say
from penstock.forecast.calibration import calibrate
from penstock.forecast.data import ForecastData, TrainingSeries, as_panel, parse_split, prepare, split_by_time
from penstock.forecast.features import TRANSFORMS, ForecastFeatures, Scale, measured_scale, unit
from penstock.forecast.figures import forecast_figures
from penstock.forecast.model import ForecastModel
from penstock.forecast.season import find_season
from penstock.forecast.spec import ForecastHead, SegmentForecastHead, Segments
from penstock.network import Network
from penstock.panels.calendar import CALENDAR, usual_calendar
from penstock.panels.epochs import drawn_in_an_epoch
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

    from penstock.forecast.examples import Examples
    from penstock.forecast.objective import CarriedObjective, WindowObjective
    from penstock.training import Callback

__all__ = ["Forecaster"]

_LOGGER = logging.getLogger("penstock.forecast")
_QUANTILES = (0.1, 0.5, 0.9)
_VALIDATION_ORIGINS = 4096
_LONGEST_SEGMENT, _SHORTEST_SEGMENT = 48, 12
_LONGEST_HIGHWAY = 336
_MOST_IDENTITIES = 64
"""Maximum number of series that have their own vectors by default: with more, each is seen too rarely."""


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
        found = prepare(X, validation_data, test_data, horizon=self.horizon, validation_share=self.validation_share)
        found.dropped.update(dropped or {})
        found.changed.update(Counter(found.changed) + Counter(changed or {}))
        origins = sum(max(len(series) - self.horizon, 1) for series in found.train.panel)
        rows = origins * (1 if self.joint else len(found.train.panel.targets))
        train = TrainingSeries(found.train.panel, drawn_in_an_epoch(rows, self.batch_size))
        complete = ForecastData(train, found.valid, found.test, found.dropped, found.changed)
        train_steps, valid_steps = (_amount(panel)["rows"] for panel in (found.train.panel, found.valid))
        test_steps = None if found.test is None else _amount(found.test)["rows"]
        say_data("steps", train_steps, valid_steps, test_steps, found.dropped, found.changed)
        return self._train(complete, seed=seed, started=started, callbacks=callbacks)

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
        if self.calendar not in ("none", "auto") and (
            unknown := [w for w in self._calendar_names() if w not in CALENDAR]
        ):
            raise ConfigError(f"calendar must be none, auto or a list of {', '.join(CALENDAR)}; got {unknown[0]!r}")

    def _levels(self) -> list[float]:
        if self.quantiles is None:
            return list(_QUANTILES)
        numbers = isinstance(self.quantiles, list | tuple) and all(isinstance(q, float | int) for q in self.quantiles)
        if not numbers:
            raise ConfigError(f"quantiles must be a list like [0.1, 0.5, 0.9]; got {self.quantiles!r}")
        return [float(level) for level in self.quantiles]

    def _describe(self, data: ForecastData) -> tuple[ForecastFeatures, Network]:
        panel = data.train.panel
        for column, target in enumerate(panel.targets):
            if all(np.isnan(series.values[:, column]).all() for series in panel):
                raise DataError(f"the target {target} must have values to learn from; all are missing")
        season = self.season or find_season(panel.series, self.horizon, panel.frequency)
        features = ForecastFeatures(
            horizon=self.horizon,
            context=self._context(panel, season),
            quantiles=tuple(self._levels()),
            targets=panel.targets,
            past=panel.past,
            known=panel.known,
            transform=self.transform,
            normalization=self.normalization,
            calendar=self._calendar(panel),
            joint=self.joint,
            season=season,
            frequency=panel.frequency,
            time=panel.time,
            id=panel.id,
            time_format=panel.time_format,
            names=tuple(panel.names),
            scales={},
            covariate_scale=_covariate_scale(panel),
            metric_scale=self.metric_scale,
        )
        scales = [measured_scale(series.values, features) for series in panel]
        features.scales = {name: np.stack([getattr(each, name) for each in scales]) for name in Scale._fields}
        return features, self._network(data, features)

    def _context(self, panel: Panel, season: int) -> int:
        """Return the number of past steps for a forecast; DataError if the series are too short."""
        longest = max(map(len, panel)) - self.horizon
        shortest = min(map(len, panel)) - self.horizon
        context = self.context or max(1, min(max(4 * self.horizon, 3 * season, 24), shortest))
        if context > longest:
            raise DataError(
                f"the series to learn from must have at least context + horizon = {context} + {self.horizon} steps; "
                f"the longest has {longest + self.horizon}. Give more data, or a shorter context or horizon."
            )
        return context

    def _calendar(self, panel: Panel) -> tuple[str, ...]:
        if self.calendar == "none" or not self.calendar:
            return ()
        if panel.frequency is None or panel.frequency.unit == "number":
            raise DataError("calendar features need a column of dates. Name it, or leave calendar out.")
        return usual_calendar(panel.frequency) if self.calendar == "auto" else self._calendar_names()

    def _calendar_names(self) -> tuple[str, ...]:
        """Return the calendar features as a tuple; a single name is allowed."""
        return tuple(self.calendar) if isinstance(self.calendar, list | tuple) else (self.calendar,)

    def _network(self, data: ForecastData, features: ForecastFeatures) -> Network:
        targets = len(features.targets) if self.joint else 1
        known = len(features.known) + 2 * len(features.calendar)
        covariates = len(features.past) + known
        rows = len(features.names) * (1 if self.joint else len(features.targets))
        before = self._known()
        as_usual = 1 < rows <= _MOST_IDENTITIES if before is None else before.network.inputs.identities > 0
        own = as_usual if self.identities is None else self.identities
        recurrent = self.recurrent(self.hidden_size)
        about = {"horizon": self.horizon, "targets": targets, "quantiles": len(features.quantiles), "known": known}
        identities = rows if own else 0
        if self.memory == "carried":
            return Network(
                Segments(1, 2 * targets + covariates, self.hidden_size, identities), recurrent, ForecastHead(**about)
            )
        usual = min(_LONGEST_SEGMENT, max(self.horizon, _SHORTEST_SEGMENT), features.context)
        length = min(self.segment or usual, features.context)
        highway = (
            min(_LONGEST_HIGHWAY, features.context) if self.highway is None else min(self.highway, features.context)
        )
        head = SegmentForecastHead(
            length=length,
            size=self.hidden_size,
            context=features.context,
            highway=highway,
            normalization=self.normalization,
            **about,
        )
        return Network(Segments(length, targets + covariates, self.hidden_size, identities), recurrent, head)

    def _module(self, data: ForecastData, features: ForecastFeatures, network: Network) -> "torch.nn.Module":
        from penstock import nn

        return nn.build(network, init="orthogonal", dropout=self.dropout)

    def _objective(
        self, data: ForecastData, features: ForecastFeatures, network: Network, seed: int
    ) -> "CarriedObjective | WindowObjective":
        import torch

        from penstock.forecast.objective import CarriedObjective, WindowObjective

        if data.test is not None:
            self._examples(data.test, features, "test with")  # report invalid data before training
        shared: dict[str, Any] = {
            "train": self._examples(data.train.panel, features, "learn from"),
            "valid": self._examples(data.valid, features, "validate with"),
            "quantiles": torch.tensor(features.quantiles, dtype=torch.float32),
            "context": features.context,
            "horizon": features.horizon,
            "batch_size": self.batch_size if self.memory == "window" else max(1, self.batch_size // 4),
            "steps": len(data.train) // self.batch_size,
            "validation_origins": _VALIDATION_ORIGINS,
            "generator": torch.Generator().manual_seed(seed),
        }
        if self.memory == "carried":
            return CarriedObjective(chunk=features.context, **shared)
        return WindowObjective(**shared)

    def _examples(self, panel: Panel, features: ForecastFeatures, what: str) -> "Examples":
        from penstock.forecast.examples import Examples

        features.check(panel)
        usable = features.measurable(panel, what)
        encoded = [features.encode(series, panel.frequency) for series in usable]
        return Examples.of(
            encoded,
            [features.rows(each.identity) for each in encoded],
            [max(series.begin, features.context) for series in usable],
            [
                min(len(series), each.known_steps) - features.horizon
                for series, each in zip(usable, encoded, strict=True)
            ],
            features.joint,
        )

    def _fit_baselines(
        self, data: ForecastData, features: ForecastFeatures
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        from penstock.forecast.baseline_training import fit_baselines

        if not self.baseline:
            return {"order": np.array([2])}, {}
        train = self._examples(data.train.panel, features, "learn from")
        return fit_baselines(train, self._examples(data.valid, features, "validate with"), features)

    def _again(self, data: ForecastData, known: Any) -> tuple[ForecastFeatures, Network]:
        features = replace(known.features, factors=())  # the factors belong to the previous weights
        panel, before = data.train.panel, list(features.names)
        if known.network.inputs.identities:  # else each series is read as an unknown one
            features = _with_series(features, [series for series in panel if series.name not in before])
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
        """Return the ends of series, long enough for some forecasts; empty if the model needs covariates."""
        features = self.model_.features
        if features.past or features.known:
            return []
        steps = features.context + 6 * features.horizon
        panel = data.test or data.valid
        rows = np.linspace(0, len(panel) - 1, min(self.examples, len(panel)), dtype=int)
        ends = [panel.series[row].values[-steps:] for row in rows]
        return [
            [[None if np.isnan(value) else float(f"{value:.6g}") for value in step] for step in end] for end in ends
        ]

    def _inspected(self, data: ForecastData) -> Panel:
        """Return the beginnings of validation series, up to some of the origins that they have."""
        features, each = self.model_.features, -(-EXAMPLES // len(data.valid))
        found = []
        for series in data.valid.series[:EXAMPLES]:
            first, last = max(series.begin, features.context), len(series)
            if first <= last:
                found += [series.until(int(end)) for end in np.unique(np.linspace(first, last, each, dtype=int))]
        return data.valid.with_series(found)

    def _data_figures(self, data: ForecastData, features: ForecastFeatures) -> dict[str, Any]:
        parts = {"train": data.train.panel, "valid": data.valid, "test": data.test}
        about: dict[str, Any] = {name: None if part is None else _amount(part) for name, part in parts.items()}
        return about | {
            "horizon": features.horizon,
            "context": features.context,
            "season": features.season,
            "frequency": features.frequency.words if features.frequency else None,
        }

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
        names = ("horizon", "context", "transform", "normalization", "joint", "season", "metric_scale", "quantiles")
        return {name: saved.features[name] for name in names} | {"calendar": saved.features["calendar"] or "none"}


def _with_series(features: ForecastFeatures, new: Sequence[Any]) -> ForecastFeatures:
    """Return the features with further series after those that they know."""
    if not new:
        return features
    found = [measured_scale(series.values, features) for series in new]
    scales = {
        name: np.concatenate([features.scales[name], np.stack([getattr(each, name) for each in found])])
        for name in Scale._fields
    }
    return replace(features, names=(*features.names, *(series.name for series in new)), scales=scales)


def _amount(panel: Panel) -> dict[str, int]:
    steps = sum(len(series) - series.begin for series in panel)
    missing = sum(int(np.isnan(series.values[series.begin :]).sum()) for series in panel)
    return {"rows": steps, "series": len(panel), "missing": missing}


def _covariate_scale(panel: Panel) -> np.ndarray:
    """Mean and spread of each covariate over all series, (2, covariates); a constant's spread is 1."""
    steps = [np.concatenate([series.past, series.known[: len(series)]], 1) for series in panel]
    values = np.concatenate(steps)
    if not values.shape[1]:
        return np.zeros((2, 0))
    if empty := [name for name, gone in zip((*panel.past, *panel.known), np.isnan(values).all(0), strict=True) if gone]:
        raise DataError(f"the covariate {empty[0]} must have values; all are missing")
    return np.stack([np.nanmean(values, axis=0), [unit(column[~np.isnan(column)]) for column in values.T]])
