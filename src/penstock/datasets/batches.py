"""Batches of sequences of similar lengths, and a resumable iterable of batches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from penstock.checks import check_whole
from penstock.errors import StateError

__all__ = ["Batches", "length_batches", "row_count", "shard"]

Batch = TypeVar("Batch")


class Batches(Generic[Batch]):
    """Iterable of the batches of each epoch, which can be saved and resumed at any position.

    An iteration yields the rest of the current epoch; the next iteration yields the next epoch, in a new order. With a
    state from `state_dict()`, another `Batches` over the same data continues with the same batches in the same order.

    Args:
        draw: returns the batches of one epoch, in order; only the generator may be a source of randomness.
        generator: used only by `draw`.
    """

    def __init__(self, draw: Callable[[np.random.Generator], Sequence[Batch]], generator: np.random.Generator) -> None:
        self._draw, self._generator = draw, generator
        self._begin()

    @property
    def position(self) -> int:
        """Number of batches of the current epoch that have been yielded."""
        return self._position

    def __len__(self) -> int:
        """Number of batches of the current epoch."""
        return len(self._epoch())

    def __iter__(self) -> Iterator[Batch]:
        epoch = self._epoch()
        while self._position < len(epoch):
            self._position += 1
            yield epoch[self._position - 1]
        self._begin()

    def upcoming(self, count: int) -> Sequence[Batch]:
        """Return the next batches of the current epoch, at most `count`, which remain to be yielded."""
        return self._epoch()[self._position : self._position + count]

    def state_dict(self) -> dict[str, Any]:
        """Return the position as plain values; inside a loop over the batches, after the current one."""
        return {"position": self._position, "generator": self._at_start}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state.

        Raises:
            StateError: the state is of other data: it lies beyond the end of the epoch.
        """
        self._generator.bit_generator.state = state["generator"]
        self._begin()
        if state["position"]:
            if not 0 < state["position"] <= len(self):
                raise StateError(
                    f"position must be from 0 to {len(self)}, the batches of an epoch; got {state['position']!r}. "
                    "Resume with the original data and batch size."
                )
            self._position = state["position"]

    def _begin(self) -> None:
        """Go to the start of the next epoch, whose batches are drawn on first use."""
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
    """Return index arrays that together contain every sequence once.

    Args:
        lengths: (sequences,), the number of steps of each.
        batch_size: sequences per batch; the last batch of a pool may be smaller.
        generator: for training, the random order of an epoch: shuffled, then sorted by length within pools of `pool`
            batches, then with shuffled batches. None: all sorted by length, equal lengths in their order.
        pool: batches per pool; larger pools make the lengths in a batch more equal, smaller ones make it more random.

    Raises:
        ConfigError: `batch_size` or `pool` is not a whole number of 1 or more.
    """
    check_whole("batch_size", batch_size, at_least=1)
    check_whole("pool", pool, at_least=1)
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


def row_count(batch: Any) -> int:
    """Return the number of rows of a batch, an array (rows, ...) or a tuple of such arrays."""
    return len(batch[0] if isinstance(batch, tuple) else batch)


def shard(batch: Any, rank: int, size: int) -> tuple[Any, bool]:
    """Return one process's part of a batch, every `size`-th row from `rank` on, and whether it counts.

    Every process must take part in every step; a process without rows gets the first row, which must not count.

    Args:
        batch: an array (rows, ...), or a tuple of arrays with the same number of rows.
        rank: number of the process, from 0.
        size: number of processes.
    """
    if size == 1:
        return batch, True
    rows = row_count(batch)
    part = slice(rank, None, size) if rank < rows else slice(1)
    if not isinstance(batch, tuple):
        return batch[part], rank < rows
    parts = [each[part] for each in batch]
    return (tuple(parts) if type(batch) is tuple else type(batch)(*parts)), rank < rows


def _cut(indices: np.ndarray, size: int) -> list[np.ndarray]:
    return [indices[start : start + size] for start in range(0, len(indices), size)]
