"""The nearest training signal: by Euclidean distance, or by dynamic time warping."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distance", "nearest", "resampled", "warped_distances"]

Distance = Literal["euclidean", "dtw"]

# Numbers in one array of distances: some tens of megabytes.
_CHUNK = 4_000_000


def resampled(signal: NDArray[Any], steps: int) -> NDArray[np.float64]:
    """A signal (any steps, channels) stretched to `steps` by straight lines; itself where it has as many."""
    values = np.asarray(signal, np.float64)
    if len(values) == steps:
        return values
    if not len(values):
        return np.zeros((steps, values.shape[1]))
    old, new = np.linspace(0, 1, len(values)), np.linspace(0, 1, steps)
    return np.stack([np.interp(new, old, channel) for channel in values.T], axis=1)


def nearest(
    queries: NDArray[np.float64], known: NDArray[np.float64], distance: Distance = "euclidean"
) -> NDArray[np.int64]:
    """For each query the number of the nearest known signal, (queries,); of equally near ones the first.

    Args:
        queries: (queries, steps, channels).
        known: (known, steps, channels).
        distance: which one; "dtw" with a band of a tenth of the steps.
    """
    per_pair = 1 if distance == "euclidean" else known.shape[1] + known.shape[2]
    several = max(1, _CHUNK // max(1, len(known) * per_pair))
    found = [
        _distances(queries[start : start + several], known, distance).argmin(axis=1)
        for start in range(0, len(queries), several)
    ]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _distances(queries: NDArray[np.float64], known: NDArray[np.float64], distance: Distance) -> NDArray[np.float64]:
    if distance == "dtw":
        return warped_distances(queries, known, max(1, known.shape[1] // 10))
    a, b = queries.reshape(len(queries), -1), known.reshape(len(known), -1)
    return (a * a).sum(axis=1)[:, None] - 2 * (a @ b.T) + (b * b).sum(axis=1)


def warped_distances(queries: NDArray[np.float64], known: NDArray[np.float64], band: int) -> NDArray[np.float64]:
    """Squared distances (queries, known) along the cheapest way through both signals (Sakoe and Chiba 1978).

    Args:
        queries: (queries, steps, channels).
        known: (known, steps, channels).
        band: most steps by which the one may run ahead of the other.
    """
    steps, pairs = known.shape[1], (len(queries), len(known))
    before = np.full((steps + 1, *pairs), np.inf)
    before[0] = 0
    for i in range(steps):
        row = np.full((steps + 1, *pairs), np.inf)
        for j in range(max(0, i - band), min(steps, i + band + 1)):
            difference = queries[:, None, i] - known[None, :, j]
            cost = np.einsum("qkc,qkc->qk", difference, difference)
            row[j + 1] = cost + np.minimum(np.minimum(before[j], before[j + 1]), row[j])
        before = row
    return before[steps]
