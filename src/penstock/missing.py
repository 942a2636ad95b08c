"""Detection of missing values in table cells."""

from typing import Any

__all__ = ["MISSING_WORDS", "is_missing"]

MISSING_WORDS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "?"})
"""What a cell of a column of numbers says where a value is missing, in lower case."""


def is_missing(value: Any) -> bool:
    """Whether a cell is missing: None, NaN, NaT, or pandas' NA; a str never is."""
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "NaN", "sNaN", "NaT", "<NA>"))
