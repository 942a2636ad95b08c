"""Classifiers and regressors of signals at work: arrays of steps and channels in, answers out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.network import Numbers
from penstock.runtime.class_model import ClassModel
from penstock.runtime.regression_model import RegressionModel
from penstock.runtime.sequence_model import SequenceModel
from penstock.runtime.sequence_stream import SequenceStream
from penstock.sequences import Sequences
from penstock.signals.arrays import signal_list
from penstock.signals.baselines import SignalBaselines
from penstock.signals.features import SignalFeatures
from penstock.signals.lines import parse_step
from penstock.signals.stream import WindowStream

__all__ = ["SignalClassModel", "SignalRegressionModel", "SignalSequenceModel"]

# Signals whose vectors are in memory at once.
_SPAN = 2048


class SignalSequenceModel(SequenceModel):
    """What models of signals do alike, whatever they predict; that is said by the other parent of a task's own class.

    Inputs are signals (steps, channels) in whatever `signals.arrays.signal_list` takes.
    """

    reads = "step"

    def check(self) -> None:
        """Inputs of as many numbers as the features give."""
        super().check()
        if not isinstance(self.network.inputs, Numbers) or self.network.inputs.size != self.features.size:
            raise ConfigError(
                f"a model of signals needs inputs of {self.features.size} numbers, as its features give; "
                f"got {self.network.inputs!r}"
            )

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> SignalFeatures:
        """Scale and strides."""
        return SignalFeatures.from_json(described)

    def checked(self, inputs: Any) -> list[NDArray[Any]]:
        """The signals, each (steps, channels)."""
        return signal_list(inputs, self.features.channels)

    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """The signals' vectors."""
        return self.features.apply(inputs)

    def item(self, line: str) -> NDArray[Any]:
        """One step (channels,) from a line: numbers, or JSON."""
        return parse_step(line, self.features.channels, self._names())

    def info(self) -> dict[str, Any]:
        """As `Model.info`, and how many `channels` a step has, with the `columns` that they came from where known."""
        return super().info() | {"channels": self.features.channels, "columns": self._names()}

    def _names(self) -> list[str]:
        names = self.metrics.get("data", {}).get("columns", {}).get("series") or []
        return names if len(names) == self.features.channels else []


class _SignalModel(SignalSequenceModel):
    """One prediction for a signal, or, with `features.window`, one for each step from the window that ends with it.

    With a window, predictions are for every step of every signal, one signal after the other.
    """

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> SignalBaselines:
        """The nearest training signal, summary statistics, and the commonest class or the mean."""
        return SignalBaselines(arrays, self.features)

    def checked(self, inputs: Any) -> list[NDArray[Any]]:
        """The signals, each (steps, channels); where each step has an answer, the window that ends with it."""
        signals = super().checked(inputs)
        if self.features.window is None:
            return signals
        return [window for signal in signals for window in self.features.windows(signal)]

    def outputs(self, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """See `SequenceModel.outputs`; in spans, as vectors take several times the signals' own memory."""
        spans = [super(_SignalModel, self).outputs(inputs[at : at + _SPAN]) for at in range(0, len(inputs), _SPAN)]
        return np.concatenate([np.zeros((0, self.scorer.head.outputs), np.float32), *spans])

    def evaluate(self, inputs: Any, answers: Any = None) -> dict[str, Any]:
        """See `Model`; where each step has an answer, those of a signal are a list or an array."""
        if self.features.window is not None:
            signals = signal_list(inputs, self.features.channels)
            answers = step_answers([len(signal) for signal in signals], answers)
        return super().evaluate(inputs, answers)  # type: ignore[safe-super]  # as in check

    def stream(self) -> Any:
        """A signal that arrives step by step; where each step has an answer, from the last `window` steps alone.

        Raises:
            ConfigError: the model is bidirectional and reads whole signals.
        """
        return SequenceStream(self) if self.features.window is None else WindowStream(self)

    @property
    def streams(self) -> bool:
        """Whether `stream` works; with a window also in two directions."""
        return super().streams or self.features.window is not None

    @property
    def pools(self) -> bool:
        """See `Model.pools`; a window is read anew at each step, so that no memory of it could be shared."""
        return super().pools and self.features.window is None

    @property
    def view(self) -> str:  # type: ignore[override]  # here it depends on the features
        """Where each step has a label of its own, those; else the prediction so far after each step."""
        return "steps" if self.features.window is not None and self.labels else "signal"


class SignalClassModel(_SignalModel, ClassModel):
    """A classifier of signals without PyTorch."""

    task = "series-classification"


class SignalRegressionModel(_SignalModel, RegressionModel):
    """A regressor of signals without PyTorch."""

    task = "series-regression"


def step_answers(lengths: Sequence[int], answers: Any) -> list[Any]:
    """The answers of all steps of all signals, end to end; one answer for a signal counts for each of its steps.

    Raises:
        DataError: a signal has not as many answers as steps, or there are not as many as signals.
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
