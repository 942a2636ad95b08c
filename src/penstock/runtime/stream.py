"""Streams: a model's memory between one piece of input and the next. It never grows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from penstock.engine import StackStep
from penstock.runtime import states

__all__ = ["Stream", "step_arrays"]


class Stream(ABC):
    """What every stream can do with its memory: save, load, fork."""

    kind: str
    """What it reads; a state is loaded by streams of its own kind only."""

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

    def save(self, **notes: int) -> bytes:
        """The memory as a few kilobytes of safetensors, for `load` of any stream of the same model.

        Args:
            notes: whole numbers to be kept beside it, like item=17 for where the stream stands; `runtime.notes(data)`
                gives them back.
        """
        return states.pack(self.arrays(), kind=self.kind, model=self._fingerprint(), notes=notes)

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


def step_arrays(step: StackStep, prefix: str = "") -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The states of a step of layers by name: 0.h, 0.c, 1.h, ..."""
    for number, (names, arrays) in enumerate(zip(step.state_names, step.state, strict=True)):
        for name, array in zip(names, arrays, strict=True):
            yield f"{prefix}{number}.{name}", array
