"""Lines and values of a stream of series: one row a line, as it is typed or sent."""

import json
from typing import Any

from penstock.errors import DataError
from penstock.panels.panel import LARGEST
from penstock.panels.panel_columns import cell_number

__all__ = ["number_of", "parse_row"]


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
