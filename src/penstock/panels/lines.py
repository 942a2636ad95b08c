"""Lines and values of a stream of series: one row a line, as it is typed or sent."""

import json
import zlib
from typing import Any

from penstock.errors import DataError
from penstock.panels.panel import LARGEST
from penstock.panels.panel_columns import cell_number

__all__ = ["MOST_NAMES", "name_number", "number_of", "parse_row", "same_series"]

MOST_NAMES = 1 << 32
"""The largest number of a name."""


def parse_row(line: str) -> Any:
    """Parse a row: a number, several with commas, or JSON (a list, or an object by column); DataError if it is none."""
    text = line.strip()
    if text[:1] in "{[":
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"a line must be a number, numbers with commas or JSON; got {text!r:.60}: {error}"
            ) from error
    return [part.strip() for part in text.split(",")]


def number_of(value: Any, name: str) -> float:
    """Return the value of a column, NaN if it is missing; DataError if it is no number or too large."""
    try:
        found = cell_number(value)
    except (TypeError, ValueError):
        raise DataError(f"{name} must be a number; got {value!r:.40}. A missing one is null or NA.") from None
    if abs(found) > LARGEST:
        raise DataError(f"{name} must be finite, {LARGEST:g} at most; got {value!r:.40}")
    return found


def name_number(name: Any) -> int:
    """Return a number of a series' name, from 1 to `MOST_NAMES`, by which a stream knows it again in constant memory.

    Other names have other numbers, but for one pair in 2^32.
    """
    return 1 + zlib.crc32(str(name).encode("utf-8", "surrogatepass"))


def same_series(name: Any, known: int | None, what: str = "a stream is", then: str = "Reset it") -> int:
    """Return the number of the name of a row's series, which must be that of the rows before.

    Args:
        name: as the row has it; it counts, not the number of a training series, because training may know neither.
        known: the number of the rows' before; None before the first row.
        what, then: for the message, what has one series, and what to do.

    Raises:
        DataError: it is another series.
    """
    number = name_number(name)
    if known is not None and number != known:
        raise DataError(f"{what} of one series; got {name!r} too. {then}, or open another.")
    return number
