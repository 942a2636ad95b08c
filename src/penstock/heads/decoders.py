"""Decoders, which turn the scores of steps into labels; see `protocols.Decoder`."""

from abc import ABC, abstractmethod
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from penstock.heads.protocols import Carry

__all__ = ["ArgMax", "LabelByLabel"]


class ArgMax:
    """Takes the label with the highest score at each step; the first one if several are equal.

    It keeps no memory, so a decoder is its own stream.
    """

    immediate = True

    def whole(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return one label for each step: scores (steps, outputs) -> (steps,)."""
        return scores.argmax(axis=1).astype(np.int64, copy=False)

    def stream(self) -> "ArgMax":
        """Return this decoder, which has no memory."""
        return self

    push = whole

    def finish(self) -> NDArray[np.int64]:
        """Return no labels, because `push` has already returned all of them."""
        return np.zeros(0, np.int64)

    def reset(self) -> None:
        """Do nothing: there is no memory."""

    def arrays(self) -> Carry:
        """Empty: there is no memory to save."""
        return {}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Empty: there is no memory to check."""
        return {}


class LabelByLabel(ABC):
    """Chooses each label from its step's scores and the previous label; subclasses implement `choose`.

    The previous label is the only memory.
    """

    immediate = False

    def __init__(self, outputs: int) -> None:
        self.outputs = outputs
        self._previous = np.full(1, -1)  # no label yet

    @abstractmethod
    def choose(self, scores: NDArray[np.float32], previous: int | None) -> int:
        """Return the label of a step from its scores (outputs,) and the previous label, None at the first step."""

    def push(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return a label for each new step: scores (steps, outputs) -> (steps,)."""
        labels = np.empty(len(scores), np.int64)
        for step, row in enumerate(scores):
            previous = int(self._previous[0])
            labels[step] = self._previous[0] = self.choose(row, None if previous < 0 else previous)
        return labels

    def whole(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the labels (steps,) of a whole sequence with scores (steps, outputs)."""
        return self.stream().push(scores)

    def stream(self) -> Self:
        """Return a decoder with the same rule and its own, empty memory."""
        new = copy(self)
        new._previous = np.full(1, -1)
        return new

    def finish(self) -> NDArray[np.int64]:
        """Return no labels, because `push` has already returned all of them."""
        return np.zeros(0, np.int64)

    def reset(self) -> None:
        """Forget the previous label."""
        self._previous[:] = -1

    def arrays(self) -> Carry:
        """The previous label; -1 before the first step."""
        return {"before": self._previous}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """The range of label numbers, and -1 for none."""
        return {"before": (-1, self.outputs - 1)}
