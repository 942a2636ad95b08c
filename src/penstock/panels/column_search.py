"""Detects the columns of times, series names and targets of a table if the caller doesn't name them."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from penstock.datasets.dates import COMPACT, looks_dated
from penstock.datasets.finding import Head, find_column, holds_numbers, is_index, say_found, usual_name
from penstock.errors import DataError
from penstock.panels.times import parse_times

__all__ = ["Chosen", "find_columns"]

_SHORT_YEAR = re.compile(r"(\d\d?[-/.]\d\d?|[a-z]{3,9})[-/. ']\d\d( .*)?", re.ASCII | re.IGNORECASE)
_ID, _TIME, _TARGET = "unique_id", "ds", "y"


class Chosen(NamedTuple):
    """The columns to read: times and series names (None without them), and targets."""

    time: str | None
    id: str | None
    targets: list[str]


def find_columns(
    head: Callable[[], Head],
    there: Sequence[str],
    time: str | None,
    targets: Sequence[str],
    id: str | None,
    covariates: Sequence[str],
    time_format: str | None,
    where: str,
) -> Chosen:
    """Find the columns that the caller names, that have their usual names, or that are the only candidates.

    Args:
        head: returns the first rows; called only if they are needed.
        there: the columns of the table.
        time, id: the column named by the caller; "" for none, None to detect it.
        targets: the columns named by the caller; empty to detect them.
        covariates: columns that are already in use.
        time_format: how to read the times; None if the caller didn't say.
        where: prefix of the log line that lists the columns.

    Returns:
        The columns to read.

    Raises:
        DataError: several columns are candidates, or no column can be forecast.
    """
    usual_time, usual_id = (usual_name(name, there) for name in (_TIME, _ID))
    time, id = usual_time if time is None else time, usual_id if id is None else id
    targets = list(targets) or ([_TARGET] if _TARGET in there else [])
    if time is not None and id is not None and targets:
        return Chosen(time or None, id or None, targets)
    rows = head()
    found: dict[str, str | Sequence[str]] = {}
    taken = [*covariates, *targets, *filter(None, (time, id))]
    if time is None and (time := _time_column(rows, taken, time_format)):
        found["times"] = time
    if id is None and time and (id := _id_column(rows, [*taken, time], time)):
        found["names of series"] = id
    if not targets:
        taken = [*covariates, *filter(None, (time, id))]
        targets = [find_column(rows, taken, holds_numbers, usual=_TARGET, what="numbers", flag="--target")]
        found["values"] = targets
    say_found(where, found)
    return Chosen(time or None, id or None, targets)


def _time_column(head: Head, taken: Sequence[str], time_format: str | None) -> str | None:
    """The only column of dates; None if there is none."""
    left = {name: values for name, values in head.items() if name not in taken and not is_index(name)}
    dated = [name for name, values in left.items() if _holds_times(values, time_format)]
    if len(dated) > 1:
        raise DataError(
            f"the column of times may be {' or '.join(map(repr, dated[:8]))}. Name it: --time COL (time=...), or say "
            "that there is none: --time '' (time='')"
        )
    if not dated and (short := [name for name, values in left.items() if _short_years(values)]):
        raise DataError(
            f"the column {short[0]} may hold dates with years of two digits, such as {head[short[0]][0]}. Say how to "
            f"read them: --time {short[0]} --time-format %d.%m.%y (time=..., time_format=...); or that it holds "
            "no times: --time '' (time='')"
        )
    return dated[0] if dated else None


def _short_years(values: Sequence[Any]) -> bool:
    """Whether values look like 31.01.24 or Jan-24."""
    given = [value for value in values if value is not None]
    return bool(given) and all(isinstance(value, str) and _SHORT_YEAR.fullmatch(value.strip()) for value in given)


def _holds_times(values: Sequence[Any], time_format: str | None) -> bool:
    """Whether values are dates: by their form or the given format, or distinct whole numbers like 20240131."""
    coded = time_format is not None and "%" in time_format
    if not coded and looks_dated(values):
        return True
    if len(set(map(str, values))) < 2:
        return False
    try:
        found = parse_times(list(values), time_format=time_format if coded else COMPACT)
        return found.are_dates if coded else found.compact
    except DataError:
        return False


def _id_column(head: Head, taken: Sequence[str], time: str) -> str | None:
    """The only column of names within which each time occurs once; None without one, or if times are unique anyway."""
    if time not in head or len(set(map(str, head[time]))) == len(head[time]):
        return None
    names = [
        name
        for name, values in head.items()
        if name not in taken and not holds_numbers(values) and not looks_dated(values) and _is_key(values, head[time])
    ]
    return names[0] if len(names) == 1 else None


def _is_key(names: Sequence[Any], times: Sequence[Any]) -> bool:
    pairs = {(str(name), str(time)) for name, time in zip(names, times, strict=True)}
    return len(pairs) == len(times)
