"""Reads columns of Parquet files with PyArrow, batch by batch, so that their decoded size is known early.

A few hundred bytes of a dictionary and of run lengths can stand for gigabytes. Texts are therefore read as indices into
their dictionaries, also those in lists, and their size is counted before they are taken from there. What Arrow can only
read in full comes in so few rows at once that they can't exceed the limit. Both rest on the headers of the pages, which
Arrow checks, and not on what the footer says.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.datasets.files import all_bytes, opened
from penstock.datasets.naming import check_columns
from penstock.datasets.parquet_pages import Page, check_statistics, pages
from penstock.decoded import Decoded
from penstock.errors import DataError, MissingExtraError

__all__ = ["parquet_head", "parquet_names", "parquet_rows", "read_parquet", "stream_parquet"]

_AT_ONCE = 1000
"""Rows of a batch: what is decoded before its size is checked."""
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 4}
"""Bytes of a value once it is decoded; of texts, those of an index into their dictionary."""
_EXPANDING = {"UNCOMPRESSED": 1, "SNAPPY": 32}
"""At most what a byte of a page stands for: Snappy copies 64 bytes by 3. Of other codecs there is no small bound."""
_CELL = 64
"""Bytes that a Python object takes at most besides its content."""


def read_parquet(path: Path, columns: list[str]) -> dict[str, list[Any]]:
    """Read columns of a file, None for a missing value.

    Raises:
        DataError: the file can't be read, lacks a column, or holds more than it may when decoded.
        MissingExtraError: PyArrow isn't installed.
    """
    found: dict[str, list[Any]] = {name: [] for name in columns}
    for block in stream_parquet(path, columns):
        for name, values in found.items():
            values.extend(block[name])
    return found


def stream_parquet(path: Path, columns: list[str]) -> Iterator[dict[str, list[Any]]]:
    """Yield columns of a file as `read_parquet` returns them, some rows at a time; errors as there."""
    with _opened(path) as stored:
        check_columns(path, stored.names, columns)
        for batch in stored.batches(columns):
            yield {name: batch.column(name).to_pylist() for name in columns}


def parquet_rows(path: Path) -> int:
    """Return the number of rows that a file says it has; DataError if it can't be read."""
    with _opened(path) as stored:
        return int(stored.file.metadata.num_rows)


def parquet_names(path: Path) -> list[str]:
    """Return the names of a file's columns; DataError if it can't be read."""
    with _opened(path) as stored:
        return stored.names


def parquet_head(path: Path, rows: int) -> dict[str, list[Any]]:
    """Return the first rows as columns; DataError if the file can't be read, or holds more than it may."""
    found: dict[str, list[Any]] = {}
    with _opened(path) as stored:
        for batch in stored.batches(stored.names):
            for name in stored.names:
                found.setdefault(name, []).extend(batch.column(name).to_pylist())
            if len(next(iter(found.values()))) >= rows:
                break
    return {name: values[:rows] for name, values in found.items()}


@contextmanager
def _opened(path: Path) -> Iterator["_Stored"]:
    arrow = _arrow()
    with opened(path) as source:
        if not source.read(1):
            raise DataError(f"{path}: is empty; expected names of columns, and rows")
        # The end of a gzip file, where Parquet begins, is known only once all of it is unpacked.
        file = arrow.BufferReader(all_bytes(path)) if path.name.lower().endswith(".gz") else source
        try:
            yield _Stored(path, file)
        except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: can't be read as Parquet: {error!s:.200}") from error


class _Stored:
    """A file, and what was decoded of it.

    Args:
        path: its path.
        source: its bytes, which can be sought.

    Attributes:
        file: PyArrow's reader, of texts as indices where it can.
        names: the names of the columns.
    """

    def __init__(self, path: Path, source: Any) -> None:
        parquet = _arrow().parquet
        described = parquet.read_metadata(source)
        self._path, self._source = path, source
        self._leaves = [described.schema.column(at) for at in range(described.num_columns)]
        self._decoded = Decoded(path, path.stat().st_size)
        with self._damage():
            check_statistics(source, self._leaves)
        texts = [leaf.path for at, leaf in enumerate(self._leaves) if _has_dictionary(described, leaf, at)]
        self.file = parquet.ParquetFile(source, metadata=described, read_dictionary=texts)
        self.names: list[str] = list(self.file.schema_arrow.names)
        full = frozenset(field.name for field in self.file.schema_arrow if _in_full(field.type))
        self._full = {
            at
            for at, leaf in enumerate(self._leaves)
            if leaf.physical_type == "BYTE_ARRAY" and (leaf.path not in texts or _is_part(leaf, full))
        }

    def batches(self, columns: Sequence[str]) -> Iterator[Any]:
        """Yield the batches of columns once their sizes are counted; DataError if they are too large."""
        names = frozenset(columns)
        wanted = [at for at, leaf in enumerate(self._leaves) if _is_part(leaf, names)]
        metadata = self.file.metadata
        stated = (metadata.row_group(group).column(at) for group in range(metadata.num_row_groups) for at in wanted)
        self._decoded.reach(sum(max(each.total_uncompressed_size, each.num_values) for each in stated))
        self._decoded.reach(0)
        for group in range(metadata.num_row_groups):  # dictionaries of several can't be joined where they are in lists
            rows = self._rows_at_once(group, wanted)
            for batch in self.file.iter_batches(rows, [group], list(columns), use_threads=False):
                for column in batch.columns:
                    self._decoded.add(_size(column) + _CELL * len(column))
                yield batch

    def _rows_at_once(self, group: int, wanted: Sequence[int]) -> int:
        """Return how many rows of a group may be decoded at once; DataError if the group holds too much."""
        if self._is_small(group, wanted):  # so that a file behind an address is not read twice
            return _AT_ONCE
        before, total, rows = self._decoded.size, 0, _AT_ONCE
        for at in wanted:
            leaf, found = self._leaves[at], self._pages(group, at)
            values = sum(page.values or 0 for page in found)
            total += max(sum(page.size for page in found), values * _WIDTHS.get(leaf.physical_type, leaf.length))
            if at in self._full:
                longest = max((page.size for page in found), default=0)  # a value is no longer than its page
                if leaf.max_repetition_level:
                    total += values * longest
                else:
                    rows = min(rows, max(self._decoded.most // max(2 * longest, 1), 1))  # Arrow's buffers double
        self._decoded.reach(total)
        self._decoded.reach(before)
        return rows

    def _is_small(self, group: int, wanted: Sequence[int]) -> bool:
        """Whether a group can't hold too much, whatever its pages say: it is small, and a row has a value a column."""
        most = 0
        for at in wanted:
            leaf, column = self._leaves[at], self.file.metadata.row_group(group).column(at)
            if leaf.max_repetition_level or at in self._full or leaf.physical_type not in _WIDTHS:
                return False
            most += column.total_compressed_size * _EXPANDING.get(column.compression, self._decoded.most)
        return most <= self._decoded.most

    def _pages(self, group: int, at: int) -> list[Page]:
        with self._damage():
            return list(pages(self._source, self.file.metadata.row_group(group).column(at)))

    @contextmanager
    def _damage(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, OverflowError) as error:  # an overflow: a place beyond any file
            raise DataError(f"{self._path}: can't be read as Parquet: {error}") from error


def _has_dictionary(described: Any, leaf: Any, at: int) -> bool:
    """Whether a column can be read as indices into its dictionary: texts, but not as differences to the row before."""
    groups = (described.row_group(group).column(at) for group in range(described.num_row_groups))
    return (
        leaf.physical_type == "BYTE_ARRAY"
        and leaf.logical_type.type in ("STRING", "NONE")
        and not any(encoding.startswith("DELTA") for group in groups for encoding in group.encodings)
    )


def _in_full(kind: Any) -> bool:
    """Whether a column's type, as it will be read, has texts or bytes that are no indices."""
    arrow = _arrow()
    if arrow.types.is_dictionary(kind):
        return False
    if isinstance(kind, arrow.BaseExtensionType):
        return True  # Arrow reads what it is made of in full
    if kind.num_fields:
        return any(_in_full(kind.field(each).type) for each in range(kind.num_fields))
    return not (arrow.types.is_primitive(kind) or arrow.types.is_null(kind) or arrow.types.is_fixed_size_binary(kind))


def _is_part(leaf: Any, columns: frozenset[str]) -> bool:
    """Whether a leaf of the schema is one of these columns, or within one; names may have points."""
    return any(each in columns for each in accumulate(leaf.path.split("."), "{}.{}".format))


def _size(column: Any) -> int:
    """The bytes of an array once its strings are taken from their dictionaries."""
    arrow = _arrow()
    kind = column.type
    if arrow.types.is_dictionary(kind):
        lengths = arrow.compute.binary_length(column.dictionary)
        return arrow.compute.sum(lengths.take(column.indices)).as_py() or 0
    if arrow.types.is_struct(kind):
        return sum(_size(each) for each in column.flatten())
    parts: tuple[Any, ...] = ()
    if arrow.types.is_map(kind):  # which has no `flatten`
        ends = column.offsets.take([0, len(column)]).to_pylist()
        parts = tuple(each.slice(ends[0], ends[1] - ends[0]) for each in (column.keys, column.items))
    elif arrow.types.is_list(kind) or arrow.types.is_large_list(kind) or arrow.types.is_fixed_size_list(kind):
        parts = (column.flatten(),)
    if parts:
        return sum(_size(each) + _CELL * len(each) for each in parts)
    size: int = column.nbytes
    return size


def _arrow() -> ModuleType:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("reading parquet files needs PyArrow: pip install 'penstock[data]'") from error
    return pyarrow
