"""Confidences of words that are as high as words are often right.

A confidence c becomes c ** power, with the power under which validation words that are right, or wrong, are likeliest:
for the logarithms of probabilities that is a temperature (Guo et al. 2017, arXiv:1706.04599).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.speech.alignment import EQUAL, align
from penstock.speech.transcriber import SpokenWord

__all__ = ["chosen_power", "judged_words"]

_FEWEST = 20  # right and wrong words together
_POWERS = np.geomspace(1 / 16, 16, 257)
_CLOSEST = 1e-6  # to 0 and 1, so that one word that is sure and wrong costs something finite


def judged_words(
    references: Sequence[str], predicted: Sequence[Sequence[SpokenWord]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the confidence of each predicted word of all recordings, and whether it is right, both (words,)."""
    sure: list[float] = []
    right: list[bool] = []
    for reference, words in zip(references, predicted, strict=True):
        edits = align(reference.split(), [word.text for word in words])
        equal = {edit.predicted for edit in edits if edit.kind == EQUAL}
        sure += [word.confidence for word in words]
        right += [place in equal for place in range(len(words))]
    return np.array(sure, np.float64), np.array(right, np.bool_)


def chosen_power(sure: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Return the power from 1/16 to 16 under which words are likeliest; 1 for few words, or all right, or all wrong.

    Args:
        sure, right: as `judged_words` returns them, by a power of 1.
    """
    if len(right) < _FEWEST or right.all() or not right.any():
        return 1.0
    found = np.clip(sure[None] ** _POWERS[:, None], _CLOSEST, 1 - _CLOSEST)
    costs = -np.log(np.where(right, found, 1 - found)).sum(axis=1)
    return float(_POWERS[costs.argmin()])
