"""VUS-PR, the volume under the surface of range-based precision and recall (Paparrizos et al. 2022).

Labels fade out around each window over a buffer, so that an alarm a little beside its window counts a little. The area
under the curve of precision and recall is averaged over buffers from 0 on, which leaves no width to choose; and no
point is adjusted by its neighbours.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.detect.nab import Scored

__all__ = ["BUFFER", "faded", "vus_pr"]

Array = NDArray[np.float64]
BUFFER = 100
"""The widest buffer, in steps: half of it before a window, half after."""


def vus_pr(several: Sequence[Scored], buffer: int = BUFFER) -> float:
    """Return the mean of VUS-PR over the series that have a labelled window; NaN if none has.

    Args:
        several: scores beside windows; only judged steps count.
        buffer: the widest buffer, in steps.

    Example:
        >>> import numpy as np
        >>> vus_pr([Scored(np.array([0.1, 0.2, 0.9, 0.1]), [(2, 2)])], buffer=0)
        1.0
    """
    found = [_volume(each, buffer) for each in several if each.judged_windows]
    return float(np.mean(found)) if found else float("nan")


def faded(labels: NDArray[np.bool_], buffer: int) -> Array:
    """Return labels from 0 to 1 (steps,): 1 inside windows, fading over half the buffer on each side."""
    found = labels.astype(np.float64)
    edges = np.flatnonzero(np.diff(labels.astype(np.int8), prepend=0, append=0))
    for first, end in edges.reshape(-1, 2):
        fade = np.sqrt(1 - np.arange(1, buffer // 2 + 1) / max(buffer, 1))
        after = found[end : end + len(fade)]
        after += fade[: len(after)]
        before = found[max(first - len(fade), 0) : first]
        before += fade[: len(before)][::-1]
    return np.minimum(found, 1.0)


def _volume(scored: Scored, buffer: int) -> float:
    labels = np.zeros(len(scored.scores), bool)
    for first, last in scored.judged_windows:
        labels[first : last + 1] = True
    labels = labels[scored.start :]
    scores = np.where(np.isnan(scored.scores), -np.inf, scored.scores)[scored.start :]
    order = np.argsort(-scores, kind="stable")
    # Steps of equal scores are flagged together.
    ends = np.append(scores[order][1:] != scores[order][:-1], True)
    return float(np.mean([_area(labels, faded(labels, width), scores, order, ends) for width in range(buffer + 1)]))


def _area(
    labels: NDArray[np.bool_], soft: Array, scores: Array, order: NDArray[np.int64], ends: NDArray[np.bool_]
) -> float:
    """The area under precision over recall for one buffer; recall counts the share of windows found at all."""
    right, flagged = np.cumsum(soft[order])[ends], np.flatnonzero(ends) + 1
    edges = np.flatnonzero(np.diff((soft > 0).astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    highest = np.sort([scores[first:end].max() for first, end in edges])
    found = len(highest) - np.searchsorted(highest, scores[order][ends])
    positives = (labels.sum() + soft.sum()) / 2
    recall = np.append(0.0, np.minimum(right / positives, 1.0) * found / len(highest))
    precision = np.append(1.0, right / flagged)
    return float((np.diff(recall) * (precision[1:] + precision[:-1]) / 2).sum())
