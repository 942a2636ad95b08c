"""Batches of sequences of similar lengths, and an iterable of batches that knows its position."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from penstock.errors import ConfigError, StateError

__all__ = ["Batches", "length_batches", "shard"]

Batch = TypeVar("Batch")


class Batches(Generic[Batch]):
    """The batches of one epoch after another; it knows its position, so that it can resume anywhere.

    An iteration gives the rest of the present epoch. Once that is used up, the next iteration gives the next epoch, in
    an order of its own. With a state of `state_dict()` another `Batches` over the same data goes on with the same
    batches in the same order.

    Args:
        draw: makes the batches of one epoch, in order; nothing but the generator may change what it makes.
        generator: used by `draw` alone.
    """

    def __init__(self, draw: Callable[[np.random.Generator], Sequence[Batch]], generator: np.random.Generator) -> None:
        self._draw, self._generator = draw, generator
        self._begin()

    @property
    def position(self) -> int:
        """Batches of the present epoch that have been given."""
        return self._position

    def __len__(self) -> int:
        """Batches of the present epoch, given or not."""
        return len(self._epoch())

    def __iter__(self) -> Iterator[Batch]:
        epoch = self._epoch()
        while self._position < len(epoch):
            self._position += 1
            yield epoch[self._position - 1]
        self._begin()

    def state_dict(self) -> dict[str, Any]:
        """Where the iteration stands, as plain values; inside a loop over the batches, after the one at hand."""
        return {"position": self._position, "generator": self._at_start}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        Raises:
            StateError: the state is that of other data: it lies beyond the end of the epoch.
        """
        self._generator.bit_generator.state = state["generator"]
        self._begin()
        if state["position"]:
            if not 0 < state["position"] <= len(self):
                raise StateError(
                    f"position must be from 0 to {len(self)}, the batches of an epoch; got {state['position']!r}. "
                    "Resume with the data and the batch size that the training began with."
                )
            self._position = state["position"]

    def _begin(self) -> None:
        """Stand before the next epoch, whose batches are drawn when they are asked for."""
        self._position = 0
        self._drawn: Sequence[Batch] | None = None
        self._at_start = self._generator.bit_generator.state

    def _epoch(self) -> Sequence[Batch]:
        if self._drawn is None:
            self._drawn = self._draw(self._generator)
        return self._drawn


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

    Raises:
        ConfigError: `batch_size` or `pool` is below 1.
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


def shard(batch: Any, rank: int, size: int) -> tuple[Any, bool]:
    """One process's part of a batch, and whether it counts: every `size`-th row from row `rank` on.

    Every process must take part in every step, so one for which no row is left is given the first row, which then must
    not count.

    Args:
        batch: an array (rows, ...), or a tuple of arrays with as many rows each.
        rank: of the process, from 0.
        size: number of processes.
    """
    if size == 1:
        return batch, True
    rows = len(batch[0] if isinstance(batch, tuple) else batch)
    part = slice(rank, None, size) if rank < rows else slice(1)
    if not isinstance(batch, tuple):
        return batch[part], rank < rows
    parts = [each[part] for each in batch]
    return (tuple(parts) if type(batch) is tuple else type(batch)(*parts)), rank < rows


def _cut(indices: np.ndarray, size: int) -> list[np.ndarray]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]
