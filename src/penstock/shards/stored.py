"""Sequences in Arrow files, read through memory maps, some batches ahead of the step that needs them.

A row is found by its number, so a training can go through all rows in any order: the order of an epoch is the one that
rows in memory have, and so are its batches, bit for bit. What is mapped is given back to the system again and again,
because it would count as memory of the process although it isn't; the system's cache of the files remains.
"""

import mmap
import time
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

_MAPPED = 1 << 24
"""Bytes that are read before mapped pages are given back."""
_LONG = 4 * mmap.PAGESIZE
"""Rows of more bytes are asked for as a whole: the system reads a mapped page alone when it is first touched."""


class _File(NamedTuple):
    mapped: mmap.mmap
    values: NDArray[np.generic]
    offsets: NDArray[np.int64]
    targets: NDArray[np.generic]


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
        lengths = np.concatenate([np.diff(file.offsets).astype(np.int32) for file in self._files])
        self.lengths = lengths if rows is None else lengths[rows]
        self._starts = np.cumsum([0, *(len(file.offsets) - 1 for file in self._files)])
        self.waited = 0.0
        self._mapped = 0
        self._thread = ThreadPoolExecutor(1, "read-ahead")
        self._coming: deque[tuple[bytes, Future[Batch]]] = deque()
        self._release()

    def __len__(self) -> int:
        return len(self.lengths)

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredSequences, (self._paths, self._rows)

    def targets(self, dtype: DTypeLike) -> NDArray[Any]:
        """Return the target of each sequence, (sequences,), as a new array."""
        found = np.concatenate([file.targets for file in self._files], dtype=dtype, casting="unsafe")
        return found if self._rows is None else found[self._rows]

    def __getitem__(self, row: int) -> NDArray[np.generic]:
        """Return a sequence, (steps,) or (steps, features), as it is stored."""
        place, own = self._place(row)
        file = self._files[place]
        return file.values[file.offsets[own] : file.offsets[own + 1]]

    def _place(self, row: int) -> tuple[int, int]:
        """Return the number of the file that has a sequence, and its number there."""
        row = row if self._rows is None else int(self._rows[row])
        place = int(np.searchsorted(self._starts, row, side="right")) - 1
        return place, row - int(self._starts[place])

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
        """Read a batch; in the thread alone, because pages are given back here."""
        lengths = self.lengths[indices].astype(np.int64)
        kind = self._files[0].values.dtype
        dtype = np.int32 if np.issubdtype(kind, np.unsignedinteger) else kind
        values = np.zeros((len(indices), int(lengths.max(initial=0)), *self._files[0].values.shape[1:]), dtype)
        rows = indices.tolist()
        for row in rows:
            self._ask(row)
        for place, row in enumerate(rows):
            values[place, : lengths[place]] = self[row]
        self._mapped += values.nbytes + 2 * mmap.PAGESIZE * len(indices)  # a row begins and ends in pages of others
        if self._mapped >= _MAPPED:
            self._release()
        return Batch(values, lengths)

    def _ask(self, row: int) -> None:
        """Let the system read the pages of a long row, in the background."""
        values = self[row]
        if values.nbytes > _LONG:
            file = self._files[self._place(row)[0]]
            start = values.ctypes.data - np.frombuffer(file.mapped, np.uint8).ctypes.data
            aligned = start - start % mmap.PAGESIZE
            file.mapped.madvise(mmap.MADV_WILLNEED, aligned, start - aligned + values.nbytes)

    def _release(self) -> None:
        self._mapped = 0
        for file in self._files:
            file.mapped.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True, eq=False)
class StoredTokens(Sequences):
    """Sequences of ids in one file, for those that read some of them at a time.

    Attributes:
        path: the file, which holds nothing but the ids.
        mapped: the map of the file, into which `values` look.
    """

    path: Path
    mapped: mmap.mmap

    @classmethod
    def opened(cls, path: Path, dtype: DTypeLike, offsets: NDArray[np.int64]) -> Self:
        """Open a file of ids, at least one."""
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return cls(np.frombuffer(mapped, dtype), offsets, path, mapped)

    def release(self) -> None:
        """Give mapped pages back to the system, which keeps what it likes of them in its own cache."""
        self.mapped.madvise(mmap.MADV_DONTNEED)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).opened, (self.path, self.values.dtype, self.offsets)


def _opened(path: Path) -> _File:
    pa = arrow()
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise InputError(
            f"{path}: can't be read: {error.strerror or error}. Leave the cache there while training runs; for workers "
            "on other machines, choose a cache in a folder that all of them have."
        ) from error
    mapped.madvise(mmap.MADV_RANDOM)
    batch = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped))).get_batch(0)
    steps = batch.column("steps")
    features: tuple[int, ...] = ()
    values = steps.values
    if pa.types.is_fixed_size_list(values.type):
        values, features = values.values, (values.type.list_size,)
    offsets = steps.offsets.to_numpy(zero_copy_only=True)
    targets = batch.column("target").to_numpy(zero_copy_only=True)
    return _File(mapped, values.to_numpy(zero_copy_only=True).reshape(-1, *features), offsets, targets)
