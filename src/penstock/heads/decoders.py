"""Decoders: from the scores of steps to labels; see `protocols.Decoder`."""

import numpy as np
from numpy.typing import NDArray

from penstock.heads.protocols import Carry

__all__ = ["ArgMax"]


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
