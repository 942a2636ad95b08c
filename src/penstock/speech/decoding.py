"""From the log-probabilities of steps to tokens."""

import numpy as np
from numpy.typing import NDArray

from penstock.speech.spec import BLANK

__all__ = ["greedy"]


def greedy(log_probabilities: NDArray[np.float32]) -> list[int]:
    """Return the likeliest token of each step, (steps, tokens) -> without repetitions and blanks (Graves et al. 2006).

    Examples:
        >>> greedy(np.log(np.array([[0.1, 0.9], [0.2, 0.8], [0.9, 0.1], [0.4, 0.6]], np.float32)))
        [1, 1]
    """
    best = log_probabilities.argmax(axis=1)
    changed = np.concatenate([[True], best[1:] != best[:-1]])[: len(best)]
    return best[changed & (best != BLANK)].tolist()
