"""Which cells of a table hold nothing."""

from typing import Any

__all__ = ["is_missing"]


def is_missing(value: Any) -> bool:
    """Whether a cell that is no text says that nothing is there: None, NaN, NaT, or NA of pandas."""
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "NaN", "sNaN", "NaT", "<NA>"))
