"""The headers of a Parquet file's pages, which say how much each page holds: the file's footer may say anything.

Arrow refuses a page that holds more or less than its header says, so what the headers of a column's pages say together
bounds what Arrow decodes. PyArrow does not show them. They are structs in Thrift's compact protocol
(https://github.com/apache/parquet-format, parquet.thrift).
"""

from collections.abc import Iterator, Sequence
from io import SEEK_END
from typing import Any, BinaryIO, NamedTuple

__all__ = ["Page", "check_statistics", "pages"]

_WINDOW, _LARGEST = 1 << 8, 16 << 20
"""Bytes that are read for a header at first, and at most, as by Arrow."""
_PADDING = 100
"""Bytes behind a column that Arrow reads for old writers, which did not count them."""
_DEEPEST = 8


class Page(NamedTuple):
    """What a page's header says: bytes of the page when decompressed, and values, None for a page of a dictionary."""

    size: int
    values: int | None


def pages(file: BinaryIO, column: Any) -> Iterator[Page]:
    """Yield the pages of a column of a row group that Arrow would read.

    Args:
        file: the file, which can seek.
        column: the column's metadata, of PyArrow.

    Raises:
        ValueError: a header is damaged.
    """
    at, first = column.data_page_offset, column.dictionary_page_offset
    if column.has_dictionary_page and first is not None and 0 < first < at:
        at = first
    end, seen = at + column.total_compressed_size + _PADDING, 0
    while seen < column.num_values and at < end:
        fields, length = _header(file, at)
        page = _page(fields)
        yield page
        seen += page.values or 0
        at += length + fields[3]


def check_statistics(file: BinaryIO, leaves: Sequence[Any]) -> None:
    """Raise ValueError if the footer's statistics of sizes don't fit the columns: PyArrow would end the process.

    Args:
        file: the file, which PyArrow could open.
        leaves: the schema's columns, of PyArrow.
    """
    file.seek(-8, SEEK_END)
    length = int.from_bytes(file.read(4), "little")
    file.seek(-8 - length, SEEK_END)
    try:
        groups = _Reader(file.read(length)).struct(_DEEPEST).get(4) or []
        for column, leaf in ((each, leaf) for group in groups for each, leaf in zip(group[1], leaves, strict=True)):
            sizes = column[3].get(16) or {}
            levels = ((2, leaf.max_repetition_level), (3, leaf.max_definition_level))
            if any(sizes.get(field) and len(sizes[field]) != most + 1 for field, most in levels) or (
                1 in sizes and leaf.physical_type != "BYTE_ARRAY"
            ):
                raise ValueError(f"the statistics of {leaf.path!r:.80} are damaged")
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError("the footer is damaged") from error


def _page(fields: dict[int, Any]) -> Page:
    own = fields.get(5) or fields.get(8)  # of data, in its two versions
    values = own.get(1) if isinstance(own, dict) else None
    sizes = (fields.get(2), fields.get(3), 0 if values is None else values)
    if not all(isinstance(size, int) and size >= 0 for size in sizes) or (own and values is None):
        raise ValueError("the header of a page is damaged")
    return Page(fields[2], values)


def _header(file: BinaryIO, at: int) -> tuple[dict[int, Any], int]:
    """Return the header at a place of the file: its fields by their numbers, and its length."""
    window = _WINDOW
    while window <= _LARGEST:
        file.seek(at)
        reader = _Reader(file.read(window))
        try:
            return reader.struct(_DEEPEST), reader.at
        except IndexError:
            window *= 4
    raise ValueError("the header of a page does not end")


class _Reader:
    """Reads Thrift's compact protocol; IndexError if the data end too early."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, deepest: int) -> dict[int, Any]:
        """Read a struct: fields by their numbers, with whole numbers, structs and lists; others are None."""
        found: dict[int, Any] = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._signed()
            if field in found or not 0 <= field < 1 << 15:  # of which Arrow would take the last, or the lowest bits
                raise ValueError(f"the header of a page has a field {field} twice, or that none has")
            found[field] = self._value(head & 15, deepest)
        return found

    def _value(self, kind: int, deepest: int) -> Any:
        if kind in (4, 5, 6):  # whole numbers of 16 to 64 bits
            return self._signed()
        if kind == 12 and deepest:
            return self.struct(deepest - 1)
        if kind in (9, 10) and deepest:  # lists and sets
            head = self._byte()
            inner = 3 if head & 15 in (1, 2) else head & 15  # in a list, true and false have a byte
            return [self._value(inner, deepest - 1) for _ in range(self._number() if head >> 4 == 15 else head >> 4)]
        if kind in (3, 7, 8):  # a byte, a floating-point number, bytes
            self._pass({3: 1, 7: 8}.get(kind) or self._number())
        elif kind not in (1, 2):  # true and false, which have no bytes
            raise ValueError(f"the header of a page has a value of kind {kind}")
        return None

    def _signed(self) -> int:
        number = self._number()
        return number >> 1 ^ -(number & 1)

    def _number(self) -> int:
        found = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
        raise ValueError("the header of a page has a number without an end")

    def _byte(self) -> int:
        found = self.data[self.at]
        self.at += 1
        return found

    def _pass(self, size: int) -> None:
        self.at += size
        if self.at > len(self.data):
            raise IndexError
