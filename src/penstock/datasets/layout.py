"""How a file lays a table out as text: its encoding, its separator, its header; said by a person, or seen in the file.

The separator, where nobody says it, is found by a small rule, in this order:

1. A first line `sep=;`, as spreadsheet programs write it, names it, and is no row.
2. Of comma, semicolon, tab and |, those are possible that part the first row in two or more, and each of the next rows
   in as many. The one with the most columns is taken; where a comma makes as many as another, that other one, as
   commas stand in numbers and names too.
3. If none is possible, the one with the most columns in the first row; if there is but one column, the one that the
   file's ending says.
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

__all__ = ["DETECT", "Layout", "Seen", "cells", "layout_of", "see"]

_SEPARATORS = ("\t", "|", ";", ",")
_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_ROWS = 20
_DECLARED = re.compile(r'"?sep=([^"\r\n])"?\r?\n', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """What a person says of how a file holds a table; what isn't said is found in the file.

    Args:
        separator: between columns: one character, or "tab"; None to find it.
        encoding: Python's name of it, such as "gb18030"; None for UTF-8, or what a byte order mark says. A mark
            counts more than what is said.
        header: whether the first row holds the names of the columns; without, they are called 1, 2, 3 and so on.
        decimal: the decimal mark of numbers, "." or ","; None to find it in the columns of numbers.

    Raises:
        ConfigError: a separator of several characters, an encoding that Python doesn't know, another decimal mark.

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
"""A layout of which nothing is said: all is found in the file."""


def layout_of(chosen: Mapping[str, Any]) -> Layout:
    """What the flags of a command say of a file, by the names of the layout's fields.

    Raises:
        ConfigError: as `Layout`.
    """
    header = chosen.get("header")
    named = {name: chosen.get(name) for name in ("separator", "encoding", "decimal")}
    return Layout(**named, header=True if header is None else header)


@dataclass(frozen=True)
class Seen:
    """How one file is laid out.

    separator: between columns
    encoding: as Python calls it
    quoted: whether a cell in quotes may hold separators and line breaks
    declared: whether its first line names the separator
    usual: whether all is as the file's ending says, so that nobody need be told
    """

    separator: str
    encoding: str
    quoted: bool
    declared: bool
    usual: bool

    @property
    def words(self) -> str:
        """For people: "separator ';', encoding utf-16-le"."""
        return f"separator {self.separator_name}, encoding {self.encoding}"

    @property
    def separator_name(self) -> str:
        """For people: "tab", or the character in quotes."""
        return "tab" if self.separator == "\t" else f"'{self.separator}'"


def see(path: Path, layout: Layout, ending: str) -> Seen:
    """How a file of comma- or tab-separated values is laid out; only its first bytes are read.

    Args:
        path: the file.
        layout: what a person says of it.
        ending: ".csv", or ".tsv", whose rows are lines without quotes.

    Raises:
        DataError: the file can't be read.
    """
    data, whole = first_bytes(path)
    encoding, _ = text_encoding(data[:4], layout.encoding)
    text = first_text(data, layout.encoding, whole=whole)
    declared = _DECLARED.match(text)
    own = "\t" if ending == ".tsv" else ","
    seen = Seen(own, encoding, quoted=ending != ".tsv", declared=declared is not None, usual=True)
    separator = layout.separator or (declared[1] if declared else _found(text, seen, whole=whole))
    if separator != own:
        seen = replace(seen, separator=separator, quoted=True)
    return replace(seen, usual=separator == own and encoding == "utf-8")


def cells(lines: io.TextIOBase | Iterator[str], seen: Seen) -> Iterator[list[str]]:
    """The rows of a text that aren't empty, without a line that declares the separator."""
    found = csv.reader(lines, delimiter=seen.separator, quoting=csv.QUOTE_MINIMAL if seen.quoted else csv.QUOTE_NONE)
    rows = (row for row in found if row)
    return islice(rows, 1, None) if seen.declared else rows


def _found(text: str, seen: Seen, *, whole: bool) -> str:
    """The separator by the rule above."""
    ranks = []
    for place, separator in enumerate(_SEPARATORS):
        tried = replace(seen, separator=separator, quoted=seen.quoted or separator != seen.separator)
        rows = list(islice(cells(io.StringIO(text, newline=""), tried), _ROWS + 1))
        if len(rows) > 1 and (len(rows) > _ROWS or not whole):
            del rows[-1]  # it may be cut
        width = len(rows[0]) if rows else 0
        if width > 1:
            ranks.append((all(len(row) == width for row in rows), width, -place, separator))
    return max(ranks)[-1] if ranks else seen.separator
