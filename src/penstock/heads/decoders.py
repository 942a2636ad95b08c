"""Decoders, which turn the scores of steps into labels; see `protocols.Decoder`."""

from abc import ABC, abstractmethod
from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.heads.chain import Chain, LaggedPaths, best_paths, lagged_paths
from penstock.heads.protocols import Carry
from penstock.sequences import Sequences

__all__ = ["ArgMax", "FixedLag", "LabelByLabel", "Viterbi"]


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


class Viterbi:
    """Chooses the labels of a whole sequence together: its best path through a chain of labels.

    Args:
        chain: the scores of pairs of neighbours, of the first label and of the last.
    """

    immediate = False

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def whole(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the labels (steps,) of a sequence with scores (steps, labels)."""
        return self.several(Sequences(scores, np.array([0, len(scores)])))

    def several(self, scores: Sequences) -> NDArray[np.int64]:
        """Return the labels of all sequences, concatenated, with the same bits as one by one."""
        return best_paths(self.chain, scores)

    def stream(self) -> "FixedLag":
        """Refuse: a label may depend on all further steps.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            "the best path is known only when the sequence has ended, so it can't be streamed. "
            "Train with lookahead=k, for labels that are final k steps later."
        )


class FixedLag:
    """Chooses each label when `lookahead` further steps have been read: that of the path that is best by then.

    Args:
        chain: as for `Viterbi`.
        lookahead: steps, at least 0.
    """

    immediate = False

    def __init__(self, chain: Chain, lookahead: int) -> None:
        self.chain, self.lookahead = chain, lookahead
        self._paths = LaggedPaths(chain, lookahead)

    def whole(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the labels (steps,) of a sequence with scores (steps, labels)."""
        return self.several(Sequences(scores, np.array([0, len(scores)])))

    def several(self, scores: Sequences) -> NDArray[np.int64]:
        """Return the labels of all sequences, concatenated, with the same bits as one by one."""
        return lagged_paths(self.chain, self.lookahead, scores)

    def stream(self) -> "FixedLag":
        """Return a decoder for the same chain with its own, empty memory."""
        return FixedLag(self.chain, self.lookahead)

    def push(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the labels that new steps make final: scores (steps, labels)."""
        found = []
        for row in scores.astype(np.float64):
            label = self._paths.step(row[None])
            if self._paths.seen[0] > self.lookahead:
                found.append(int(label[0]))
        return np.array(found, np.int64)

    def finish(self) -> NDArray[np.int64]:
        """Return the labels of the last steps, if the sequence ends here."""
        return next(self._paths.rest(self._paths.seen))

    def reset(self) -> None:
        """Forget all paths."""
        for array in self.arrays().values():
            array[...] = 0

    def arrays(self) -> Carry:
        """The scores of the best paths, their last labels, and the number of steps so far."""
        memory: Carry = {"best": self._paths.best, "seen": self._paths.seen}
        return memory | ({"before": self._paths.before} if self.lookahead else {})

    def bounds(self) -> dict[str, tuple[int, int]]:
        """The range of label numbers."""
        return {"before": (0, len(self.chain) - 1)} if self.lookahead else {}
