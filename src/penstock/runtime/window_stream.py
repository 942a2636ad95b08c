"""A signal that arrives step by step, with an answer for each step from a window that ends with it."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from penstock.errors import StateError
from penstock.features.signals import signal_steps
from penstock.runtime.stream import Stream

if TYPE_CHECKING:
    from penstock.runtime.sequence_model import SequenceModel

__all__ = ["WindowStream"]


class WindowStream(Stream):
    """The answer to the latest step, bit for bit that of `predict` for it; the last `window` steps are remembered.

    Made by the `stream()` of a model whose steps have answers of their own.
    """

    def __init__(self, model: "SequenceModel") -> None:
        self.kind = f"{model.features.kind}-window"
        self._model = model
        self._recent = np.zeros((model.features.window, model.features.channels), np.float64)
        self._seen = np.zeros(1, np.int64)
        self._finished = np.zeros(1, np.int64)

    def push(self, piece: Any) -> Any:
        """Read on; the answer to the last of these steps, for a classifier label to probability.

        Args:
            piece: (steps, channels), or (channels,) for one step, or a number where there is one channel.

        Raises:
            InputError: the piece is none of the model's kind of data.
            StateError: `finish` was called; `reset` starts the next signal.
        """
        if self._finished[0]:
            raise StateError("this stream is finished: call reset() to start the next signal")
        steps = signal_steps(piece, self._model.features.channels)
        self._recent[...] = np.concatenate([self._recent, steps])[len(steps) :]
        self._seen += len(steps)
        return self._answer()

    def finish(self) -> Any:
        """The answer to the last step. No `push` may follow before a `reset`."""
        self._finished[0] = 1
        return self._answer()

    def reset(self) -> None:
        """Start the next signal."""
        for array in self.arrays().values():
            array[...] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is remembered: the last steps, how many there were, and whether the signal is finished."""
        return {"recent": self._recent, "seen": self._seen, "finished": self._finished}

    def _answer(self) -> Any:
        there = min(int(self._seen[0]), len(self._recent))
        return self._model.decode(self._model.outputs([self._recent[len(self._recent) - there :]])[0])

    def _twin(self) -> Self:
        return type(self)(self._model)

    def _fingerprint(self) -> str:
        return self._model.fingerprint
