"""Columns as users hold them (lists, NumPy arrays, pandas, Polars and Arrow columns), converted to lists."""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.errors import DataError


def text_list(texts: Iterable[str], what: str = "texts") -> list[str]:
    """Return the texts as a list of str.

    Raises:
        DataError: `texts` is a single str or a table, or an element is not a str.
    """
    values = column_list(texts, what)
    for position, value in enumerate(values):
        if not isinstance(value, str):
            raise DataError(
                f"{what} must all be str; {what}[{position}] is {value!r:.40} ({type(value).__name__}). "
                "Drop the rows without text, or use '' for an empty text."
            )
    return values


def column_list(values: Any, what: str) -> list[Any]:
    """Return a column's values as a list of Python objects.

    Raises:
        DataError: `values` is a single str, a table, or not iterable.
    """
    if isinstance(values, str | bytes):
        raise DataError(
            f"{what} must be a list or a column of str; got a single {type(values).__name__}. Write [{what}]."
        )
    if isinstance(values, Mapping) or hasattr(values, "columns") or getattr(values, "ndim", 1) != 1:
        raise DataError(
            f"{what} must be one column; got a whole table ({type(values).__name__}). Select one of its columns."
        )
    if not isinstance(values, Iterable):
        raise DataError(f"{what} must be a list or a column; got {type(values).__name__}")
    # The conversion methods of Arrow, of Polars, and of NumPy and pandas.
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)
