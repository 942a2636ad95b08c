"""Reads comma- and tab-separated values of any layout with PyArrow.

Quoted text may contain separators, quotes and line breaks, as in RFC 4180. A `.tsv` file with tabs has no quoting, and
each line is one row.
"""

import csv
import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from penstock.datasets.changes import change
from penstock.datasets.encodings import as_utf8, first_text, text_encoding
from penstock.datasets.files import all_bytes, first_bytes, opened
from penstock.datasets.layout import DETECT, OWN, Layout, Seen, cells, see
from penstock.datasets.naming import check_columns
from penstock.errors import DataError, MissingExtraError

__all__ = ["delimited_head", "delimited_names", "read_delimited", "stream_delimited"]

_LOGGER = logging.getLogger(__name__)
_LONGEST_LINE = 1 << 24
"""The longest line of column names, in characters. It limits how much is read of a file that isn't a table."""
_SOME = 1 << 15  # cells
_BLOCK_LIMIT = 2**31 - 1  # PyArrow's limit, in bytes
_STREAMED_BYTES = 1 << 22  # of a file that is read block by block; PyArrow carries a row over into the next one
_DATA = re.compile(r"\s*([+-]?[\d.,]*\d|\d{4}[-/.]\d\d?[-/.]\d\d?.*)\s*", re.ASCII)
"""Text that is probably not a column name: a number or a date."""


def read_delimited(path: Path, data: bytes, columns: list[str], layout: Layout, ending: str) -> dict[str, list[Any]]:
    """Read columns of a file as text, None for an empty cell.

    Args:
        path: the file.
        data: its bytes.
        columns: the names of the columns to read, without duplicates.
        layout: the layout as far as the caller specifies it.
        ending: ".csv" or ".tsv".

    Returns:
        Column name -> cells.

    Raises:
        DataError: the file isn't text in its encoding, lacks a column, or has a row with another number of cells.
        MissingExtraError: PyArrow isn't installed.
    """
    pyarrow = _arrow()
    seen = see(path, layout, ending)
    data = as_utf8(path, data, layout.encoding)
    first = _first_row(path, io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""), seen)
    there = first if layout.header else _numbered(first)
    _check(path, there, columns, layout, seen)
    try:
        # One block, because a row must not span two blocks.
        options = _options(seen, columns, min(max(len(data), 1024), _BLOCK_LIMIT), None if layout.header else there)
        table = pyarrow.csv.read_csv(pyarrow.BufferReader(data), *options)
    except pyarrow.ArrowInvalid as error:
        raise _refused(path, error, seen) from error
    _count_changes(path, seen, ending, table.num_rows)
    return {name: _cells(table[name]) for name in columns}


def _cells(column: Any) -> list[Any]:
    """Return a column of Arrow's as a list, some cells at a time: meanwhile no other thread runs."""
    return [cell for start in range(0, len(column), _SOME) for cell in column.slice(start, _SOME).to_pylist()]


def stream_delimited(path: Path, columns: list[str], layout: Layout, ending: str) -> Iterator[dict[str, list[Any]]]:
    """Yield columns of a file as `read_delimited` returns them, some rows at a time, in constant memory.

    Raises:
        DataError: as `read_delimited`; or a row is longer than 16 MiB.
        MissingExtraError: PyArrow isn't installed.
    """
    pyarrow = _arrow()
    seen, there = see(path, layout, ending), delimited_names(path, layout, ending)
    _check(path, there, columns, layout, seen)
    with opened(path) as file:
        file.seek(text_encoding(file.read(4), layout.encoding)[1])
        try:
            options = _options(seen, columns, _STREAMED_BYTES, None if layout.header else there, seen.encoding)
            for number, batch in enumerate(pyarrow.csv.open_csv(file, *options)):
                rows = {name: batch.column(name) for name in columns}
                if any(
                    pyarrow.compute.any(pyarrow.compute.match_substring(cell, "\0")).as_py() for cell in rows.values()
                ):
                    raise DataError(f"{path}: must be text; it has zero bytes. Is it the right file?")
                _count_changes(path, seen, ending, len(batch), first=not number)
                yield {name: cells.to_pylist() for name, cells in rows.items()}
        except (pyarrow.ArrowInvalid, UnicodeDecodeError) as error:
            raise _refused(path, error, seen) from error


def _arrow() -> ModuleType:
    try:
        import pyarrow
        import pyarrow.compute
        import pyarrow.csv
    except ImportError as error:
        raise MissingExtraError("reading csv files needs PyArrow: pip install 'penstock[data]'") from error
    return pyarrow


def _options(
    seen: Seen, columns: Sequence[str], block_size: int, names: list[str] | None, encoding: str = "utf-8"
) -> tuple[Any, Any, Any]:
    """Return PyArrow's options to read, to parse and to convert; `names` of columns if the file has none."""
    pyarrow = _arrow()
    return (
        # One thread, because only then errors name the row.
        pyarrow.csv.ReadOptions(
            use_threads=False,
            block_size=block_size,
            skip_rows=int(seen.declared),
            column_names=names,
            encoding=encoding,
        ),
        pyarrow.csv.ParseOptions(
            delimiter=seen.separator, quote_char='"' if seen.quoted else False, newlines_in_values=seen.quoted
        ),
        # Read every cell as text, so that a label 007 is kept; only empty cells are missing values.
        pyarrow.csv.ConvertOptions(
            include_columns=list(columns),
            column_types=dict.fromkeys(columns, pyarrow.large_string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )


def _refused(path: Path, error: Exception, seen: Seen) -> DataError:
    advice = "Quote texts that hold separators." if seen.quoted else "A TSV's texts can't hold tabs."
    said = f"{str(error).removeprefix('CSV parse error: '):.200}"
    return DataError(f"{path}: {said}. The separator is {seen.separator_name}. {advice}")


def _count_changes(path: Path, seen: Seen, ending: str, rows: int, *, first: bool = True) -> None:
    """Count the rows with another separator or encoding than the file's ending implies; one line tells both."""
    if seen.usual:
        return
    if first:
        _LOGGER.info("%s: %s", path, seen.words)
    separators, encodings = int(seen.separator != OWN[ending]), int(seen.encoding != "utf-8")
    change(_LOGGER, f"rows split at another separator: {seen.separator_name}", rows * separators, "")
    change(_LOGGER, f"rows in another encoding: {seen.encoding}", rows * encodings, "")


def delimited_names(path: Path, layout: Layout, ending: str) -> list[str]:
    """Return the names of a file's columns; empty for an empty file. Only the first row is read.

    Raises:
        DataError: the file can't be read, or its first row doesn't contain names.
    """
    seen = see(path, layout, ending)
    with opened(path) as file:
        mark = text_encoding(file.read(4), layout.encoding)[1]
        file.seek(mark)
        with io.TextIOWrapper(file, seen.encoding, newline="") as lines:
            first = _first_row(path, lines, seen, layout)
    return first if layout.header else _numbered(first)


def delimited_head(path: Path, layout: Layout, ending: str, size: int, rows: int) -> dict[str, list[Any]]:
    """Return the first complete rows of a file as columns, None for an empty cell.

    Rows with another number of cells are left out.

    Args:
        path, layout, ending: as in `read_delimited`.
        size: number of bytes to read.
        rows: maximum number of rows to return.

    Raises:
        DataError: the file can't be read, or its first row looks like data instead of names.
    """
    seen = see(path, layout, ending)
    data, whole = first_bytes(path, size)
    text = first_text(data, layout.encoding, whole=whole)
    found: list[list[str]] = []
    with suppress(csv.Error):  # a cell of more than 128 KiB: the rows before it are enough
        found.extend(islice(cells(io.StringIO(text, newline=""), seen), rows + 1))
    if not whole and 1 < len(found) <= rows:
        del found[-1]  # the last row may be incomplete
    if not found:
        return {}
    names = found.pop(0) if layout.header else _numbered(found[0])
    columns = list(zip(*(row for row in found if len(row) == len(names)), strict=True)) or [()] * len(names)
    if layout.header and (cell := _first_data(names, columns)) is not None:
        raise DataError(
            f"{path}: its first row looks like data, not like names of columns: {cell!r:.40}. If it has no names, say "
            f"so with --no-header (Layout(header=False)); then columns are called 1 to {len(names)}. Else name the "
            "columns to read."
        )
    return {name: [cell or None for cell in column] for name, column in zip(names, columns, strict=True)}


def _first_row(path: Path, lines: io.TextIOBase, seen: Seen, layout: Layout = DETECT) -> list[str]:
    """The first row that isn't empty; an empty list for an empty file."""
    limited = iter(lambda: lines.readline(_LONGEST_LINE), "")
    try:
        names = next(cells(limited, seen), [])
    except csv.Error as error:
        raise DataError(f"{path}: its first line holds no names of columns: {error}") from error
    except UnicodeDecodeError:
        names = ["\0"]
    if any("\0" in name for name in names):
        as_utf8(path, all_bytes(path), layout.encoding)  # raises an error that names the line
    if sum(map(len, names)) + len(names) >= _LONGEST_LINE:
        raise DataError(
            f"{path}: its first line holds no names of columns: it has more than {_LONGEST_LINE} characters"
        )
    return names


def _numbered(row: Sequence[str]) -> list[str]:
    """Column names for a file without a header: numbers from 1."""
    return [str(number) for number in range(1, len(row) + 1)]


def _first_data(names: Sequence[str], columns: Sequence[Sequence[str]]) -> str | None:
    """The first column name that is probably data: a number, a date, or a value of its own column; None without one."""
    return next(
        (
            name
            for name, column in zip(names, columns, strict=True)
            if (_DATA.fullmatch(name) and len(names) > 1) or (name and name in column)
        ),
        None,
    )


def _check(path: Path, there: list[str], columns: list[str], layout: Layout, seen: Seen) -> None:
    more = f" The separator is {seen.separator_name}."
    if layout.header and len(there) > 1 and any(map(_DATA.fullmatch, there)):
        more += f" If the first row is data, say so with --no-header; then columns are called 1 to {len(there)}."
    check_columns(path, there, columns, more)
