"""Columns of texts and labels as people hold them: lists, NumPy arrays, pandas, Polars and Arrow columns."""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.errors import DataError


def text_list(texts: Iterable[str], what: str = "texts") -> list[str]:
    """The texts as a list of str.

    Raises:
        DataError: a single str, a whole table, or an element that isn't a str.
    """
    values = column_list(texts, what)
    for position, value in enumerate(values):
        if not isinstance(value, str):
            raise DataError(
                f"{what} must all be str; {what}[{position}] is {value!r:.40} ({type(value).__name__}). "
                "Drop the rows without text, or write '' for an empty one."
            )
    return values


def column_list(values: Any, what: str) -> list[Any]:
    """A column's values as a list of Python's own types.

    Raises:
        DataError: not a column: a single str, a table, or nothing that can be gone through.
    """
    if isinstance(values, str | bytes):
        raise DataError(
            f"{what} must be a list or a column of str; got a single {type(values).__name__}. Write [{what}]."
        )
    if isinstance(values, Mapping) or hasattr(values, "columns") or getattr(values, "ndim", 1) != 1:
        raise DataError(
            f"{what} must be one column; got a whole table ({type(values).__name__}). Choose a column of it."
        )
    if not isinstance(values, Iterable):
        raise DataError(f"{what} must be a list or a column; got {type(values).__name__}")
    # Arrow, Polars, and NumPy or pandas, in their own words for the same thing.
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)
