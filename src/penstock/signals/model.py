"""Signal classifiers and regressors at run time: predictions for arrays of steps and channels."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.frames import table_names
from penstock.datasets.rows import Rows
from penstock.errors import ConfigError, DataError
from penstock.network import Numbers
from penstock.runtime.class_model import ClassModel
from penstock.runtime.judged import Judged
from penstock.runtime.question import Evidence, step_place
from penstock.runtime.reading import Reading
from penstock.runtime.regression_model import RegressionModel
from penstock.runtime.resampling import stretch_of
from penstock.runtime.sequence_model import SequenceModel
from penstock.runtime.sequence_question import SequenceQuestion
from penstock.runtime.sequence_stream import SequenceStream
from penstock.runtime.tables import chosen_column
from penstock.sequences import Sequences
from penstock.signals.arrays import signal_list
from penstock.signals.baselines import SignalBaselines
from penstock.signals.features import SignalFeatures
from penstock.signals.lines import parse_step
from penstock.signals.stream import WindowStream
from penstock.signals.tables import matching_columns, signal_table

__all__ = ["SignalClassModel", "SignalRegressionModel", "SignalSequenceModel"]

# Number of signals whose vectors are in memory at once.
_SPAN = 2048


class SignalSequenceModel(SequenceModel):
    """Base class of models that read signals; a task's class also inherits from the class of its predictions.

    Inputs are signals (steps, channels), in any form that `signals.arrays.signal_list` takes; or a table of pandas,
    Polars or Arrow with the columns of training, if it was on named columns: then rows are steps, and predictions are
    in the order of the signals' first rows. `penstock.read_signals` reads tables with other names.
    """

    reads = "step"

    def check(self) -> None:
        """Check that the network's inputs are as many numbers as the features have."""
        super().check()
        if not isinstance(self.network.inputs, Numbers) or self.network.inputs.size != self.features.size:
            raise ConfigError(
                f"a model of signals needs inputs of {self.features.size} numbers, the size of its features; "
                f"got {self.network.inputs!r}"
            )

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> SignalFeatures:
        """Read scale and strides."""
        return SignalFeatures.from_json(described)

    def checked(self, inputs: Any) -> list[NDArray[Any]]:
        """Return the signals, each (steps, channels)."""
        return signal_list(inputs, self.features.channels)

    def table_rows(self, table: Any, *, labelled: bool) -> Rows:
        """Read the signals of a table by the columns of training; without such columns, each row is a signal."""
        kind, names = "label" if self.labels else "target", table_names(table)
        id, time, answer = (self.trained_column(role) for role in ("id", "time", kind))
        series = matching_columns(self.trained_column("series") or (), names, [id, time, answer])
        if set(series) & set(names):
            return signal_table(
                table,
                series=series,
                answer=chosen_column(table, answer, usual=kind) if labelled else None,
                id=id,
                time=time,
                numbers=not self.labels,
                time_format=self.trained_column("time_format"),
            )
        if labelled:
            raise DataError(
                "the ground truth of a table with a signal in each row must be given, as in evaluate(table, labels)"
            )
        return Rows(signal_list(table))

    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """Return the signals' vectors."""
        return self.features.apply(inputs)

    def reading(self, item: Any) -> Reading:
        """Return a signal as the layers read it; with `window`, the window that ends with its last step."""
        signals = self.checked([item])
        signal = signals[-1] if signals else signal_list([item], self.features.channels)[0]  # a window of no step
        features = self.features
        levels = features.standardised(signal)
        ends = np.minimum(np.arange(1, -(-len(levels) // features.stride) + 1) * features.stride, len(levels)) - 1
        names = self._names() or [str(channel + 1) for channel in range(features.channels)]
        levels_by_name = {f"level of {name}": levels[ends, k : k + 1] for k, name in enumerate(names)}
        return self._reading(
            signal,
            step=features.stride,
            span=features.stride * features.width,
            properties={"position": ends[:, None].astype(float)} | levels_by_name,
        )

    def evidence(self, one: Any) -> Evidence:
        """Return a signal, standardised; the baseline is each channel's mean in the training data."""
        (signal,) = signal_list([one], self.features.channels)
        values = self.features.standardised(signal)
        names = self._names() or [str(number) for number in range(1, self.features.channels + 1)]
        return Evidence(
            values=values,
            baseline=np.zeros_like(values),
            axes=("time", "channel"),
            places={"time": list(range(1, len(values) + 1)), "channel": names},
            vectors=self.features.vectors,
        )

    def item(self, line: str) -> NDArray[Any]:
        """Parse one step (channels,) from a line: numbers, or JSON."""
        return parse_step(line, self.features.channels, self._names())

    def info(self) -> dict[str, Any]:
        """Return `Model.info` with the number of `channels`, and the `columns` that they came from if known."""
        return super().info() | {"channels": self.features.channels, "columns": self._names()}

    def _names(self) -> list[str]:
        names = self.metrics.get("data", {}).get("columns", {}).get("series") or []
        return names if len(names) == self.features.channels else []


class _SignalModel(SignalSequenceModel):
    """One prediction for a signal, or, with `features.window`, one for each step, from the window that ends with it.

    With a window, predictions are for all steps of all signals, concatenated.
    """

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> SignalBaselines:
        """Read the baselines: nearest training signal, summary statistics, and most frequent class or mean."""
        return SignalBaselines(arrays, self.features)

    def checked(self, inputs: Any) -> list[NDArray[Any]]:
        """Return the signals, each (steps, channels); with `window`, the window that ends with each step."""
        signals = super().checked(inputs)
        if self.features.window is None:
            return signals
        return [window for signal in signals for window in self.features.windows(signal)]

    def outputs(self, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """See `SequenceModel.outputs`; computed in spans, because vectors take several times the signals' memory."""
        spans = [super(_SignalModel, self).outputs(inputs[at : at + _SPAN]) for at in range(0, len(inputs), _SPAN)]
        return np.concatenate([np.zeros((0, self.scorer.head.outputs), np.float32), *spans])

    def question(
        self, one: Any, *, target: Any = None, at: int | None = None, most_steps: int | None = None
    ) -> SequenceQuestion:
        """See `Model.question`; with `window`, the cells are those of the window that ends with the step."""
        if self.features.window is None:
            return super().question(one, target=target, at=at, most_steps=most_steps)
        (signal,) = signal_list([one], self.features.channels)
        end = step_place(at, len(signal)) + 1
        start = max(0, end - self.features.window)
        found = super().question(signal[start:end], target=target, most_steps=most_steps)
        times = {"time": list(range(start + 1, end + 1))}
        found.evidence = replace(found.evidence, places={**found.evidence.places, **times})
        found.aim = replace(found.aim, at=end)
        return found

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """See `Model`; if steps have their own answers, those of a signal are a list or an array."""
        inputs, answers = self.given(inputs, answers, labelled=True)
        return super().evaluate(inputs, self._each_step(inputs, answers))  # type: ignore[safe-super]  # as in check

    def pair(self, other: Any, inputs: Any, answers: Any = None, *, theirs: Any = None) -> tuple[Judged, Judged]:
        """See `Model.pair`; ConfigError if only one of the models predicts for each step."""
        if (self.features.window is None) != (other.features.window is None):
            raise ConfigError("one model predicts for each step and the other for whole signals: nothing to compare")
        return super().pair(other, inputs, self._each_step(inputs, answers), theirs=theirs)

    def stretch(self, rows: int) -> int:
        """Return how many consecutive rows depend on each other: windows of neighbouring steps overlap."""
        window = self.features.window
        return 1 if window is None else stretch_of(rows, window)

    def _each_step(self, inputs: Any, answers: Any) -> Any:
        if self.features.window is None or answers is None:
            return answers
        return step_answers([len(signal) for signal in signal_list(inputs, self.features.channels)], answers)

    def stream(self) -> Any:
        """Start a stream that reads step by step; with `window`, predictions use only the last `window` steps.

        Raises:
            ConfigError: the model is bidirectional and reads whole signals.
        """
        return SequenceStream(self) if self.features.window is None else WindowStream(self)

    @property
    def streams(self) -> bool:
        """Whether the model can be streamed; with a window also if bidirectional."""
        return super().streams or self.features.window is not None

    @property
    def pools(self) -> bool:
        """See `Model.pools`; a window is read again at each step, so there is no state to pool."""
        return super().pools and self.features.window is None

    @property
    def view(self) -> str:  # type: ignore[override]  # here it depends on the features
        """The view of single steps if each has its own label; otherwise that of a prediction after each step."""
        return "steps" if self.features.window is not None and self.labels else "signal"


class SignalClassModel(_SignalModel, ClassModel):
    """A classifier of signals without PyTorch."""

    task = "series-classification"


class SignalRegressionModel(_SignalModel, RegressionModel):
    """A regressor of signals without PyTorch."""

    task = "series-regression"


def step_answers(lengths: Sequence[int], answers: Any) -> list[Any]:
    """Return the answers of all steps of all signals, concatenated; one answer for a signal applies to all its steps.

    Raises:
        DataError: the numbers of answers and steps, or of answers and signals, differ.
    """
    several = list(answers)
    if len(several) == sum(lengths) and not any(_is_several(each) for each in several):
        return several
    if len(several) != len(lengths):
        raise DataError(
            f"there must be answers for each of {len(lengths)} signals, or for each of their {sum(lengths)} steps; "
            f"got {len(several)}"
        )
    found: list[Any] = []
    for number, (length, each) in enumerate(zip(lengths, several, strict=True)):
        steps = list(each) if _is_several(each) else [each] * length
        if len(steps) != length:
            raise DataError(f"signal {number} has {length} steps and {len(steps)} answers; give one for each step")
        found += steps
    return found


def _is_several(answer: Any) -> bool:
    return not isinstance(answer, str) and hasattr(answer, "__len__")
