"""Forecasts as a table of the package that the series came from: pandas, Polars or Arrow.

See `datasets.frames` for what counts as a table, and why no package is imported here.
"""

import datetime
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.frames import package_of, table_column
from penstock.errors import DataError
from penstock.panels.frames import is_period
from penstock.panels.frequency import DAY, NUMBER, SECOND, Frequency
from penstock.panels.panel import Panel
from penstock.panels.times import words_of
from penstock.runtime.columns import column_list

__all__ = ["forecast_frame"]

_COMPACT = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
"""Number of digits of a date written as a whole number -> its format."""


def forecast_frame(
    table: Any, series: Panel, quantiles: NDArray[np.float64], levels: Sequence[float], median: int
) -> Any:
    """Return a forecast as a table of the same package as `table`: a row for each series, target and step ahead.

    The columns are the id and the time if `table` has them, with the same names; `target` if there are several; `step`,
    from 1; `prediction`; and `quantile_<level>` for each level.

    Args:
        table: a table from `as_table`.
        series: the series read from it.
        quantiles: (series, horizon, targets, levels).
        levels: the levels of the quantiles.
        median: the index of 0.5 in `levels`.

    Raises:
        DataError: the id or time column has the name of a column of the forecast.
    """
    count, horizon, targets, _ = quantiles.shape
    rows = horizon * targets
    own = {"target", "step", "prediction", *(f"quantile_{level:g}" for level in levels)}
    if clash := [name for name in (series.id, series.time) if name in own]:
        raise DataError(f"the column {clash[0]} has the name of one of the forecast's columns. Rename it.")
    columns: dict[str, Any] = {}
    if series.id is not None:
        given = {str(value).strip(): value for value in column_list(table_column(table, series.id), series.id)}
        columns[series.id] = [given[each.name] for each in series for _ in range(rows)]
    if series.time is not None and series.frequency is not None:
        ahead = [series.frequency.times(each.start + len(each) + np.arange(horizon)) for each in series]
        columns[series.time] = np.concatenate([np.tile(each, targets) for each in ahead])
    if targets > 1:
        columns["target"] = [name for _ in range(count) for name in series.targets for _ in range(horizon)]
    columns["step"] = np.tile(np.arange(1, horizon + 1), count * targets)
    flat = quantiles.swapaxes(1, 2).reshape(count * rows, -1)
    columns["prediction"] = flat[:, median]
    columns |= {f"quantile_{level:g}": flat[:, place] for place, level in enumerate(levels)}
    package = sys.modules[package_of(table)]
    if series.time is not None and series.frequency is not None:
        columns[series.time] = _times(columns[series.time], table_column(table, series.time), series, package)
    if package.__name__ == "pyarrow":
        named = [name for name in (series.id, series.time) if name in columns]
        types = {name: table_column(table, name).type for name in named}
        return package.table({name: _arrow_column(each, types.get(name), package) for name, each in columns.items()})
    frame = package.DataFrame(columns)
    return _like(frame, table, series.id) if series.id is not None else frame


def _arrow_column(values: Any, kind: Any, package: Any) -> Any:
    """The values as a column of Arrow, of the given type unless that is None."""
    found = values if isinstance(values, package.Array | package.ChunkedArray) else package.array(values)
    if kind is None or found.type == kind:
        return found
    return found.dictionary_encode().cast(kind) if package.types.is_dictionary(kind) else found.cast(kind)


def _like(frame: Any, table: Any, name: str) -> Any:
    """The frame with a column converted to its type in `table`, such as a categorical or a sized integer."""
    dtype = table_column(table, name).dtype
    if package_of(frame) == "pandas":
        return frame.astype({name: dtype})
    return frame.with_columns(frame[name].cast(dtype))


def _times(times: NDArray[Any], column: Any, series: Panel, package: Any) -> Any:
    """The times ahead, in the type of the table's time column; text is written in ISO format."""
    frequency = series.frequency
    assert frequency is not None
    if frequency.unit == NUMBER:
        return times
    if package.__name__ == "pandas" and is_period(column.dtype):
        return package.PeriodIndex(times, freq=column.dtype.freq)
    first = next(iter(column_list(column, "the column of times")))
    if isinstance(first, str):
        return [words_of(each) for each in times]
    if isinstance(first, int):
        form = series.time_format if "%" in (series.time_format or "") else _COMPACT[len(str(first))]
        return [int(each.item().strftime(form)) for each in times]
    if not isinstance(first, datetime.datetime):
        return [each.item().date() for each in times]
    write = {"pandas": _pandas_times, "polars": _polars_times, "pyarrow": _arrow_times}[package.__name__]
    return write(times, column, None if _is_by_clock(column, frequency) else frequency.offset, package)


def _is_by_clock(column: Any, frequency: Frequency) -> bool:
    """Whether the times ahead are local times of the column's time zone, as for steps of days or longer.

    The grid has a single offset if all its times had the same one, for example in winter. Days in the following summer
    still start at midnight, although the offset is then another one.
    """
    if frequency.offset is None:
        return True
    is_long = frequency.unit != SECOND or frequency.step % DAY == 0
    return is_long and _offsets(column) == {datetime.timedelta(seconds=frequency.offset)}


def _offsets(column: Any) -> set[datetime.timedelta | None]:
    return {each.utcoffset() for each in column_list(column, "the column of times")}


def _pandas_times(times: NDArray[Any], column: Any, offset: int | None, pandas: Any) -> Any:
    found = pandas.Series(times)
    zone = getattr(column.dt, "tz", None) if hasattr(column, "dt") else None
    if zone is not None and offset is None:
        first = np.ones(len(found), bool)  # use the first of a repeated hour; a skipped hour moves forward
        found = found.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    elif zone is not None:
        found = (found - pandas.Timedelta(seconds=offset)).dt.tz_localize("UTC").dt.tz_convert(zone)
    return found.astype(column.dtype) if column.dtype.kind == "M" else found


def _polars_times(times: NDArray[Any], column: Any, offset: int | None, polars: Any) -> Any:
    zone = column.dtype.time_zone
    found = polars.Series(times.astype("datetime64[us]")).cast(polars.Datetime(column.dtype.time_unit))
    if zone is None:
        return found
    if offset is not None:
        utc = found - datetime.timedelta(seconds=offset)
        return utc.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    local, later = (
        each.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        for each in (found, found + datetime.timedelta(hours=1))
    )
    return local.zip_with(local.is_not_null(), later)


def _arrow_times(times: NDArray[Any], column: Any, offset: int | None, pyarrow: Any) -> Any:
    zone = column.type.tz
    if zone is not None and offset is not None:
        return pyarrow.array(times - np.timedelta64(offset, "s")).cast(column.type)  # Arrow stores UTC
    found = pyarrow.array(times).cast(pyarrow.timestamp(column.type.unit))
    if zone is None:
        return found
    return import_module("pyarrow.compute").assume_timezone(found, zone, ambiguous="earliest", nonexistent="latest")
