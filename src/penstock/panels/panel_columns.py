"""Builds a panel, series on one time grid, from the columns of a table or from arrays.

`panel` sorts rows by time, fills gaps with missing values and rejects duplicates. It counts these changes in
`Panel.changed`, so that a report can list them.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.datasets.changes import change
from penstock.datasets.numbers import number_columns, plain_number
from penstock.errors import DataError
from penstock.missing import MISSING_WORDS, is_missing
from penstock.panels.common_grid import on_grid
from penstock.panels.panel import LARGEST, Panel, Series, is_gap
from penstock.panels.times import Times, parse_times, words_of
from penstock.pauses import pause

__all__ = ["UNNAMED", "arrays_panel", "cell_number", "grouped_rows", "named_arrays", "panel"]

_LOGGER = logging.getLogger(__name__)
UNNAMED = "series"
"""The name of the series if there is only one."""


def panel(
    columns: Mapping[str, Sequence[Any]],
    *,
    targets: Sequence[str],
    time: str | None = None,
    id: str | None = None,
    past: Sequence[str] = (),
    known: Sequence[str] = (),
    decimal: str | None = None,
    time_format: str | None = None,
) -> Panel:
    """Build a panel from the columns of a table.

    Rows after the last value of a series that hold only known covariates give the covariates of the steps ahead.

    Args:
        columns: name -> values, all of the same length.
        targets: the columns to forecast.
        time: the column of times; rows may be in any order. None if each row is the step after the previous row.
        id: the column with the name of each row's series; None for a single series.
        past, known: covariates that are known only up to the present, and covariates that are known in advance.
        decimal: the decimal mark of numbers given as text; None to detect it.
        time_format: how to read the times; None to detect it, see `times.parse_times`.

    Returns:
        The panel.

    Raises:
        DataError: text instead of numbers, infinity, times that are missing, duplicated or irregular, or a series
            without values.
    """
    if not targets:
        raise DataError("there must be a target column to forecast; got none")
    parts = {"values": targets, "past": past, "known": known}
    table, times, groups, found = grouped_rows(
        columns, parts, time=time, id=id, decimal=decimal, time_format=time_format, unique=True
    )
    frequency, places = on_grid(times, groups)
    series = []
    for name, members in groups.items():
        series.append(_series(name, places[name], {kind: each[members] for kind, each in table.items()}, found))
    for kind, count in found.items():
        change(_LOGGER, kind, count, f"{kind}: {count:,}")
    needed = None if times is None else times.time_format
    return Panel(series, tuple(targets), tuple(past), tuple(known), frequency, time, id, needed, {}, dict(+found))


def grouped_rows(
    columns: Mapping[str, Sequence[Any]],
    parts: Mapping[str, Sequence[str]],
    *,
    time: str | None,
    id: str | None,
    decimal: str | None,
    time_format: str | None,
    unique: bool,
) -> tuple[dict[str, NDArray[np.float64]], Times | None, dict[str, NDArray[np.int64]], Counter[str]]:
    """Read the numbers and times of a table, and find the rows of each series in the order of their times.

    Args:
        columns, time, id, decimal, time_format: as for `panel`.
        parts: names of columns of numbers that belong together.
        unique: whether a time may stand only once in a series; if not, rows of the same time keep their order.

    Returns:
        For each part its numbers (rows, columns); the times, None without; name of a series -> its rows; and the counts
        of what was changed, which the caller tells.

    Raises:
        DataError: as `panel`, except for what concerns a grid of times.
    """
    names = [name for several in parts.values() for name in several]
    lengths = {name: len(columns[name]) for name in (*names, *filter(None, (time, id)))}
    if len(set(lengths.values())) > 1:
        raise DataError(
            "columns must all be of one length; got "
            + ", ".join(f"{count} of {name}" for name, count in lengths.items())
        )
    numbers = number_columns({name: columns[name] for name in names}, decimal)
    for name, values in numbers.items():
        _check_size(values, f"the column {name}")
    rows = len(next(iter(numbers.values())))
    if not rows:
        raise DataError("there are no rows of values")
    times = None if time is None else parse_times(columns[time], f"the column {time}", time_format=time_format)
    found: Counter[str] = Counter()
    groups = _groups(columns[id] if id is not None else None, rows)
    if times is not None:
        for name, members in groups.items():
            groups[name] = _sorted(members, times.moments, name if id else "", found, unique=unique)
        if times.compact:
            found["times without punctuation like 20240131, read as dates"] = rows
    table = {
        part: np.stack([numbers[name] for name in several], 1) if several else np.zeros((rows, 0))
        for part, several in parts.items()
    }
    return table, times, groups, found


def arrays_panel(data: Any, targets: Sequence[str] | None = None) -> Panel:
    """Build a panel without times from arrays.

    Args:
        data: one array (steps,) or (steps, targets), or several in a list or a mapping by name.
        targets: names of the targets; None for `y`, or `y1`, `y2` and so on.

    Returns:
        The panel.

    Raises:
        DataError: values that aren't numbers, or arrays with different numbers of targets.
    """
    arrays, names = named_arrays(data, targets)
    found: Counter[str] = Counter()
    series = [
        _series(
            name,
            np.arange(len(each)),
            {"values": each, "past": np.zeros((len(each), 0)), "known": np.zeros((len(each), 0))},
            found,
        )
        for name, each in arrays.items()
    ]
    return Panel(series, names, changed=dict(+found))


def named_arrays(
    data: Any, targets: Sequence[str] | None = None
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Return series by name, each (steps, targets), and the names of the targets; see `arrays_panel`."""
    if isinstance(data, Mapping):
        several = {str(name): each for name, each in data.items()}
    elif isinstance(data, list | tuple) and len(data) and not np.isscalar(data[0]):
        several = {str(number): each for number, each in enumerate(data)}
    else:
        several = {UNNAMED: data}
    arrays = {name: _array(each, name) for name, each in several.items()}
    widths = {each.shape[1] for each in arrays.values()}
    if len(widths) != 1:
        raise DataError(f"series must all have the same number of targets; got {sorted(widths)}")
    width = widths.pop()
    names = (
        tuple(targets) if targets is not None else ("y",) if width == 1 else tuple(f"y{k}" for k in range(1, width + 1))
    )
    if len(names) != width:
        raise DataError(f"there must be a name for each target; got {len(names)} for {width}")
    return arrays, names


def _array(values: ArrayLike, name: str) -> NDArray[np.float64]:
    try:
        if np.iscomplexobj(values):
            raise TypeError("complex numbers have no order")
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:  # OverflowError: an integer too large for a float
        raise DataError(f"series {name!r} must be numbers; got {type(values).__name__}: {error}") from error
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or not array.size:
        raise DataError(f"series {name} must be (steps,) or (steps, targets), at least one step; got {array.shape}")
    _check_size(array, f"series {name}")
    return array


def cell_number(value: Any) -> float:
    """A cell as a number, NaN if it marks a missing value; ValueError or TypeError if it is neither."""
    if is_missing(value) or (isinstance(value, str) and value.strip().lower() in MISSING_WORDS):
        return np.nan
    try:
        return plain_number(value) if isinstance(value, str) else float(value)
    except OverflowError:  # an integer too large for a float
        return np.inf


def _check_size(values: NDArray[np.float64], what: str) -> None:
    if (beyond := np.argwhere(np.abs(values) > LARGEST)).size:
        row, *_ = place = tuple(beyond[0])
        raise DataError(
            f"{what} must be finite numbers, {LARGEST:g} at most; row {row + 1} is {values[place]:g}. "
            "Does it stand for a missing value? Leave that empty."
        )


def _groups(ids: Sequence[Any] | None, rows: int) -> dict[str, NDArray[np.int64]]:
    """Series name -> its rows, in the order in which the names first appear."""
    if ids is None:
        return {UNNAMED: np.arange(rows)}
    words = ["" if is_missing(value) else str(value).strip() for value in ids]
    if "" in words:
        raise DataError(f"the column of series must have no gaps; row {words.index('') + 1} is empty")
    trimmed = sum(len(word) < len(str(value)) for word, value in zip(words, ids, strict=True))
    change(_LOGGER, "names of series with blanks around them, trimmed", trimmed)
    order: dict[str, list[int]] = {}
    for row, word in enumerate(words):
        order.setdefault(word, []).append(row)
    return {word: np.array(members) for word, members in order.items()}


def _sorted(
    members: NDArray[np.int64], times: NDArray[Any], name: str, found: Counter[str], *, unique: bool
) -> NDArray[np.int64]:
    """The rows sorted by time."""
    own = times[members]
    if (np.diff(own.astype(np.int64)) < 0).any():
        order = np.argsort(own, kind="stable")
        found["rows out of order, sorted by time"] += int((np.diff(own.astype(np.int64)) < 0).sum())
        members, own = members[order], own[order]
    twice = np.flatnonzero(np.diff(own.astype(np.int64)) == 0)
    if not unique:
        found["rows at the time of the row before them, kept"] += len(twice)
    elif len(twice):
        of = f" of series {name}" if name else ""
        raise DataError(
            f"each time must stand once in a series; {words_of(own[twice[0]])}{of} stands twice "
            f"({len(twice)} such rows). {_advice(own, twice, name)}"
        )
    return members


def _advice(own: NDArray[Any], twice: NDArray[np.int64], name: str) -> str:
    if own.dtype.kind == "M" and _is_clock_change(own[twice]):
        return "It looks like the end of daylight saving time: write the times in UTC, or with their offset (+02:00)."
    return "Join such rows into one." if name else "Are there several series? Then name their column: --id."


def _is_clock_change(times: NDArray[Any]) -> bool:
    """Whether all times are early on a Sunday, when the end of daylight saving time repeats an hour."""
    hours = times.astype("datetime64[h]").astype(np.int64) % 24
    weekdays = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return bool(((hours <= 3) & (weekdays == 6)).all())


def _series(
    name: str, places: NDArray[np.int64], parts: Mapping[str, NDArray[np.float64]], found: Counter[str]
) -> Series:
    """A series from rows at their places, with missing values in the gaps, trimmed to where there are values."""
    pause()
    values, past, known = parts["values"], parts["past"], parts["known"]
    there = np.flatnonzero(~np.isnan(values).all(axis=1))
    if not len(there):
        raise DataError(f"series {name!r} must have values; all {len(values)} are missing")
    first, last = int(there[0]), int(there[-1])
    found["missing rows at the start of a series, left out"] += first
    places, values, past, known = places[first:], values[first:], past[first:], known[first:]
    length = int(places[-1] - places[0]) + 1
    if not is_gap(length - len(places), len(places)):
        raise DataError(
            f"series {name!r} must be regular; its {len(places)} rows would need {length - len(places)} more "
            "to fill the gaps between them. Split it at the gap, or resample it to longer steps."
        )
    rows = places - places[0]
    steps = int(rows[last - first]) + 1
    found["missing steps, filled in"] += length - len(places)
    found["missing values, the last one before them taken instead"] += int(np.isnan(values[: last - first + 1]).sum())
    width = (values.shape[1], past.shape[1], known.shape[1])
    filled = [np.full((length, each), np.nan) for each in width]
    for to, of in zip(filled, (values, past, known), strict=True):
        to[rows] = of
    return Series(name, int(places[0]), filled[0][:steps], filled[1][:steps], filled[2])
