"""Decoders: from the scores of steps to labels; see `protocols.Decoder`."""

from abc import ABC, abstractmethod
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from penstock.heads.protocols import Carry

__all__ = ["ArgMax", "LabelByLabel"]


class ArgMax:
    """The label with the highest score at each step, on its own; of equal scores the first.

    It remembers nothing, so it is its own stream.
    """

    immediate = True

    def whole(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """One label for each step: scores (steps, outputs) -> (steps,)."""
        return scores.argmax(axis=1).astype(np.int64, copy=False)

    def stream(self) -> "ArgMax":
        """Itself."""
        return self

    push = whole

    def finish(self) -> NDArray[np.int64]:
        """Nothing is left to be settled."""
        return np.zeros(0, np.int64)

    def reset(self) -> None:
        """There is nothing to forget."""

    def arrays(self) -> Carry:
        """There is nothing to save."""
        return {}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """There is nothing to check."""
        return {}


class LabelByLabel(ABC):
    """Labels one after the other, each from its own step's scores and the label before it; a subclass says how.

    It remembers that label alone, so a stream's memory stays as small.
    """

    immediate = False

    def __init__(self, outputs: int) -> None:
        self.outputs = outputs
        self._before = np.full(1, -1)  # no label yet

    @abstractmethod
    def choose(self, scores: NDArray[np.float32], before: int | None) -> int:
        """The label of a step from its scores (outputs,) and the label before it; None at the first step."""

    def push(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """A label for each further step: scores (steps, outputs) -> (steps,)."""
        found = np.empty(len(scores), np.int64)
        for step, row in enumerate(scores):
            before = int(self._before[0])
            found[step] = self._before[0] = self.choose(row, None if before < 0 else before)
        return found

    def whole(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """The labels (steps,) of a whole sequence, scores (steps, outputs)."""
        return self.stream().push(scores)

    def stream(self) -> Self:
        """The same rule with a memory of its own."""
        new = copy(self)
        new._before = np.full(1, -1)
        return new

    def finish(self) -> NDArray[np.int64]:
        """Nothing is left to be settled."""
        return np.zeros(0, np.int64)

    def reset(self) -> None:
        """Forget the last label."""
        self._before[:] = -1

    def arrays(self) -> Carry:
        """The last label; -1 before the first."""
        return {"before": self._before}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """A label's number, or -1."""
        return {"before": (-1, self.outputs - 1)}
