"""Sequences in Arrow files, of which batches are read, some of them ahead of the step that needs them.

A row is found by its number, so a training can go through all rows in any order: the order of an epoch is the one that
rows in memory have, and so are its batches, bit for bit. Rows are read and not mapped: the system maps up to 2 MB
around a byte that is touched, so that soon all files would count as memory of the process.
"""

import math
import mmap
import os
import time
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from penstock.errors import InputError
from penstock.sequences import Batch, Sequences
from penstock.shards.writer import arrow

__all__ = ["StoredSequences", "StoredTokens"]


class _Numbers(NamedTuple):
    """An array in an open file."""

    path: Path
    descriptor: int
    begin: int
    dtype: np.dtype[Any]
    length: int

    def read(self, start: int, stop: int) -> NDArray[Any]:
        """Read the numbers from `start` to `stop`."""
        size = self.dtype.itemsize
        found = os.pread(self.descriptor, (stop - start) * size, self.begin + start * size)
        if len(found) != (stop - start) * size:
            raise InputError(f"{self.path}: was cut short. Leave the cache as it is while training runs.")
        return np.frombuffer(found, self.dtype)

    def all(self) -> NDArray[Any]:
        return self.read(0, self.length)


class _File(NamedTuple):
    values: _Numbers
    offsets: _Numbers
    targets: _Numbers
    features: tuple[int, ...]


class StoredSequences:
    """Ragged sequences on disk, in place of `penstock.sequences.Sequences` where only batches of them are needed.

    Args:
        files: files of a `Writer`, in order; each row of all of them is a sequence.
        rows: the numbers of the rows to use, in order; None for all of them.

    Attributes:
        lengths: (sequences,) int32.
        waited: seconds that readers waited for `pad` so far.
    """

    def __init__(self, files: Iterable[Path], rows: NDArray[np.int64] | None = None) -> None:
        self._paths, self._rows = tuple(files), rows
        self._files = [_opened(path) for path in self._paths]
        lengths = np.concatenate([np.diff(file.offsets.all()).astype(np.int32) for file in self._files])
        self.lengths = lengths if rows is None else lengths[rows]
        self._starts = np.cumsum([0, *(file.offsets.length - 1 for file in self._files)])
        self.waited = 0.0
        self._thread = ThreadPoolExecutor(1, "read-ahead")
        self._coming: deque[tuple[bytes, Future[Batch]]] = deque()
        weakref.finalize(self, _close, [file.values.descriptor for file in self._files])

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredSequences, (self._paths, self._rows)

    def targets(self, dtype: DTypeLike) -> NDArray[Any]:
        """Return the target of each sequence, (sequences,), as a new array."""
        found = np.concatenate([file.targets.all() for file in self._files], dtype=dtype, casting="unsafe")
        return found if self._rows is None else found[self._rows]

    def __getitem__(self, row: int) -> NDArray[np.generic]:
        """Return a sequence, (steps,) or (steps, features), as it is stored."""
        row = row if self._rows is None else int(self._rows[row])
        place = int(np.searchsorted(self._starts, row, side="right")) - 1
        own, file = row - int(self._starts[place]), self._files[place]
        width = math.prod(file.features)
        start, stop = file.offsets.read(own, own + 2).tolist()
        return file.values.read(start * width, stop * width).reshape(-1, *file.features)

    def expect(self, batches: Sequence[NDArray[np.int64]]) -> None:
        """Read these batches in the background: those that `pad` will be asked for next, in order."""
        known = {key for key, _ in self._coming}
        for batch in batches:
            if (key := batch.tobytes()) not in known:
                self._coming.append((key, self._thread.submit(self._read, batch)))

    def pad(self, indices: NDArray[np.int64]) -> Batch:
        """Pad the chosen sequences with 0 to the longest one's length; ids become int32."""
        started = time.perf_counter()
        key = indices.tobytes()
        if any(key == each for each, _ in self._coming):
            while self._coming[0][0] != key:  # a batch that was expected and not asked for
                self._coming.popleft()[1].cancel()
            found = self._coming.popleft()[1].result()
        else:
            found = self._thread.submit(self._read, indices).result()
        self.waited += time.perf_counter() - started
        return found

    def _read(self, indices: NDArray[np.int64]) -> Batch:
        lengths = self.lengths[indices].astype(np.int64)
        first = self._files[0]
        kind = first.values.dtype
        dtype = np.int32 if np.issubdtype(kind, np.unsignedinteger) else kind
        values = np.zeros((len(indices), int(lengths.max(initial=0)), *first.features), dtype)
        for place, row in enumerate(indices.tolist()):
            values[place, : lengths[place]] = self[row]
        return Batch(values, lengths)


def _descriptor(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError as error:
        raise InputError(
            f"{path}: can't be read: {error.strerror or error}. Leave the cache there while training runs; for workers "
            "on other machines, choose a cache in a folder that all of them have."
        ) from error


def _close(descriptors: Iterable[int]) -> None:
    for each in descriptors:
        os.close(each)


@dataclass(frozen=True, eq=False)
class StoredTokens(Sequences):
    """Sequences of ids in one file, for those that read some of them at a time.

    `values` look into a map of the file; several sequences are read without it, see the module.

    Attributes:
        numbers: the file, which holds nothing but the ids.
        mapped: its map.
    """

    numbers: _Numbers
    mapped: mmap.mmap

    @classmethod
    def opened(cls, path: Path, dtype: DTypeLike, offsets: NDArray[np.int64]) -> Self:
        """Open a file of ids, at least one."""
        descriptor = _descriptor(path)
        mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        values = np.frombuffer(mapped, dtype)
        found = cls(values, offsets, _Numbers(path, descriptor, 0, values.dtype, len(values)), mapped)
        weakref.finalize(found, _close, [descriptor])
        return found

    def _taken(self, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[Any]:
        parts = [
            self.numbers.read(start, stop)
            for start, stop in zip(starts.tolist(), (starts + lengths).tolist(), strict=True)
        ]
        return np.concatenate([self.values[:0], *parts])

    def release(self) -> None:
        """Give mapped pages back to the system, which keeps what it likes of them in its own cache."""
        self.mapped.madvise(mmap.MADV_DONTNEED)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).opened, (self.numbers.path, self.values.dtype, self.offsets)


def _opened(path: Path) -> _File:
    pa = arrow()
    descriptor = _descriptor(path)
    mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)  # for as long as it takes to find the arrays
    begin = np.frombuffer(mapped, np.uint8).ctypes.data
    batch = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped))).get_batch(0)
    steps = batch.column("steps")
    features: tuple[int, ...] = ()
    values = steps.values
    if pa.types.is_fixed_size_list(values.type):
        values, features = values.values, (values.type.list_size,)
    own, offsets, targets = (
        _Numbers(path, descriptor, each.ctypes.data - begin, each.dtype, len(each))
        for each in (one.to_numpy(zero_copy_only=True) for one in (values, steps.offsets, batch.column("target")))
    )
    return _File(own, offsets, targets, features)
