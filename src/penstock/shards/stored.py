"""Sequences in Arrow files, read through memory maps, some batches ahead of the step that needs them.

A row is found by its number, so a training can go through all rows in any order: the order of an epoch is the one that
rows in memory have, and so are its batches, bit for bit. What is mapped is given back to the system every so many rows,
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

from penstock.sequences import Batch, Sequences
from penstock.shards.writer import arrow

__all__ = ["StoredSequences", "StoredTokens"]

_ROWS_MAPPED = 1024
"""Rows that are read before mapped pages are given back; each maps some pages."""


class _File(NamedTuple):
    mapped: mmap.mmap
    values: NDArray[np.generic]
    offsets: NDArray[np.int64]
    targets: NDArray[np.generic]


class StoredSequences:
    """Ragged sequences on disk, in place of `penstock.sequences.Sequences` where only batches of them are needed.

    Args:
        files: files of a `Writer`, in order; each row of all of them is a sequence.

    Attributes:
        lengths: (sequences,) int32.
        waited: seconds that readers waited for `pad` so far.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = [_opened(path) for path in files]
        self.lengths = np.concatenate([np.diff(file.offsets).astype(np.int32) for file in self._files])
        self._starts = np.cumsum([0, *(len(file.offsets) - 1 for file in self._files)])
        self.waited = 0.0
        self._mapped = 0
        self._thread = ThreadPoolExecutor(1, "read-ahead")
        self._coming: deque[tuple[bytes, Future[Batch]]] = deque()
        self._release()

    def __len__(self) -> int:
        return len(self.lengths)

    def targets(self, dtype: DTypeLike) -> NDArray[Any]:
        """Return the target of each sequence, (sequences,), as a new array."""
        return np.concatenate([file.targets for file in self._files], dtype=dtype, casting="unsafe")

    def __getitem__(self, row: int) -> NDArray[np.generic]:
        """Return a sequence, (steps,) or (steps, features), as it is stored."""
        place = int(np.searchsorted(self._starts, row, side="right")) - 1
        file, own = self._files[place], row - self._starts[place]
        return file.values[file.offsets[own] : file.offsets[own + 1]]

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
        for place, row in enumerate(indices.tolist()):
            values[place, : lengths[place]] = self[row]
        self._mapped += len(indices)
        if self._mapped >= _ROWS_MAPPED:
            self._release()
        return Batch(values, lengths)

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
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
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
