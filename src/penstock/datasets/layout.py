"""Layout of a table in a text file: encoding, separator and header, given by the user or detected.

A separator that is not given is detected by these rules, in order:

1. A first line `sep=;`, as written by spreadsheet programs, names it and is not a row.
2. Candidates are comma, semicolon, tab and | if they split the first row into two or more columns, and each following
   row into the same number. The candidate with the most columns is used; if comma ties with another, the other one,
   because commas also occur in numbers and names.
3. If there is no candidate, the separator with the most columns in the first row; if there is only one column, the one
   implied by the file's ending.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from penstock.datasets.encodings import check_encoding, first_text, text_encoding
from penstock.datasets.files import first_bytes
from penstock.errors import ConfigError

__all__ = ["DETECT", "OWN", "Layout", "Seen", "cells", "layout_of", "see"]

_SEPARATORS = ("\t", "|", ";", ",")
_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
OWN = {".csv": ",", ".tsv": "\t"}
"""File name ending -> the separator that it implies."""
_ROWS = 20
_DECLARED = re.compile(r'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """The layout of a table in a text file as given by the user; everything else is detected.

    Args:
        separator: the separator of columns: one character, or "tab"; None to detect it.
        encoding: Python's name of the encoding, such as "gb18030"; None for UTF-8. A byte order mark takes precedence.
        header: whether the first row has column names; without, columns are called 1, 2, 3 and so on.
        decimal: the decimal mark of numbers, "." or ","; None to detect it.

    Raises:
        ConfigError: the separator has several characters, the encoding is unknown, or the decimal mark is invalid.

    Example:
        >>> import penstock
        >>> penstock.Layout(separator=";", encoding="gb18030").separator
        ';'
    """

    separator: str | None = None
    encoding: str | None = None
    header: bool = True
    decimal: str | None = None

    def __post_init__(self) -> None:
        if self.encoding is not None:
            check_encoding(self.encoding)
        if self.decimal not in (None, ".", ","):
            raise ConfigError(f"the decimal mark must be '.' or ','; got {self.decimal!r:.40}")
        if self.separator is None:
            return
        character = _NAMES.get(self.separator.lower(), self.separator)
        if len(character) != 1 or not character.isascii() or character.isalnum() or character in '"\r\n\0':
            raise ConfigError(
                "the separator must be one character, such as ; or |, or the word tab; "
                f"got {self.separator!r:.40}. In a shell, quote it: --separator ';'"
            )
        object.__setattr__(self, "separator", character)


DETECT = Layout()
"""A layout in which everything is detected."""


def layout_of(chosen: Mapping[str, Any]) -> Layout:
    """Make a layout from the flags of a command, named like the layout's fields.

    Raises:
        ConfigError: as `Layout`.
    """
    header = chosen.get("header")
    named = {name: chosen.get(name) for name in ("separator", "encoding", "decimal")}
    return Layout(**named, header=True if header is None else header)


@dataclass(frozen=True)
class Seen:
    """The actual layout of a file.

    Attributes:
        separator: the separator of columns.
        encoding: Python's name of the encoding.
        quoted: whether quoted cells may contain separators and line breaks.
        declared: whether the first line names the separator.
        usual: whether the layout is what the file's ending implies, so that no message is needed.
    """

    separator: str
    encoding: str
    quoted: bool
    declared: bool
    usual: bool

    @property
    def words(self) -> str:
        """Description such as "separator ';', encoding utf-16-le"."""
        return f"separator {self.separator_name}, encoding {self.encoding}"

    @property
    def separator_name(self) -> str:
        """ "tab", or the character in quotes."""
        return "tab" if self.separator == "\t" else f"'{self.separator}'"


def see(path: Path, layout: Layout, ending: str) -> Seen:
    """Detect the layout of a file of comma- or tab-separated values from its first bytes.

    Args:
        path: the file.
        layout: the layout given by the user.
        ending: ".csv", or ".tsv", whose rows are lines without quotes.

    Raises:
        DataError: the file can't be read.
    """
    data, whole = first_bytes(path)
    encoding, _ = text_encoding(data[:4], layout.encoding)
    text = first_text(data, layout.encoding, whole=whole)
    declared = _DECLARED.match(text)
    own = OWN[ending]
    seen = Seen(own, encoding, quoted=ending != ".tsv", declared=declared is not None, usual=True)
    separator = layout.separator or (declared[1] if declared else _found(text, seen, whole=whole))
    if separator != own:
        seen = replace(seen, separator=separator, quoted=True)
    return replace(seen, usual=separator == own and encoding == "utf-8")


def cells(lines: io.TextIOBase | Iterator[str], seen: Seen) -> Iterator[list[str]]:
    """Yield the rows of a text that are not empty, without a line that declares the separator."""
    found = csv.reader(lines, delimiter=seen.separator, quoting=csv.QUOTE_MINIMAL if seen.quoted else csv.QUOTE_NONE)
    rows = (row for row in found if row)
    return islice(rows, 1, None) if seen.declared else rows


def _found(text: str, seen: Seen, *, whole: bool) -> str:
    """Detect the separator by the rules above."""
    ranks = []
    for place, separator in enumerate(_SEPARATORS):
        tried = replace(seen, separator=separator, quoted=seen.quoted or separator != seen.separator)
        rows = list(islice(cells(io.StringIO(text, newline=""), tried), _ROWS + 1))
        if len(rows) > 1 and (len(rows) > _ROWS or not whole):
            del rows[-1]  # it may be incomplete
        width = len(rows[0]) if rows else 0
        if width > 1:
            ranks.append((all(len(row) == width for row in rows), width, -place, separator))
    return max(ranks)[-1] if ranks else seen.separator
