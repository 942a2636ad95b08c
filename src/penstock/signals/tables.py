"""Signals and their answers from a table in memory, with a row for each step or for each signal.

If a column of ids or times is named, rows are steps, and rows with the same id are one signal. Otherwise each row is a
signal: its columns are the steps of one channel, or one column holds lists.
"""

import logging
from collections.abc import Hashable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.changes import change
from penstock.datasets.columns import as_labels, plain_column
from penstock.datasets.dates import COMPACT, STEPS, check_time_format, date_words, read_dates
from penstock.datasets.frames import table_column
from penstock.datasets.naming import absent_words
from penstock.datasets.numbers import number_columns
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.labels import label_key
from penstock.missing import is_missing
from penstock.signals.arrays import signal_list

__all__ = ["matching_columns", "signal_table"]

_LOGGER = logging.getLogger(__name__)

Table = Mapping[str, Sequence[Any]]


def signal_table(
    table: Any,
    *,
    series: Sequence[str],
    answer: str | None = None,
    id: str | None = None,
    time: str | None = None,
    numbers: bool = False,
    decimal: str | None = None,
    time_format: str | None = None,
) -> Rows:
    """Read signals and their answers from a table in memory.

    Args:
        table: as `datasets.frames.tabular` returns it, or a dict of columns.
        series: the columns of values.
        answer: the column of labels, or of numbers to predict; None to read only signals.
        id: the column of signal ids: rows with the same id are the steps of one signal.
        time: the column by which the steps of a signal are sorted: numbers, or dates.
        numbers: whether the answers are numbers instead of labels.
        decimal: the decimal mark of numbers that are texts; None to detect it.
        time_format: the format of dates, see `datasets.dates`; None to detect it.

    Returns:
        Rows; if the answers of a signal's steps differ, with a list of answers, one for each step.

    Raises:
        DataError: a column is missing, or has invalid values.
    """
    named = list(dict.fromkeys([*series, *(name for name in (answer, id, time) if name is not None)]))
    columns = {name: _column(table, name) for name in named}
    if len({len(column) for column in columns.values()}) > 1:
        counted = ", ".join(f"{len(column)} of {name}" for name, column in columns.items())
        raise DataError(f"columns must all have the same length; got {counted}")
    of_numbers = [*([] if _holds_lists(columns, series, id, time) else series)]
    if answer is not None and numbers:
        of_numbers.append(answer)
    floats = _floats({name: columns[name] for name in of_numbers}, decimal)
    given = None if answer is None else _answers(columns[answer], answer, floats if numbers else {})
    if id is None and time is None:
        return Rows(_wide(columns, series, floats), given)
    values = np.stack([floats[name] for name in series], axis=1)
    groups = _groups(columns, id, time, len(values), time_format)
    signals = [values[rows] for rows in groups]
    if given is None:
        return Rows(signals)
    return Rows(signals, _together([[given[row] for row in rows] for rows in groups]))


def matching_columns(names: Sequence[str], there: Iterable[str], others: Sequence[str]) -> list[str]:
    """Return the columns that names and patterns select; a pattern never selects a column in `others`.

    Args:
        names: names, or patterns such as "v*".
        there: the names of the table's columns; not looked at if there are no patterns.
        others: columns with another role.
    """
    if not any(set(name) & set("*?[") for name in names):
        return list(names)
    found: list[str] = []
    left = [each for each in there if each not in others]
    for name in names:
        matches = [name] if name in left else [each for each in left if fnmatchcase(each, name)] or [name]
        found += [each for each in matches if each not in found]
    return found


def _column(table: Any, name: str) -> list[Any]:
    if isinstance(table, Mapping) and name not in table:
        raise DataError(absent_words([name], list(map(str, table))))
    column = table[name] if isinstance(table, Mapping) else table_column(table, name)
    return plain_column(column, f"the column {name}")


def _holds_lists(columns: Table, series: Sequence[str], id: str | None, time: str | None) -> bool:
    """Whether each row is a signal and the only column holds lists."""
    alone = len(series) == 1 and id is None and time is None
    return alone and any(isinstance(each, list | tuple | np.ndarray) for each in columns[series[0]])


def _wide(columns: Table, series: Sequence[str], floats: Mapping[str, NDArray[np.float64]]) -> list[NDArray[Any]]:
    """Return a signal for each row: its list in the only column, or one channel over the columns."""
    if not set(series) <= set(floats):
        return signal_list([[] if each is None else each for each in columns[series[0]]])
    return signal_list(np.stack([floats[name] for name in series], axis=1))


def _floats(columns: Table, decimal: str | None) -> dict[str, NDArray[np.float64]]:
    """Return columns of finite numbers, NaN where one is missing."""
    found = number_columns(columns, decimal)
    for name, values in found.items():
        if np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0])
            given = columns[name][row]
            raise DataError(f"the column {name} must hold finite numbers; row {row + 1} has {given!r:.40}")
    return found


def _answers(values: Sequence[Any], name: str, floats: Mapping[str, NDArray[np.float64]]) -> list[Any]:
    """Return numbers to predict if the column is numeric, otherwise labels; None where one is missing."""
    if name not in floats:
        return as_labels(list(values), f"labels in the column {name}")
    return [None if value != value else value for value in floats[name].tolist()]


def _groups(
    columns: Table, id: str | None, time: str | None, rows: int, time_format: str | None
) -> list[NDArray[np.int64]]:
    """Return the rows of each signal in the order of its steps; signals in the order of their first rows."""
    members: dict[Any, list[int]] = {}
    for row, key in enumerate(columns[id] if id is not None else [""] * rows):
        if not isinstance(key, Hashable) or is_missing(key):
            value = "nothing" if is_missing(key) else repr(key)
            raise DataError(f"the column {id} must have a signal id in each row; row {row + 1} has {value:.40}")
        members.setdefault(key, []).append(row)
    groups = [np.array(each, np.int64) for each in members.values()]
    if time is None:
        return groups
    moments = _moments(columns[time], time, time_format)
    for key, group in zip(members, groups, strict=True):
        of = "" if id is None else f" of signal {key!r}"
        if len(np.unique(moments[group])) < len(group):
            values, counts = np.unique(moments[group], return_counts=True)
            row = int(group[moments[group] == values[counts.argmax()]][0])
            raise DataError(
                f"the column {time} must have a different time for each step{of}; {columns[time][row]} occurs "
                f"{counts.max()} times. If there are several signals, name their id column."
            )
    late = sum(int((np.diff(moments[group]) < 0).sum()) for group in groups)
    change(_LOGGER, "steps out of order, sorted by time", late)
    return [group[np.argsort(moments[group], kind="stable")] for group in groups]


def _moments(values: Sequence[Any], name: str, time_format: str | None) -> NDArray[np.float64]:
    """Convert a column of times to increasing numbers; the first value decides between numbers and dates."""
    check_time_format(time_format)
    if not _is_number(values[0]) or (time_format is not None and "%" in time_format):
        words = date_words(values)
        if "" in words:
            raise DataError(f"the column {name} must have a time in each row; row {words.index('') + 1} is empty")
        of_dates = None if time_format in (COMPACT, STEPS) else time_format
        (dates, _), _ = read_dates(words, f"the column {name}", of_dates)
        return dates.astype(np.int64).astype(np.float64)
    found = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            found[row] = _number_moment(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"the column {name} must hold numbers, or dates, in each row; row {row + 1} has {value!r:.40}"
            ) from error
    return found


def _is_number(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except OverflowError:
        return True
    except (TypeError, ValueError):
        return False


def _number_moment(value: Any) -> float:
    if not np.isfinite(moment := float(value)):
        raise ValueError(value)
    return moment


def _together(answers: list[list[Any]]) -> list[Any]:
    """Return one answer per signal if the steps of all signals agree; otherwise a list of step answers for each."""
    known = [list({label_key(each): each for each in steps if each is not None}.values()) for steps in answers]
    if len(answers) > 1 and all(len(each) <= 1 for each in known):
        return [each[0] if each else None for each in known]
    return answers
