"""Base class of signal classifiers and regressors: options, features, network, windows."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from penstock.bundle import Bundle
from penstock.datasets import Rows
from penstock.datasets.changes import counted
from penstock.errors import DataError
from penstock.inspection.attribution import Attribution
from penstock.network import ClassHead, Network, Numbers, RegressionHead
from penstock.registry import Columns
from penstock.signals.arrays import signal_list
from penstock.signals.features import SignalFeatures
from penstock.signals.model import SignalSequenceModel, step_answers
from penstock.signals.nearest import resampled
from penstock.signals.readers import read_parts
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.options import CellName, CellOptions
from penstock.tasks.space import Between, Searched
from penstock.tasks.supervised import Given, Supervised
from penstock.tasks.weights import sample_weights

if TYPE_CHECKING:
    from penstock.nn import NetworkModule
    from penstock.training import Callback

__all__ = ["SignalEstimator", "class_means", "has_step_answers", "time_split"]

_DRAWN_STEPS, _DRAWN_CHANNELS = 100, 4


@dataclass(kw_only=True, eq=False, repr=False)
class SignalEstimator(CellOptions, Supervised):
    """Base class of signal estimators; inherit from it before `Classifier` or `Regressor`.

    Args:
        stride: steps of a signal that the network reads at once; None for the stride that gives about 64 network steps
            for the median signal.
        width: number of strides that a network step reads: the latest and those before it.
        window: number of steps that a prediction looks back over, if each step has its own; None for one prediction per
            signal.
        pooling: pooling of the outputs over time: "mean_max", "max", "mean" or "last".
        input_dropout: dropout probability of the network's input (Srivastava et al. 2014).
        layer_dropout: dropout probability between layers.
        output_dropout: dropout probability of the pooled outputs.
        noise: standard deviation of the noise added to the network's input in training; the input's own is about 1.
        mixup: largest share of another signal that is mixed into a signal in training (Zhang et al. 2018).
        prefix_share: share of the loss at a random prefix of each signal, so that predictions are meaningful while a
            signal is still streaming in.
    """

    # Data sets of signals are small (a hundred rows are three steps), so training takes many epochs and much patience.
    fewest_steps: ClassVar[int] = 4000
    most_epochs: ClassVar[int] = 300

    panels: ClassVar[dict[str, tuple[str, ...]]] = {
        "data": ("stride", "width", "window"),
        "training": ("input_dropout", "layer_dropout", "output_dropout", "noise", "mixup", "prefix_share"),
    }
    everyday: ClassVar[tuple[str, ...]] = ("window",)
    searched: ClassVar[Searched] = {
        "layer_dropout": Between(0.0, 0.6),
        "output_dropout": Between(0.0, 0.7),
        "noise": Between(0.0, 0.3),
        "mixup": Between(0.0, 0.5),
    }

    cell: CellName = "gru"
    num_layers: int = 2
    patience: int = 30
    stride: int | None = None
    width: int = 8
    window: int | None = None
    pooling: Literal["mean_max", "max", "mean", "last"] = "mean_max"
    input_dropout: float = 0.0
    layer_dropout: float = 0.2
    output_dropout: float = 0.3
    noise: float = 0.0
    mixup: float = 0.5
    prefix_share: float = 0.0

    def __sklearn_tags__(self) -> Any:
        """Declare inputs: arrays (signals, steps) and (signals, steps, channels), in which NaN is a missing value."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = tags.input_tags.three_d_array = tags.input_tags.allow_nan = True
        return tags

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """See the parent class; `y` may be None if `X` is a table with the columns of training, see `fit`."""
        model = self._fitted()
        assert isinstance(model, SignalSequenceModel)
        X, y = model.given(X, y, labelled=True)
        return super().score(X, y, sample_weight)

    def _fit_columns(
        self,
        columns: Columns,
        answer: str,
        given: Given,
        others: Mapping[str, Any],
        callbacks: "Sequence[Callback]",
        dropped: Mapping[str, int] | None,
        changed: Mapping[str, int] | None,
    ) -> Self:
        """Implementation of `fit`, also on tables with the given columns.

        Args:
            columns: the columns by role; unnamed ones are None.
            answer: the role of the column of ground truth, "label" or "target".
            given: (X, y, sample_weight).
            others: "validation_data" and "test_data"; with columns, each may be a table.
            callbacks, dropped, changed: as for `fit`.
        """
        self._columns: dict[str, Any] = {}
        parts: Mapping[str, Any] = {"X": given, **others}
        if any(name is not None for name in columns.values()):
            parts, self._columns, counts = read_parts(parts, columns, answer)
            changed = Counter(changed or {}) + counts
        return self._fit(parts["X"], parts["validation_data"], parts["test_data"], callbacks, dropped, changed)

    def _held_back(self, inputs: Any, answers: Any, weights: Any) -> tuple[Given, Given | None]:
        """Hold back the end of each signal if steps have answers: with random steps, overlapping windows would leak."""
        if self.window is None:
            return super()._held_back(inputs, answers, weights)
        signals, several = signal_list(inputs), list(self._column(answers))
        if len(several) != len(signals) or not any(isinstance(each, list | np.ndarray) for each in several):
            return super()._held_back(signals, several, weights)
        shares = (1 - self.validation_share, self.validation_share)
        parts = time_split(Rows(signals, several), shares)
        counts: list[Any] = [None, None]
        if weights is not None:
            flat = sample_weights(step_answers(list(map(len, signals)), weights), sum(map(len, signals)))
            ends = np.cumsum([len(signal) for signal in signals])[:-1]
            counts = [part.answers for part in time_split(Rows(signals, np.split(flat, ends)), shares)]
        train, valid = ((part.inputs, part.answers, count) for part, count in zip(parts, counts, strict=True))
        return train, valid

    def _has_step_answers(self) -> bool:
        return self.window is not None

    def _each_row(self, inputs: Any, values: Any) -> Any:
        """With `window`, return a value for each step; a signal's single value applies to all its steps."""
        if self.window is None:
            return values
        with counted():  # `_rows` counts the changes
            return step_answers([len(signal) for signal in signal_list(inputs)], values)

    def _rows(self, inputs: Any, answers: Any) -> Rows:
        """Return signals, or with `window` the windows, and answers; those without values or an answer are dropped."""
        signals = signal_list(inputs)
        if self.window is None:
            return usable_rows(signals, self._answers(answers))
        flat = self._answers(step_answers([len(signal) for signal in signals], answers))
        features = SignalFeatures(window=self.window)
        return usable_rows([window for signal in signals for window in features.windows(signal)], flat)

    def _train(self, data: Labelled, **how: Any) -> Self:
        from penstock.training.recipe import share

        share("layer_dropout", self.layer_dropout)
        for part in data.measured().values():  # report invalid data before training
            signal_list(part.inputs, data.train.inputs[0].shape[1])
        return super()._train(data, **how)

    def _answers(self, answers: Any) -> list[Any]:
        """Return labels or numbers as a list, None where one is missing."""
        raise NotImplementedError

    def _head(self, data: Labelled) -> ClassHead | RegressionHead:
        """Return the description of the head."""
        raise NotImplementedError

    def _describe(self, data: Labelled) -> tuple[SignalFeatures, Network]:
        features = SignalFeatures(stride=self.stride, width=self.width, window=self.window).fit(data.train.inputs)
        return features, self._network(data, features)

    def _network(self, data: Labelled, features: SignalFeatures) -> Network:
        return Network(Numbers(features.size), self.recurrent(features.size), self._head(data))

    def _module(self, data: Labelled, features: SignalFeatures, network: Network) -> "NetworkModule":
        from penstock.nn import NetworkModule
        from penstock.tasks.initial import init_head

        module = NetworkModule(network, init="orthogonal")
        module.encoder.dropout = self.layer_dropout if self.num_layers > 1 else 0.0
        init_head(module.head)
        return module

    def _amount(self, part: Part) -> dict[str, float]:
        missing = sum(int(np.isnan(signal).sum()) for signal in part.inputs)
        return {"steps": sum(len(signal) for signal in part.inputs), "missing": missing}

    def _data_figures(self, data: Labelled, features: SignalFeatures) -> dict[str, Any]:
        figures = super()._data_figures(data, features)
        columns = getattr(self, "_columns", {})
        named = {"columns": columns} if columns else {}
        return figures | named | {"channels": features.channels, "stride": features.stride}

    def _shown(self, part: Part, row: int) -> dict[str, Any]:
        return {"row": row, "signal": drawn(part.inputs[row])}

    def _marked(self, found: Attribution) -> dict[str, Any]:
        return {"scores": drawn(found.values)}

    def _example(self, part: Part, row: int) -> list[list[float | None]]:
        return [[None if math.isnan(value) else float(f"{value:.6g}") for value in step] for step in part.inputs[row]]

    def _resolved(self, features: SignalFeatures, network: Network) -> dict[str, Any]:
        return {"stride": features.stride}

    @classmethod
    def _saved_options(cls, saved: Bundle) -> dict[str, Any]:
        features = {name: saved.features.get(name) for name in ("stride", "width", "window")}
        return features | {"pooling": saved.network.head.pooling}


def has_step_answers(rows: Rows) -> bool:
    """Whether each step has its own answer."""
    return any(isinstance(each, list) for each in rows.answers or [])


def time_split(rows: Rows, proportions: Sequence[float]) -> list[Rows]:
    """Cut each signal, and the answers of its steps, into consecutive parts of time.

    Raises:
        DataError: a part would be empty.
    """
    parts: list[tuple[list[Any], list[Any]]] = [([], []) for _ in proportions]
    for signal, answers in zip(rows.inputs, rows.answers or [], strict=True):
        steps = step_answers([len(signal)], [answers])
        cuts = np.rint(np.cumsum([0, *proportions]) * len(signal)).astype(int)
        for (signals, several), start, end in zip(parts, cuts[:-1], cuts[1:], strict=True):
            if end > start:
                signals.append(signal[start:end])
                several.append(steps[start:end])
    if not all(signals for signals, _ in parts):
        raise DataError(
            f"{sum(map(len, rows.inputs))} steps are too few for parts of {'/'.join(map(str, proportions))}"
        )
    return [Rows(signals, several) for signals, several in parts]


def drawn(signal: NDArray[Any]) -> list[list[float | None]]:
    """Return a signal for a report's charts, a list per channel: reduced steps and channels, four digits."""
    steps = np.unique(np.linspace(0, len(signal) - 1, min(len(signal), _DRAWN_STEPS)).round().astype(int))
    few = signal[steps, :_DRAWN_CHANNELS] if len(signal) else signal[:, :_DRAWN_CHANNELS]
    return [[None if value != value else float(f"{value:.4g}") for value in channel] for channel in few.T.tolist()]


def class_means(data: Labelled) -> list[dict[str, Any]]:
    """Return the mean training signal of each class, stretched to one length, for the report: {label, rows, mean}.

    The mean has a gap where no signal of the class has a value.
    """
    steps = min(max(len(signal) for signal in data.train.inputs), _DRAWN_STEPS)
    means = []
    for number, label in enumerate(data.labels):
        rows = np.flatnonzero(data.train.targets == number)
        several = [resampled(np.asarray(data.train.inputs[row])[:, :_DRAWN_CHANNELS], steps) for row in rows.tolist()]
        if several:
            present = ~np.isnan(several)
            seen = present.sum(axis=0)
            mean = np.where(seen, np.where(present, several, 0).sum(axis=0) / np.maximum(seen, 1), np.nan)
            means.append({"label": label, "rows": len(rows), "mean": drawn(mean)})
    return means


def usable_rows(signals: Sequence[NDArray[Any]], answers: Sequence[Any]) -> Rows:
    """Return the signals that have a value and an answer, and count the dropped ones by reason.

    Raises:
        DataError: the numbers of answers and signals differ, or nothing is left.
    """
    if len(answers) != len(signals):
        raise DataError(
            f"signals and answers must have the same length; got {len(signals)} signals and {len(answers)} answers"
        )
    usable, dropped = [], {"no values": 0, "no answer": 0}
    for row, (signal, answer) in enumerate(zip(signals, answers, strict=True)):
        if not len(signal) or np.isnan(signal).all():
            dropped["no values"] += 1
        elif answer is None:
            dropped["no answer"] += 1
        else:
            usable.append(row)
    dropped = {reason: count for reason, count in dropped.items() if count}
    if not usable:
        why = ", ".join(f"{count} with {reason}" for reason, count in dropped.items()) or "there are none"
        raise DataError(f"no signals are left to use: {why}. Check the file and the columns.")
    return Rows([signals[row] for row in usable], [answers[row] for row in usable], dropped, np.array(usable, np.int64))
