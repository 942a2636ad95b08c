"""Batches of sequences of similar lengths, so that little is computed for padding."""

import numpy as np
from numpy.typing import ArrayLike

from penstock.errors import ConfigError

__all__ = ["length_batches"]


def length_batches(
    lengths: ArrayLike, batch_size: int, generator: np.random.Generator | None = None, *, pool: int = 50
) -> list[np.ndarray]:
    """Index arrays that together hold every sequence once.

    Args:
        lengths: (sequences,), steps of each.
        batch_size: sequences in a batch; the last of a pool may be smaller.
        generator: for training, one epoch's order: shuffled, then sorted by length within pools of `pool` batches,
            then the batches shuffled. None: all sorted by length, equal lengths in their order.
        pool: batches in a pool; more make the lengths of a batch more equal, fewer make it more random.
    """
    if batch_size < 1 or pool < 1:
        raise ConfigError(f"batch_size and pool must be at least 1; got {batch_size} and {pool}")
    lengths = np.asarray(lengths)
    if generator is None:
        return _cut(np.argsort(lengths, kind="stable"), batch_size)
    shuffled = generator.permutation(len(lengths))
    batches = [
        batch
        for chunk in _cut(shuffled, pool * batch_size)
        for batch in _cut(chunk[np.argsort(lengths[chunk], kind="stable")], batch_size)
    ]
    return [batches[position] for position in generator.permutation(len(batches))]


def _cut(indices: np.ndarray, size: int) -> list[np.ndarray]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]
