"""Reads tables of JSON in three forms: an object on each line, an array of objects, or an object of columns.

An object of columns has a list of values for each column, or as pandas writes it, an object of values by row name.
Objects may also follow each other without being one on each line, as `jq` prints them. `.jsonl` and `.ndjson` files
with an object on the first line are always read line by line; in a `.json` file whose only line is an object of lists
of one length, these lists are columns.

Python's `json` is used, because it reports where an error is and accepts labels of several types.
"""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from penstock.datasets.changes import change
from penstock.datasets.encodings import as_utf8, first_text, text_encoding
from penstock.datasets.files import all_bytes, first_bytes, opened
from penstock.datasets.layout import Layout
from penstock.datasets.naming import check_columns
from penstock.errors import DataError

__all__ = ["json_head", "json_names", "read_json", "stream_json"]

_LOGGER = logging.getLogger(__name__)
_LARGEST = 1 << 30
"""The most bytes of a file that is not read line by line: all of it is in memory, several times over."""
_FORMS = (
    'must be an object on each line, like {"text": "good", "label": 1}, an array of such objects, or one object with a '
    "list for each column"
)
_BLANKS = re.compile(r"[ \t\r\n]*")

Row = dict[str, Any]
Table = dict[str, list[Any]]


def read_json(path: Path, columns: Sequence[str], layout: Layout) -> Table:
    """Read columns of a file, None where a row lacks one.

    Raises:
        DataError: the file can't be read, isn't in one of the three forms, or lacks a column; the message names the
            line, and in an array the row.
    """
    if _is_whole(path, layout):
        table = _document(path, layout)
    else:
        table = _by_name(_line_rows(path, as_utf8(path, all_bytes(path), layout.encoding).split(b"\n")))
    check_columns(path, list(table), columns)
    encoding = text_encoding(first_bytes(path)[0][:4], layout.encoding)[0]
    rows = len(next(iter(table.values()), [])) if encoding != "utf-8" else 0
    change(_LOGGER, f"rows in another encoding: {encoding}", rows, f"{path}: encoding {encoding}")
    return {name: table[name] for name in columns}


def stream_json(path: Path, columns: Sequence[str], layout: Layout, rows: int) -> Iterator[Table]:
    """Yield columns of a file as `read_json` returns them, at most `rows` rows at a time.

    Only a file with an object on each line is read in constant memory; another one is read as a whole.

    Raises:
        DataError: as `read_json`; in lines, a column may be missing only in some of the rows.
    """
    if _is_whole(path, layout):
        table = read_json(path, columns, layout)
        count = len(next(iter(table.values()), []))
        for start in range(0, count, rows):
            yield {name: values[start : start + rows] for name, values in table.items()}
        return
    missing = set(columns)
    with opened(path) as file:
        several = _line_rows(path, _lines(path, file, layout))
        there: dict[str, None] = {}
        while some := list(islice(several, rows)):
            missing.difference_update(*some)
            there |= dict.fromkeys(name for row in some for name in row)
            yield {name: [row.get(name) for row in some] for name in columns}
    if missing:
        check_columns(path, list(there), columns)


def json_names(path: Path, layout: Layout) -> list[str]:
    """Return the names of the columns: the keys of the first row. Reads no more than needed.

    Raises:
        DataError: as `read_json`, for the part of the file that is read.
    """
    return list(json_head(path, layout, 1, 1 << 16))


def json_head(path: Path, layout: Layout, rows: int, size: int) -> Table:
    """Return the first rows as columns, None where a row lacks one.

    Args:
        path: the file.
        layout: its layout.
        rows: the most rows to return.
        size: how many bytes of an array to read, unless its first row is longer.

    Raises:
        DataError: as `read_json`, for the part of the file that is read.
    """
    if not _is_whole(path, layout):
        with opened(path) as file:
            return _by_name(islice(_line_rows(path, _lines(path, file, layout)), rows))
    data, ends = first_bytes(path, size)
    text = first_text(data, layout.encoding, whole=ends)
    if not ends and text.lstrip().startswith("["):
        values = (value for _, value in _values(path, text, whole=False))
        if found := [value for value in islice(values, rows) if isinstance(value, dict)]:
            return _by_name(found)
    return {name: values[:rows] for name, values in _document(path, layout).items()}


def _is_whole(path: Path, layout: Layout) -> bool:
    """Whether the file has to be read as a whole, because its rows are not its lines."""
    data, ends = first_bytes(path)
    start = first_text(data, layout.encoding, whole=ends).lstrip()[:1]
    if start != "{":
        return start == "["
    with opened(path) as file:
        lines = filter(bytes.strip, _lines(path, file, layout))
        first = next(lines).decode()
        try:
            value = _DECODER.decode(first)
        except json.JSONDecodeError as error:
            return error.pos >= len(first.rstrip())  # it goes on in the next line
        except (ValueError, RecursionError):
            return False
        may_be_columns = path.name.lower().removesuffix(".gz").endswith(".json")
        return may_be_columns and len(set((_widths(value) or {}).values())) == 1 and next(lines, None) is None


def _document(path: Path, layout: Layout) -> Table:
    """Read a file as a whole: an array, objects one after the other, or an object of columns."""
    data = all_bytes(path, _LARGEST)
    text = as_utf8(path, data, layout.encoding).decode()
    found = list(_values(path, text))
    values = [value for _, value in found]
    if not text.lstrip().startswith("[") and len(values) == 1 and not _is_row(values[0]):
        _LOGGER.info("%s: one JSON object of columns", path)
        return _columns(path, values[0])
    for row, (place, value) in enumerate(found, start=1):
        if not isinstance(value, dict):
            raise DataError(f"{_at(path, text, place)}: row {row} must be a JSON object; got {value!r:.60}")
    _LOGGER.info("%s: one JSON array" if text.lstrip().startswith("[") else "%s: JSON objects over several lines", path)
    return _by_name(values)


def _columns(path: Path, value: Any) -> Table:
    """Return the columns of an object of columns, either lists or objects of values by row name."""
    widths = _widths(value)
    if widths is None or set(value) == {"columns", "index", "data"}:
        keys = f"with the keys {', '.join(value):.80}" if isinstance(value, dict) else f"{value!r:.40}"
        raise DataError(f"{path}: {_FORMS}; got one {keys}. In pandas: to_json(orient='records')")
    if len(set(widths.values())) > 1:
        counted = ", ".join(f"{count} of {name}" for name, count in widths.items())
        raise DataError(f"{path}: columns must all have the same length; got {counted:.200}")
    if isinstance(next(iter(value.values())), list):
        return dict(value)
    rows = list(next(iter(value.values())))
    for name, column in value.items():
        if absent := [row for row in rows if row not in column]:
            raise DataError(f"{path}: columns must all have the same rows; {name} has none called {absent[0]!r:.40}")
    return {name: [column[row] for row in rows] for name, column in value.items()}


def _widths(value: Any) -> dict[str, int] | None:
    """The length of each column of an object of columns; None if it isn't one."""
    several = list(value.values()) if isinstance(value, dict) else []
    alike = bool(several) and any(all(isinstance(each, kind) for each in several) for kind in (list, dict))
    return {name: len(column) for name, column in value.items()} if alike else None


def _is_row(value: Any) -> bool:
    """Whether an object can only be a row: it has no lists or objects."""
    return isinstance(value, dict) and not any(isinstance(each, list | dict) for each in value.values())


def _by_name(rows: Iterable[Row]) -> Table:
    several = list(rows)
    names = dict.fromkeys(name for row in several for name in row)
    return {name: [row.get(name) for row in several] for name in names}


def _line_rows(path: Path, lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = _DECODER.decode(line.decode())
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number}: must be a JSON object on one line: {error}") from error
        if not isinstance(row, dict):
            shown = line.decode().strip()
            raise DataError(f"{path}, line {number}: must be a JSON object on one line; got {shown!r:.60}")
        yield row


def _lines(path: Path, file: BinaryIO, layout: Layout) -> Iterator[bytes]:
    """Lines in UTF-8 without a byte order mark; each is checked as `as_utf8` checks a whole file."""
    name, mark = text_encoding(file.read(4), layout.encoding)
    if name != "utf-8":  # in other encodings, a newline byte need not end a line
        yield from as_utf8(path, all_bytes(path), layout.encoding).splitlines(keepends=True)
        return
    file.seek(mark)
    for line in file:
        try:
            wrong = "\0" in line.decode("utf-8")
        except UnicodeDecodeError:
            wrong = True
        if wrong:
            as_utf8(path, all_bytes(path))  # raises an error with the cause and the line
        yield line


def _values(path: Path, text: str, *, whole: bool = True) -> Iterator[tuple[int, Any]]:
    """Yield the place and value of each element of an array, or of each value of a text of several.

    Args:
        path: the file, for messages.
        text: its text.
        whole: whether this is all of it; else what is incomplete at its end is left out.

    Raises:
        DataError: the text is not JSON; the message names the line.
    """
    at = _after_blanks(text, 0)
    in_array = text[at : at + 1] == "["
    at = _after_blanks(text, at + in_array)
    row = 0
    while at < len(text) and not (in_array and row == 0 and text[at] == "]"):
        row += 1
        try:
            value, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            if not whole:
                return
            where = _at(path, text, getattr(error, "pos", at))
            raise DataError(f"{where}: row {row} {_FORMS}: {getattr(error, 'msg', error)}") from error
        yield at, value
        at = _after_blanks(text, end)
        if in_array and text[at : at + 1] == ",":
            at = _after_blanks(text, at + 1)
        elif in_array:
            break
    if in_array and whole and (text[at : at + 1] != "]" or text[at + 1 :].strip()):
        place = at + (text[at : at + 1] == "]")
        raise DataError(
            f"{_at(path, text, place)}: an array must have commas between its rows, and end with ]; "
            f"got {text[place : place + 100].strip()!r:.40} after row {row}"
        )


def _after_blanks(text: str, at: int) -> int:
    found = _BLANKS.match(text, at)
    assert found is not None
    return found.end()


def _at(path: Path, text: str, place: int) -> str:
    line = text.count("\n", 0, place) + 1
    return f"{path}, line {line}"


def _once(pairs: list[tuple[str, Any]]) -> Row:
    """Make an object; ValueError if it has a key twice, of which Python would keep the last one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object has the key {twice!r:.40} twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)
