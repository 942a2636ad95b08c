"""The nearest training signal by Euclidean distance or dynamic time warping."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Distance", "nearest", "resampled", "warped_distances"]

Distance = Literal["euclidean", "dtw"]

# Numbers in one array of distances: some tens of megabytes.
_CHUNK = 4_000_000


def resampled(signal: NDArray[Any], steps: int) -> NDArray[np.float64]:
    """Stretch a signal (any steps, channels) to `steps` by linear interpolation; unchanged if it has `steps`."""
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
    """Return for each query the index of the nearest known signal, (queries,); of equally near ones the first.

    Args:
        queries: (queries, steps, channels).
        known: (known, steps, channels).
        distance: the distance; "dtw" uses a band of a tenth of the steps.
    """
    per_pair = 1 if distance == "euclidean" else known.shape[1] + known.shape[2]
    several = max(1, _CHUNK // max(1, len(known) * per_pair))
    indices = [
        _distances(queries[start : start + several], known, distance).argmin(axis=1)
        for start in range(0, len(queries), several)
    ]
    return np.concatenate([np.zeros(0, np.int64), *indices])


def _distances(queries: NDArray[np.float64], known: NDArray[np.float64], distance: Distance) -> NDArray[np.float64]:
    if distance == "dtw":
        return warped_distances(queries, known, max(1, known.shape[1] // 10))
    a, b = queries.reshape(len(queries), -1), known.reshape(len(known), -1)
    return (a * a).sum(axis=1)[:, None] - 2 * (a @ b.T) + (b * b).sum(axis=1)


def warped_distances(queries: NDArray[np.float64], known: NDArray[np.float64], band: int) -> NDArray[np.float64]:
    """Return squared distances (queries, known) along the cheapest warping path (Sakoe and Chiba 1978).

    Args:
        queries: (queries, steps, channels).
        known: (known, steps, channels).
        band: maximum number of steps by which one signal may run ahead of the other.
    """
    steps, pairs = known.shape[1], (len(queries), len(known))
    previous = np.full((steps + 1, *pairs), np.inf)
    previous[0] = 0
    for i in range(steps):
        row = np.full((steps + 1, *pairs), np.inf)
        for j in range(max(0, i - band), min(steps, i + band + 1)):
            difference = queries[:, None, i] - known[None, :, j]
            cost = np.einsum("qkc,qkc->qk", difference, difference)
            row[j + 1] = cost + np.minimum(np.minimum(previous[j], previous[j + 1]), row[j])
        previous = row
    return previous[steps]
