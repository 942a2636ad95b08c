"""Classification and regression of signals, such as sensor data, gestures, heartbeats or machine data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np

from penstock.datasets import Rows, as_labels
from penstock.errors import DataError
from penstock.network import ClassHead, Network, RegressionHead
from penstock.signals.arrays import signal_array
from penstock.signals.baseline_training import fit_class_baselines, fit_regression_baselines
from penstock.signals.features import SignalFeatures
from penstock.signals.signal_estimator import SignalEstimator, class_means, has_step_answers, time_split
from penstock.tasks.classifier import Classifier
from penstock.tasks.labelled import Labelled
from penstock.tasks.regressor import Regressor

if TYPE_CHECKING:
    from penstock.nn import NetworkModule
    from penstock.signals.objective import SignalClassObjective, SignalRegressionObjective
    from penstock.training import Callback

__all__ = ["SeriesClassifier", "SeriesRegressor"]


@dataclass(kw_only=True, eq=False, repr=False)
class SeriesClassifier(SignalEstimator, Classifier):
    """Classifies signals with a recurrent network; scikit-learn style.

    Signals have one or more channels and any length: an array (signals, steps, channels) or (signals, steps), a list of
    arrays (steps, channels) or (steps,), a table with a signal in each row, or one with a step in each row, whose
    columns `fit` names. NaN is a missing value. With `window`, each step has its own label: labels are a list for each
    signal, and predictions are for all steps of all signals, concatenated. Defaults were chosen on labels data sets.

    Args:
        label_smoothing: share of the target that is spread evenly over all classes (Szegedy et al. 2016).

    Examples:
        >>> import numpy as np
        >>> from penstock import SeriesClassifier
        >>> signals = np.random.default_rng(0).normal(size=(20, 50, 3))  # signals, steps, channels
        >>> clf = SeriesClassifier(hidden_size=8, epochs=1).fit(signals, ["up", "down"] * 10)
        >>> clf.predict(signals[:2]).shape
        (2,)
    """

    task: ClassVar[str] = "series-classification"

    panels: ClassVar[dict[str, tuple[str, ...]]] = {"training": ("label_smoothing",)}
    everyday: ClassVar[tuple[str, ...]] = ()

    label_smoothing: float = 0.1

    def fit(
        self,
        X: Any,
        y: Any = None,
        validation_data: Any = None,
        test_data: Any = None,
        *,
        series: Sequence[str] | None = None,
        id: str | None = None,
        time: str | None = None,
        label: str | None = None,
        time_format: str | None = None,
        sample_weight: Any = None,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on signals.

        Signals are those of the class, or a table of pandas, Polars or Arrow whose columns are named: rows with the
        same id are one signal, sorted by time. A model trained so takes tables with the same columns in `predict`,
        `score` and `evaluate`. Signals without values or without a label are dropped and counted in `metrics_`. Ctrl-C
        ends the training with the best weights so far: KeyboardInterrupt is raised, and the estimator is fitted if at
        least one epoch was completed.

        Args:
            X: signals, in the form that the class describes, or a table.
            y: a label for each signal, or with `window` for each step; None for a table with named columns.
            validation_data: (X, y) or (X, y, sample_weight), or a table with the same columns, for early stopping; None
                holds back `validation_share` of the signals, or with `window` the end of each.
            test_data: the same, for signals that are used only in `metrics_`.
            series: the table's columns of values; a name may be a pattern such as "v*".
            id: the table's column of signal ids.
            time: the table's column of times: numbers, or dates.
            label: the table's column of labels; None for `label`, or the only column that can be meant.
            time_format: the format of dates, such as "%d.%m.%y"; None to detect it.
            sample_weight: weight of each signal, in the order of the signals' first rows, in the loss, the baselines
                and the metrics: numbers of at least 0, of which only the proportions matter; None for equal weights.
                A signal of weight 0 is dropped.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: the data can't be used: see `penstock.read_signals` for tables.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        columns = {"series": series, "id": id, "time": time, "label": label, "time_format": time_format}
        others = {"validation_data": validation_data, "test_data": test_data}
        return self._fit_columns(columns, "label", (X, y, sample_weight), others, callbacks, dropped, changed)

    @staticmethod
    def split(rows: Rows, proportions: Sequence[float], random_state: int) -> list[Rows]:
        """Split by time if steps have their own labels; otherwise stratified by class."""
        if has_step_answers(rows):
            return time_split(rows, proportions)
        return Classifier.split(rows, proportions, random_state)

    def _answers(self, answers: Any) -> list[Any]:
        labels = answers if hasattr(answers, "__len__") else list(answers)
        if any(isinstance(each, list | tuple | np.ndarray) for each in labels):
            raise DataError(
                "labels for single steps need `window`: set it to the number of steps that each prediction may look "
                "back over, or give one label for each signal"
            )
        return as_labels(labels)

    def _head(self, data: Labelled) -> ClassHead:
        return ClassHead(len(data.labels), self.pooling)

    def _objective(
        self, data: Labelled, features: SignalFeatures, network: Network, seed: int
    ) -> "SignalClassObjective":
        import torch

        from penstock.signals.objective import SignalClassObjective, SignalRegularization

        shares = {field.name: getattr(self, field.name) for field in fields(SignalRegularization)}
        return SignalClassObjective(
            sequences=features.apply(data.train.inputs),
            weights=torch.from_numpy(self._weights(data).astype(np.float32)),
            regularization=SignalRegularization(**shares),
            **self._objective_rows(data, features, seed),
        )

    def _fit_baselines(self, data: Labelled, features: SignalFeatures) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        weights = self._weights(data)
        return fit_class_baselines(data.train, data.valid, features, weights, plain=not self.baseline)

    def _data_figures(self, data: Labelled, features: SignalFeatures) -> dict[str, Any]:
        return super()._data_figures(data, features) | {"class_means": class_means(data)}


@dataclass(kw_only=True, eq=False, repr=False)
class SeriesRegressor(SignalEstimator, Regressor):
    """Predicts a number from a signal with a recurrent network; scikit-learn style.

    Signals are as for `SeriesClassifier`; with `window`, each step has its own number.

    Args:
        error: the training error, in standard deviations of the numbers: "huber" (Huber 1964), which is less sensitive
            to outliers, or "squared".

    Examples:
        >>> import numpy as np
        >>> from penstock import SeriesRegressor
        >>> signals = np.random.default_rng(0).normal(size=(20, 50, 3))  # signals, steps, channels
        >>> model = SeriesRegressor(hidden_size=8, epochs=1).fit(signals, signals.mean(axis=(1, 2)))
        >>> model.predict(signals[:2]).shape
        (2,)
    """

    task: ClassVar[str] = "series-regression"

    panels: ClassVar[dict[str, tuple[str, ...]]] = {"training": ("error",)}
    everyday: ClassVar[tuple[str, ...]] = ()

    error: Literal["huber", "squared"] = "huber"

    def fit(
        self,
        X: Any,
        y: Any = None,
        validation_data: Any = None,
        test_data: Any = None,
        *,
        series: Sequence[str] | None = None,
        id: str | None = None,
        time: str | None = None,
        target: str | None = None,
        time_format: str | None = None,
        sample_weight: Any = None,
        callbacks: Sequence["Callback"] = (),
        dropped: Mapping[str, int] | None = None,
        changed: Mapping[str, int] | None = None,
    ) -> Self:
        """Train on signals.

        Signals are those of the class, or a table of pandas, Polars or Arrow whose columns are named: rows with the
        same id are one signal, sorted by time. A model trained so takes tables with the same columns in `predict`,
        `score` and `evaluate`. Signals without values or without a number are dropped and counted in `metrics_`. Ctrl-C
        ends the training with the best weights so far: KeyboardInterrupt is raised, and the estimator is fitted if at
        least one epoch was completed.

        Args:
            X: signals, in the form that the class describes, or a table.
            y: a number for each signal, or with `window` for each step; None for a table with named columns.
            validation_data: (X, y) or (X, y, sample_weight), or a table with the same columns, for early stopping; None
                holds back `validation_share` of the signals, or with `window` the end of each.
            test_data: the same, for signals that are used only in `metrics_`.
            series: the table's columns of values; a name may be a pattern such as "v*".
            id: the table's column of signal ids.
            time: the table's column of times: numbers, or dates.
            target: the table's column of numbers to predict; None for `target`, or the only column that can be meant.
            time_format: the format of dates, such as "%d.%m.%y"; None to detect it.
            sample_weight: weight of each signal, in the order of the signals' first rows, in the loss, the baselines
                and the metrics: numbers of at least 0, of which only the proportions matter; None for equal weights.
                A signal of weight 0 is dropped.
            callbacks: called during training, see `training.Callback`.
            dropped: counts of rows dropped earlier, by reason, to include.
            changed: counts of changes made earlier, by kind, to include: `Rows.changed`.

        Raises:
            DataError: the data can't be used: see `penstock.read_signals` for tables.
            ConfigError: an option is invalid.
            DivergedError: the loss or the gradient became infinite or NaN, or the loss exploded.
        """
        columns = {"series": series, "id": id, "time": time, "target": target, "time_format": time_format}
        others = {"validation_data": validation_data, "test_data": test_data}
        return self._fit_columns(columns, "target", (X, y, sample_weight), others, callbacks, dropped, changed)

    @staticmethod
    def split(rows: Rows, proportions: Sequence[float], random_state: int) -> list[Rows]:
        """Split by time if steps have their own numbers; otherwise at random."""
        if has_step_answers(rows):
            return time_split(rows, proportions)
        return Regressor.split(rows, proportions, random_state)

    def _answers(self, answers: Any) -> list[Any]:
        numbers = signal_array(answers, "the numbers to predict")
        if numbers.ndim != 1:
            raise DataError(f"there must be one number to predict for each signal; got {numbers.shape}. Set window?")
        return [None if value != value else value for value in numbers.tolist()]

    def _head(self, data: Labelled) -> RegressionHead:
        return RegressionHead(data.train.targets.shape[1], self.pooling)

    def _module(self, data: Labelled, features: SignalFeatures, network: Network) -> "NetworkModule":
        import torch

        from penstock import nn

        module = super()._module(data, features, network)
        offset, scale = self._unit(data)
        assert isinstance(module.head, nn.RegressionHeadModule)
        module.head.offset.copy_(torch.from_numpy(offset))
        module.head.scale.copy_(torch.from_numpy(scale))
        return module

    def _objective(
        self, data: Labelled, features: SignalFeatures, network: Network, seed: int
    ) -> "SignalRegressionObjective":
        from penstock.signals.objective import SignalRegressionObjective, SignalRegularization

        shares = {name.name: getattr(self, name.name, 0.0) for name in fields(SignalRegularization)}
        offset, scale = self._unit(data)
        rows = self._objective_rows(
            data, features, seed, lambda targets: ((targets - offset) / scale).astype(np.float32)
        )
        return SignalRegressionObjective(
            sequences=features.apply(data.train.inputs),
            regularization=SignalRegularization(**shares),
            error=self.error,
            **rows,
        )

    def _unit(self, data: Labelled) -> tuple[np.ndarray, np.ndarray]:
        """Offset and scale of the numbers: those of the model whose training continues, otherwise the data's."""
        known = self._known()
        if known is not None:
            return known.tensors["head.offset"].astype(float), known.tensors["head.scale"].astype(float)
        return data.train.mean_and_spread(data.train.targets)

    def _fit_baselines(self, data: Labelled, features: SignalFeatures) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        return fit_regression_baselines(data.train, data.valid, features, plain=not self.baseline)
