"""Reads columns of Parquet files with PyArrow, batch by batch, so that their decoded size is known early.

A few hundred bytes of a dictionary and of run lengths can stand for gigabytes. Strings are therefore read as indices
into their dictionaries, and their size is counted before they are taken from there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.datasets.files import all_bytes, opened
from penstock.datasets.naming import check_columns
from penstock.decoded import Decoded
from penstock.errors import DataError, MissingExtraError

__all__ = ["parquet_head", "parquet_names", "parquet_rows", "read_parquet", "stream_parquet"]

_AT_ONCE = 1000
"""Rows of a batch: what is decoded before its size is checked."""
_FEW = 50
"""Rows of a batch if a column has differences to the row before, which Arrow reads only in full."""
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
    with _opened(path) as (file, decoded):
        check_columns(path, file.schema_arrow.names, columns)
        for batch in _batches(file, decoded, columns):
            yield {name: batch.column(name).to_pylist() for name in columns}


def parquet_rows(path: Path) -> int:
    """Return the number of rows that a file says it has; DataError if it can't be read."""
    with _opened(path) as (file, _):
        return int(file.metadata.num_rows)


def parquet_names(path: Path) -> list[str]:
    """Return the names of a file's columns; DataError if it can't be read."""
    with _opened(path) as (file, _):
        return list(file.schema_arrow.names)


def parquet_head(path: Path, rows: int) -> dict[str, list[Any]]:
    """Return the first rows as columns; DataError if the file can't be read, or holds more than it may."""
    found: dict[str, list[Any]] = {}
    with _opened(path) as (file, decoded):
        for batch in _batches(file, decoded, file.schema_arrow.names):
            for name in file.schema_arrow.names:
                found.setdefault(name, []).extend(batch.column(name).to_pylist())
            if len(next(iter(found.values()))) >= rows:
                break
    return {name: values[:rows] for name, values in found.items()}


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Decoded]]:
    arrow = _arrow()
    with opened(path) as source:
        if not source.read(1):
            raise DataError(f"{path}: is empty; expected names of columns, and rows")
        # The end of a gzip file, where Parquet begins, is known only once all of it is unpacked.
        file = arrow.BufferReader(all_bytes(path)) if path.name.lower().endswith(".gz") else source
        try:
            described = arrow.parquet.read_metadata(file)
            texts = _texts(described)
            yield (
                arrow.parquet.ParquetFile(file, metadata=described, read_dictionary=texts),
                Decoded(path, path.stat().st_size),
            )
        except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: can't be read as Parquet: {error!s:.200}") from error


def _texts(described: Any) -> list[str]:
    """Return the paths of the columns of text that can be read as indices into their dictionaries."""
    schema = described.schema
    columns = [(at, schema.column(at)) for at in range(len(schema))]
    return [
        column.path
        for at, column in columns
        if column.physical_type == "BYTE_ARRAY"
        and column.max_repetition_level == 0  # Arrow can't join the dictionaries of nested columns
        and column.max_definition_level < 2
        and column.logical_type.type in ("STRING", "NONE")
        and not _has_differences(described, at)
    ]


def _has_differences(described: Any, at: int) -> bool:
    """Whether a column stores its values as differences to the row before."""
    groups = (described.row_group(group).column(at) for group in range(described.num_row_groups))
    return any(encoding.startswith("DELTA") for group in groups for encoding in group.encodings)


def _batches(file: Any, decoded: Decoded, columns: Sequence[str]) -> Iterator[Any]:
    """Yield the file's batches once their sizes are counted."""
    _check_declared(file.metadata, columns, decoded)
    differences = any(_has_differences(file.metadata, at) for at in range(file.metadata.num_columns))
    for batch in file.iter_batches(_FEW if differences else _AT_ONCE, columns=list(columns), use_threads=False):
        for column in batch.columns:
            decoded.add(_size(column) + _CELL * len(column))
        yield batch


def _check_declared(metadata: Any, columns: Sequence[str], decoded: Decoded) -> None:
    """Check what the file says of its columns' sizes: a single list may hold any number of values."""
    wanted = {name.partition(".")[0] for name in columns}
    total = 0
    for group in range(metadata.num_row_groups):
        described = metadata.row_group(group)
        for column in map(described.column, range(metadata.num_columns)):
            if column.path_in_schema.partition(".")[0] in wanted:
                total += max(column.total_uncompressed_size, column.num_values)
    decoded.reach(total)
    decoded.reach(0)


def _size(column: Any) -> int:
    """The bytes of an array once its strings are taken from their dictionaries."""
    arrow = _arrow()
    kind = column.type
    if arrow.types.is_dictionary(kind):
        lengths = arrow.compute.binary_length(column.dictionary)
        return arrow.compute.sum(lengths.take(column.indices)).as_py() or 0
    if arrow.types.is_struct(kind):
        return sum(_size(each) for each in column.flatten())
    if arrow.types.is_list(kind) or arrow.types.is_large_list(kind) or arrow.types.is_fixed_size_list(kind):
        values = column.flatten()
        return _size(values) + _CELL * len(values)
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
