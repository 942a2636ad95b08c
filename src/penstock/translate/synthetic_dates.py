"""Dates as people write them, with their ISO 8601 form: pairs to train on in less than a minute.

No date is ambiguous: where months are numbers, they stand in the middle.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import numpy as np

__all__ = ["date_pairs"]

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST, _DAYS = date(1950, 1, 1), 36_500


def _ordinal(day: int) -> str:
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


_FORMS: Sequence[Callable[[date], str]] = (
    lambda d: f"{d.day} {_MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{_MONTHS[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"the {_ordinal(d.day)} of {_MONTHS[d.month - 1]} {d.year}",
    lambda d: f"{_WEEKDAYS[d.weekday()]}, {d.day} {_MONTHS[d.month - 1][:3]} {d.year}",
    lambda d: f"{d.day:02}.{d.month:02}.{d.year}",
    lambda d: f"{d.day}-{_MONTHS[d.month - 1][:3].upper()}-{d.year}",
    lambda d: f"{d.year}年{d.month}月{d.day}日",
)


def date_pairs(count: int, generator: np.random.Generator) -> tuple[list[str], list[str]]:
    """Return dates between 1950 and 2049 in seven forms, and the same dates in the form 2026-11-29.

    Args:
        count: the number of pairs.
        generator: draws the days and the forms.
    """
    days, forms = generator.integers(0, _DAYS, count).tolist(), generator.integers(0, len(_FORMS), count).tolist()
    dates = [_FIRST + timedelta(days=day) for day in days]
    return [_FORMS[form](day) for form, day in zip(forms, dates, strict=True)], [day.isoformat() for day in dates]
