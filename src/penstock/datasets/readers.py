"""Reads columns of CSV, TSV, JSON and Parquet files, plain or gzipped."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.datasets.delimited import delimited_head, delimited_names, read_delimited, stream_delimited
from penstock.datasets.encodings import as_utf8, first_text, text_encoding
from penstock.datasets.files import all_bytes, first_bytes
from penstock.datasets.json_tables import json_head, json_names, read_json, stream_json
from penstock.datasets.layout import DETECT, Layout
from penstock.datasets.parquet import parquet_head, parquet_names, read_parquet, stream_parquet
from penstock.datasets.remote import as_path
from penstock.errors import DataError

__all__ = [
    "column_names",
    "first_line",
    "first_rows",
    "is_table",
    "read_table",
    "read_text",
    "stream_table",
    "table_ending",
]

_ENDINGS = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet")
_DELIMITED = (".csv", ".tsv")
_ROWS = "names of columns, and rows"
_HEAD_BYTES = 1 << 18
_HEAD_ROWS = 1000
_STREAMED_ROWS = 1000


def read_table(path: str | Path, columns: Sequence[str], layout: Layout = DETECT) -> dict[str, list[Any]]:
    """Read columns of a file; the file's extension determines its type.

    Args:
        path: the file.
        columns: the names of the columns; numbers from 1 if the layout has no header.
        layout: the layout of a text file; what it leaves open is detected from the file.

    Returns:
        Column name -> values, None for a missing value.

    Raises:
        DataError: the file doesn't exist, has an unknown extension, is empty, binary or in another encoding, has a row
            with another number of cells (the message gives its number), or lacks a column (the message lists those
            there are).
        MissingExtraError: PyArrow isn't installed.
    """
    path = as_path(path)
    ending = _ending(path)
    wanted = list(dict.fromkeys(columns))
    expected = f"rows with the columns {', '.join(columns)}"
    if ending == ".parquet":
        table = read_parquet(path, wanted)
    elif ending in _DELIMITED:
        table = read_delimited(path, _content(path, expected), wanted, layout, ending)
    else:
        _check_content(path, first_bytes(path)[0], expected)
        table = read_json(path, wanted, layout)
    if not all(table.values()):
        raise DataError(f"{path}: has columns, but no rows")
    return table


def stream_table(path: Path, columns: Sequence[str], layout: Layout = DETECT) -> Iterator[dict[str, list[Any]]]:
    """Yield columns of a file as `read_table` returns them, some rows at a time, in constant memory.

    The same rules hold, so that a file has the same rows whichever way it is read. JSON is read in constant memory only
    if each line holds an object.

    Raises:
        DataError, MissingExtraError: as `read_table`, once the rows before the fault have been yielded.
    """
    ending, wanted = _ending(path), list(dict.fromkeys(columns))
    _check_content(path, first_bytes(path)[0], f"rows with the columns {', '.join(columns)}")
    if ending == ".parquet":
        yield from stream_parquet(path, wanted)
    elif ending in _DELIMITED:
        yield from stream_delimited(path, wanted, layout, ending)
    else:
        yield from stream_json(path, wanted, layout, _STREAMED_ROWS)


def column_names(path: str | Path, layout: Layout = DETECT) -> list[str]:
    """Return the names of a file's columns; for JSON, the keys of the first row. Reads no more than needed.

    Raises:
        DataError: as for `read_table`, for the part of the file that is read.
    """
    path = as_path(path)
    ending = _ending(path)
    if ending in _DELIMITED:
        names = delimited_names(path, layout, ending)
    elif ending == ".parquet":
        return parquet_names(path)
    else:
        names = json_names(path, layout)
    if not "".join(names).strip():
        _content(path, _ROWS)  # says that it is empty, if it is
    return names


def first_rows(path: str | Path, layout: Layout = DETECT) -> dict[str, list[Any]]:
    """Return up to a thousand first rows of a file as columns by name, None for a missing value.

    At most the first 256 KiB of a text file are read.

    Raises:
        DataError: as for `read_table`, for the part of the file that is read; or the first row looks like data instead
            of names.
    """
    path = as_path(path)
    ending = _ending(path)
    if ending == ".parquet":
        return parquet_head(path, _HEAD_ROWS)
    if ending in _DELIMITED:
        found = delimited_head(path, layout, ending, _HEAD_BYTES, _HEAD_ROWS)
    else:
        found = json_head(path, layout, _HEAD_ROWS, _HEAD_BYTES)
    if not found:
        _content(path, _ROWS)  # says that it is empty, if it is
    return found


def first_line(path: str | Path, layout: Layout = DETECT) -> tuple[str, bool]:
    """Return the first line of a file, plain or gzipped, that isn't blank, and whether the line is complete.

    At most about 64 KiB are read after blank lines. Bytes that can't be decoded become U+FFFD.

    Raises:
        DataError: the file can't be read.
    """
    found, ends = first_bytes(as_path(path))
    lines = first_text(found, layout.encoding, whole=ends).lstrip().splitlines(keepends=True)
    line = lines[0] if lines else ""
    return line.rstrip(), ends or len(line) > len(line.rstrip("\r\n"))


def read_text(path: str | Path, layout: Layout = DETECT) -> str:
    """Return the text of a file, plain or gzipped, without a byte order mark.

    Raises:
        DataError: the file can't be read, or is in another encoding.
    """
    return as_utf8(path, all_bytes(as_path(path)), layout.encoding).decode("utf-8")


def is_table(path: Path) -> bool:
    """Return whether a file's name has the extension of a table."""
    return table_ending(path) is not None


def table_ending(path: Path) -> str | None:
    """Return the extension of a table's name, without .gz; None if it is not that of a table."""
    name = path.name.lower().removesuffix(".gz")
    return next((ending for ending in _ENDINGS if name.endswith(ending)), None)


def _ending(path: Path) -> str:
    """The extension of a file's name without .gz, which determines the type of table."""
    name, ending = path.name.lower().removesuffix(".gz"), table_ending(path)
    if ending is None:
        advice = " Save the sheet as CSV." if name.endswith((".xlsx", ".xls", ".ods")) else ""
        begin = "is a folder; expected a table, whose name ends" if path.is_dir() else "must end"
        raise DataError(f"{path}: {begin} in one of {', '.join(_ENDINGS)}, or that and .gz.{advice}")
    return ending


def _content(path: Path, expected: str) -> bytes:
    """The bytes of a table's file; DataError if there are none, or only a byte order mark."""
    data = all_bytes(path)
    _check_content(path, data, expected)
    return data


def _check_content(path: Path, data: bytes, expected: str) -> None:
    mark = text_encoding(data[:4])[1]
    if not data[mark:].strip(b" \t\r\n\f\0"):
        raise DataError(f"{path}: is empty; expected {expected}")
