"""Sequences of different lengths, concatenated in one array: the container for ragged data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from penstock.errors import DtypeError, LengthsError, ShapeError

__all__ = ["Batch", "Sequences"]

_LONG = 1024
"""Steps from which on copies of whole sequences are faster than those of single steps."""


class Batch(NamedTuple):
    """Padded sequences.

    Attributes:
        values: (batch, time) or (batch, time, features); the fill value, usually 0, past a sequence's end.
        lengths: (batch,) int64.
    """

    values: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True, eq=False)
class Sequences:
    """`len(self)` sequences in one array; sequence i is values[offsets[i]:offsets[i + 1]].

    Attributes:
        values: (total, features), or (total,) for ids.
        offsets: (sequences + 1,) int64, from 0 to total, never decreasing; equal neighbours mean an empty sequence.

    Raises:
        ShapeError, DtypeError, LengthsError: values or offsets have the wrong shape or type, or do not match.
    """

    values: np.ndarray
    offsets: np.ndarray

    def __post_init__(self) -> None:
        values, offsets = np.asarray(self.values), np.asarray(self.offsets)
        if values.ndim not in (1, 2):
            raise ShapeError(f"values must be (total,) or (total, features); got {values.shape}")
        if offsets.ndim != 1 or not len(offsets):
            raise ShapeError(f"offsets must be (sequences + 1,); got {offsets.shape}")
        if not np.issubdtype(offsets.dtype, np.integer):
            raise DtypeError(f"offsets must be whole numbers; got {offsets.dtype}")
        offsets = offsets.astype(np.int64, copy=False)
        decreases = bool((np.diff(offsets) < 0).any())
        if offsets[0] != 0 or offsets[-1] != len(values) or decreases:
            raise LengthsError(
                f"offsets must not decrease and go from 0 to the {len(values)} steps of values; "
                f"got {offsets[0]} to {offsets[-1]}{', decreasing in between' if decreases else ''}"
            )
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "offsets", offsets)

    @classmethod
    def from_list(cls, arrays: Iterable[ArrayLike], dtype: DTypeLike | None = None) -> "Sequences":
        """Make Sequences from one array (time,) or (time, features) per sequence."""
        parts = [np.asarray(array, dtype) for array in arrays]
        for position, part in enumerate(parts):
            if part.ndim not in (1, 2) or part.shape[1:] != parts[0].shape[1:]:
                raise ShapeError(
                    f"sequences must all be (time,), or all (time, features) with the same features; "
                    f"sequence 0 is {parts[0].shape}, sequence {position} is {part.shape}"
                )
        offsets = np.zeros(len(parts) + 1, np.int64)
        np.cumsum([len(part) for part in parts], out=offsets[1:])
        return cls(np.concatenate(parts) if parts else np.zeros(0, dtype), offsets)

    @property
    def lengths(self) -> np.ndarray:
        """Steps of each sequence, (sequences,) int64."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[position] for position in range(len(self)))

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice | np.ndarray | list[int]) -> "Sequences": ...
    def __getitem__(self, index: int | slice | np.ndarray | list[int]) -> "np.ndarray | Sequences":
        """An integer index returns that sequence as a view; a slice, indices or booleans return Sequences."""
        if isinstance(index, int | np.integer):
            if not -len(self) <= index < len(self):
                raise IndexError(f"sequence {index} of {len(self)}")
            position = int(index) % len(self)
            return self.values[self.offsets[position] : self.offsets[position + 1]]
        starts, lengths = self._spans(index)
        return Sequences(self._taken(starts, lengths), np.concatenate([[0], np.cumsum(lengths)]))

    def pad(self, indices: slice | np.ndarray | list[int] | None = None, fill: float = 0) -> Batch:
        """Pad the chosen sequences (all by default) with `fill` to the longest one's length."""
        starts, lengths = self._spans(slice(None) if indices is None else indices)
        longest = int(lengths.max(initial=0))
        values = np.zeros((len(lengths), longest, *self.values.shape[1:]), self.values.dtype)
        if fill:
            values.fill(fill)
        if longest > _LONG:
            for row, start, length in zip(values, starts.tolist(), lengths.tolist(), strict=True):
                row[:length] = self.values[start : start + length]
        else:
            values[np.arange(longest) < lengths[:, None]] = self._taken(starts, lengths)
        return Batch(values, lengths)

    def pieces(self, size: int = 1 << 20) -> Iterator[np.ndarray]:
        """Yield `values` in pieces of `size` steps; of values on disk, the last pieces are not kept in memory."""
        for start in range(0, len(self.values), size):
            yield self.values[start : start + size]
            self.release()

    def release(self) -> None:
        """Give what is mapped of values on disk back to the system; values in memory stay as they are."""

    def places(self, indices: slice | np.ndarray | list[int]) -> np.ndarray:
        """Return the positions in `values` of the steps of the chosen sequences, in order, (steps,) int64."""
        return _places(*self._spans(indices))

    def _taken(self, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return the values of sequences that start there, one after the other."""
        return self.values[_places(starts, lengths)]

    def _spans(self, index: slice | np.ndarray | list[int]) -> tuple[np.ndarray, np.ndarray]:
        """Return where the chosen sequences start in `values`, and their lengths."""
        if isinstance(index, list):
            index = np.asarray(index, None if index else np.int64)  # an empty list would become float
        starts = self.offsets[:-1][index]
        return starts, self.offsets[1:][index] - starts


def _places(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the positions of the steps of sequences that start there, in order."""
    ends = np.cumsum(lengths)
    to_source = np.repeat(starts - (ends - lengths), lengths)
    return np.arange(len(to_source)) + to_source
