"""A sequence that arrives piece by piece, and the answer so far after each piece."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from penstock.engine import Trace
from penstock.errors import StateError
from penstock.runtime.stream import Stream, step_arrays

if TYPE_CHECKING:
    from penstock.runtime.sequence_model import SequenceModel

__all__ = ["SequenceStream"]


class SequenceStream(Stream):
    """One answer so far after each piece; after `finish`, bit for bit the answer to the whole sequence.

    Made by a model's `stream()`. What a piece is, the model's features say: a part of a text that ends where a word
    ends (so that the whole is the pieces joined by line breaks), a step of a series, some samples of a sound.
    """

    def __init__(self, model: "SequenceModel") -> None:
        self.kind = model.features.kind
        self._model = model
        self._features = model.features.stream()
        self._step = model.scorer.encoder.step()
        self._carry = model.scorer.head.init(1)
        self._finished = np.zeros(1, np.int64)

    def push(self, piece: Any, *, trace: bool = False) -> Any:
        """Read on; the answer after this piece, for a classifier label to probability.

        Args:
            piece: what the model's features say.
            trace: return (answer, traces) instead: for each step of the piece each layer's gates and states, as
                `engine.Step.trace` names them.

        Raises:
            InputError: the piece is none of the model's kind of data.
            StateError: `finish` was called; `reset` starts the next sequence.
        """
        if self._finished[0]:
            raise StateError("this stream is finished: call reset() to start the next sequence")
        traces = self._take(self._features.push(piece), trace)
        return (self._answer(), traces) if trace else self._answer()

    def push_many(self, pieces: Iterable[Any]) -> list[Any]:
        """The answer after each of the pieces, as one `push` each gives it.

        Raises:
            InputError: a piece is none of the model's kind of data; the stream has read those before it.
            StateError: `finish` was called.
        """
        return [self.push(piece) for piece in pieces]

    def finish(self) -> Any:
        """The answer to the whole sequence. No `push` may follow before a `reset`."""
        if not self._finished[0]:
            self._take(self._features.finish())
            self._finished[0] = 1
        return self._answer()

    def reset(self) -> None:
        """Start the next sequence."""
        self._features.reset()
        self._step.reset()
        for name, array in self._model.scorer.head.init(1).items():
            self._carry[name][...] = array
        self._finished[0] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is remembered: features, the layers' states, the head's fold, and whether the sequence is finished."""
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        head = {f"head.{name}": array for name, array in self._carry.items()}
        return features | dict(step_arrays(self._step, "encoder.")) | head | {"finished": self._finished}

    def _take(self, values: NDArray[Any], trace: bool = False) -> list[list[Trace]]:
        traces = []
        for vector in self._model.scorer.vectors(values):
            if trace:
                y, inside = self._step.trace(vector[None])
                traces.append(inside)
            else:
                y = self._step(vector[None])
            self._model.scorer.head.step(self._carry, y)
        return traces

    def _answer(self) -> Any:
        return self._model.decode(self._model.scorer.head.read(self._carry)[0])

    def _twin(self) -> Self:
        return type(self)(self._model)

    def _fingerprint(self) -> str:
        return self._model.fingerprint
