"""Columns of files: CSV, TSV, JSON lines and Parquet, plain or gzipped, in UTF-8.

CSV is quoted as in RFC 4180: a quoted text may hold commas, quotes and line breaks. TSV is not quoted: a row a line.
JSON lines go through Python's own reader, because it says which line is wrong and takes labels of several types.
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from penstock.errors import DataError, MissingExtraError

__all__ = ["column_names", "first_line", "read_table", "read_utf8"]

_FIRST_BYTES = 1 << 16
_LONGEST_LINE = 1 << 24
"""Of names of columns, in characters: whoever looks for them in another file reads no more."""
_BLOCK_LIMIT = 2**31 - 1  # PyArrow's, in bytes


def read_table(path: str | Path, columns: Sequence[str]) -> dict[str, list[Any]]:
    """The columns of a file by name, None where a value is missing; what kind of file it is, its ending says.

    Raises:
        DataError: no such file, another ending, empty, not UTF-8, binary, a row of another width (with its number), or
            a missing column (with those there are).
        MissingExtraError: PyArrow isn't installed.
    """
    path = Path(path)
    reader = _READERS[_ending(path)]
    data = _content(path, f"rows with the columns {', '.join(columns)}")
    table = reader(path, data, list(dict.fromkeys(columns)))
    if not all(table.values()):
        raise DataError(f"{path}: has columns, but no rows")
    return table


def column_names(path: str | Path) -> list[str]:
    """The names of a file's columns, of which no more is read than it takes; for JSON lines, those of its first row.

    Raises:
        DataError: as `read_table`, as far as the file is read.
    """
    path = Path(path)
    ending = _ending(path)
    with _opened(path) as file:
        if ending == ".parquet":
            return _schema(path, file)
        if ending in (".csv", ".tsv"):
            names = _header(path, file, "," if ending == ".csv" else "\t", ending == ".csv")
        else:
            names = list(next(_json_rows(path, _first_lines(path, file)), {}))
    if not "".join(names).strip():
        _content(path, "names of columns, and rows")  # says that it is empty, if it is
    return names


def first_line(path: str | Path) -> tuple[str, bool]:
    """The first line of a file, plain or gzipped, that isn't blank, and whether that is all of it.

    No more than some 64 KiB are read behind blank lines. What is no UTF-8 becomes U+FFFD.

    Raises:
        DataError: the file can't be read.
    """
    with _opened(Path(path)) as file:
        found = file.read(_FIRST_BYTES)
        while found and not found.strip():
            found = file.read(_FIRST_BYTES)
        ends = not file.read(1)
    lines = found.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").lstrip().splitlines(keepends=True)
    line = lines[0] if lines else ""
    return line.rstrip(), ends or len(line) > len(line.rstrip("\r\n"))


def read_utf8(path: str | Path) -> str:
    """A text file, plain or gzipped, without a byte order mark.

    Raises:
        DataError: it can't be read, or isn't UTF-8.
    """
    return _utf8(Path(path), _bytes(Path(path))).decode("utf-8")


def _csv(path: Path, data: bytes, columns: list[str]) -> dict[str, list[Any]]:
    return _delimited(path, data, columns, delimiter=",", quoted=True)


def _tsv(path: Path, data: bytes, columns: list[str]) -> dict[str, list[Any]]:
    return _delimited(path, data, columns, delimiter="\t", quoted=False)


def _delimited(path: Path, data: bytes, columns: list[str], *, delimiter: str, quoted: bool) -> dict[str, list[Any]]:
    arrow = _arrow("csv")
    data = _utf8(path, data)
    _check_columns(path, _header(path, io.BytesIO(data), delimiter, quoted), columns)
    try:
        table = arrow.csv.read_csv(
            arrow.BufferReader(data),
            # One block, because a row must not cross two; one thread, because only then errors say which row.
            arrow.csv.ReadOptions(use_threads=False, block_size=min(max(len(data), 1024), _BLOCK_LIMIT)),
            arrow.csv.ParseOptions(delimiter=delimiter, quote_char='"' if quoted else False, newlines_in_values=quoted),
            # Everything is text, so that a label 007 stays one; only what is empty is missing.
            arrow.csv.ConvertOptions(
                include_columns=columns,
                column_types=dict.fromkeys(columns, arrow.large_string()),
                null_values=[""],
                strings_can_be_null=True,
            ),
        )
    except arrow.ArrowInvalid as error:
        advice = "Quote texts that hold commas." if quoted else "A TSV's texts can't hold tabs."
        raise DataError(f"{path}: {str(error).removeprefix('CSV parse error: '):.200}. {advice}") from error
    return {name: table[name].to_pylist() for name in columns}


def _header(path: Path, file: BinaryIO, delimiter: str, quoted: bool) -> list[str]:
    """The first row that isn't empty; none in an empty file. The file is closed."""
    try:
        with io.TextIOWrapper(file, "utf-8-sig", newline="") as lines:
            limited = iter(lambda: lines.readline(_LONGEST_LINE), "")
            rows = csv.reader(limited, delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE)
            names = next((row for row in rows if row), [])
    except csv.Error as error:
        raise DataError(f"{path}: its first line holds no names of columns: {error}") from error
    except UnicodeDecodeError:
        names = ["\0"]
    if any("\0" in name for name in names):
        _utf8(path, _bytes(path))  # says in which line
    if sum(map(len, names)) + len(names) >= _LONGEST_LINE:
        raise DataError(
            f"{path}: its first line holds no names of columns: it has more than {_LONGEST_LINE} characters"
        )
    return names


def _schema(path: Path, file: BinaryIO) -> list[str]:
    arrow = _arrow("parquet")
    try:
        return list(arrow.parquet.read_schema(file).names)
    except (arrow.ArrowException, OSError) as error:
        _content(path, "names of columns, and rows")  # says that it is empty, if it is
        raise DataError(f"{path}: can't be read as Parquet: {error!s:.200}") from error


def _json_lines(path: Path, data: bytes, columns: list[str]) -> dict[str, list[Any]]:
    rows = list(_json_rows(path, _utf8(path, data).split(b"\n")))
    _check_columns(path, list(dict.fromkeys(name for row in rows for name in row)), columns)
    return {name: [row.get(name) for row in rows] for name in columns}


def _json_rows(path: Path, lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number}: must be a JSON object on one line: {error}") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: must be a JSON object on one line; got {line.decode()!r:.60}")
        yield row


def _first_lines(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """Lines without a byte order mark, each checked as `_utf8` checks a whole file."""
    for number, line in enumerate(file):
        try:
            wrong = "\0" in line.decode("utf-8")
        except UnicodeDecodeError:
            wrong = True
        if wrong:
            _utf8(path, _bytes(path))  # says what and where
        yield line if number else line.removeprefix(codecs.BOM_UTF8)


def _parquet(path: Path, data: bytes, columns: list[str]) -> dict[str, list[Any]]:
    arrow = _arrow("parquet")
    try:
        file = arrow.parquet.ParquetFile(arrow.BufferReader(data))
        _check_columns(path, file.schema_arrow.names, columns)
        table = file.read(columns=columns)
        return {name: table[name].to_pylist() for name in columns}
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: can't be read as Parquet: {error!s:.200}") from error


_READERS = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_lines,
    ".parquet": _parquet,
}


def _ending(path: Path) -> str:
    """Of a file's name, without .gz: what kind of table it is."""
    name = path.name.lower().removesuffix(".gz")
    ending = next((ending for ending in _READERS if name.endswith(ending)), None)
    if ending is None:
        raise DataError(f"{path}: must end in one of {', '.join(_READERS)}, or that and .gz")
    return ending


def _content(path: Path, expected: str) -> bytes:
    """What a table's file holds; DataError if that is nothing, or a byte order mark alone."""
    data = _bytes(path)
    if not data.removeprefix(codecs.BOM_UTF8).strip():
        raise DataError(f"{path}: is empty; expected {expected}")
    return data


def _bytes(path: Path) -> bytes:
    with _opened(path) as file:
        return file.read()


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file's bytes, unpacked as they are read; DataError if they can't be."""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            yield file  # type: ignore[misc]  # a GzipFile reads like any other
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{path}: can't be read: {reason}") from error


def _utf8(path: Path, data: bytes) -> bytes:
    """The data without a byte order mark, after a check that it is text."""
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        wrong = data.decode("utf-8").find("\0")
        found, line = "a zero byte, so it is no text", data.count(b"\n", 0, data.find(b"\0")) + 1
    except UnicodeDecodeError as error:
        wrong, line = error.start, data.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{data[error.start]:02x}"
    if wrong >= 0:
        raise DataError(
            f"{path}, line {line}: must be text in UTF-8; got {found}. Convert the file: iconv -f ENCODING -t UTF-8"
        )
    return data


def _check_columns(path: Path, there: list[str], wanted: list[str]) -> None:
    names = ", ".join(there)
    if missing := [name for name in wanted if name not in there]:
        raise DataError(f"{path}: has no column {', '.join(missing)}; it has {names[:300]}")
    if twice := [name for name in wanted if there.count(name) > 1]:
        raise DataError(f"{path}: has the column {twice[0]} more than once: {names[:300]}")


def _arrow(part: str) -> ModuleType:
    try:
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(f"reading {part} files needs PyArrow: pip install 'penstock[data]'") from error
    return pyarrow
