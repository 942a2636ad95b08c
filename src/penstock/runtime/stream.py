"""Streams: a model's memory between one piece of input and the next. It never grows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from penstock.engine import Step
from penstock.errors import DataError, StateError
from penstock.runtime import states

if TYPE_CHECKING:
    from penstock.runtime.model import Model


class Stream(ABC):
    """What every stream can do with its memory: save, load, fork."""

    kind: ClassVar[str]

    @abstractmethod
    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that the stream remembers, by name; writing to these arrays changes the stream."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything, as a new stream."""

    @abstractmethod
    def _twin(self) -> Self:
        """A new stream of the same model."""

    @abstractmethod
    def _fingerprint(self) -> str:
        """What tells the stream's model from any other."""

    def save(self) -> bytes:
        """The memory as a few kilobytes of safetensors, for `load` of any stream of the same model."""
        return states.pack(self.arrays(), kind=self.kind, model=self._fingerprint())

    def load(self, data: bytes) -> Self:
        """Go on where the saved stream stopped, bit for bit; returns the stream itself.

        Raises:
            StateError: damaged bytes, another model's, or a newer Penstock's; the stream stays as it was.
        """
        arrays = self.arrays()
        saved = states.unpack(data, kind=self.kind, model=self._fingerprint(), like=arrays)
        for name, array in arrays.items():
            array[...] = saved[name]
        return self

    def fork(self) -> Self:
        """A second stream with the same memory; each goes its own way from here."""
        twin = self._twin()
        for name, array in twin.arrays().items():
            array[...] = self.arrays()[name]
        return twin


def step_arrays(step: Step, prefix: str = "") -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The states of an engine step by name: 0.h, 0.c, 1.h, ..."""
    for number, states_of_layer in enumerate(step.state):
        for name, array in zip("hc", states_of_layer, strict=False):
            yield f"{prefix}{number}.{name}", array


class TextStream(Stream):
    """A text that arrives piece by piece, and the answer so far after each piece.

    `push(a)`, `push(b)`, `finish()` is, bit for bit, the answer to the whole text `a + "\\n" + b`.
    Made by `Model.stream()`.
    """

    kind = "text"

    def __init__(self, model: "Model") -> None:
        self._model = model
        self._step = model.encoder.step()
        self._carry = model.head.init(1)
        self._finished = np.zeros(1, np.int64)

    def push(self, piece: str) -> dict[Any, float]:
        """Read on; the answer after this piece: label to probability.

        Args:
            piece: any part of the text that ends where a word ends.

        Raises:
            DataError: the piece isn't a str.
            StateError: `finish` was called; `reset` starts the next text.
        """
        if not isinstance(piece, str):
            raise DataError(f"push takes a piece of text (str); got {type(piece).__name__}")
        if self._finished[0]:
            raise StateError("this stream is finished: call reset() to start the next text")
        for vector in self._model.vectors(self._model.features.push(piece)):
            self._model.head.step(self._carry, self._step(vector[None]))
        return self._answer()

    def finish(self) -> dict[Any, float]:
        """The answer to the whole text: label to probability. No `push` may follow before a `reset`."""
        self._finished[0] = 1
        return self._answer()

    def reset(self) -> None:
        """Start the next text."""
        self._step.reset()
        for name, array in self._model.head.init(1).items():
            self._carry[name][...] = array
        self._finished[0] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is remembered: the layers' states, the head's fold, and whether the text is finished."""
        head = {f"head.{name}": array for name, array in self._carry.items()}
        return dict(step_arrays(self._step, "encoder.")) | head | {"finished": self._finished}

    def _answer(self) -> dict[Any, float]:
        (probabilities,) = self._model.head.read(self._carry)
        return dict(zip(self._model.labels, probabilities.tolist(), strict=True))

    def _twin(self) -> "TextStream":
        return type(self)(self._model)

    def _fingerprint(self) -> str:
        return self._model.fingerprint
