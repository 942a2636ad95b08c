"""Reads tables and series of pandas, Polars and Arrow as columns, and returns forecasts as a table of the same package.

See `datasets.frames` for what counts as a table, and why no package is imported here.
"""

import datetime
import itertools
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.frames import is_table, package_of, table_column, table_names, tabular
from penstock.errors import DataError
from penstock.forecast.frequency import DAY, NUMBER, SECOND, Frequency
from penstock.forecast.panel import Panel
from penstock.forecast.panel_columns import panel
from penstock.forecast.times import words_of
from penstock.runtime.columns import column_list

__all__ = ["as_table", "forecast_frame", "frame_panel", "is_frame", "without_periods"]

_ID, _TIME, _TARGET = "unique_id", "ds", "y"
_COMPACT = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
"""Number of digits of a date written as a whole number -> its format."""


def is_frame(data: Any) -> bool:
    """Whether data is a table, a pandas or Polars Series, or maps names to pandas series with an index of times."""
    if isinstance(data, Mapping):
        return bool(data) and all(
            package_of(each) == "pandas" and _is_dated(getattr(each, "index", None)) for each in data.values()
        )
    return is_table(data) or _is_series(data)


def as_table(data: Any) -> Any:
    """Convert tables and series to a DataFrame or a `pyarrow.Table`; return other data unchanged.

    An index of times, or one with several levels, becomes columns. Unnamed columns are called `unique_id`, `ds` or `y`.
    """
    if isinstance(data, Mapping) and is_frame(data):
        parts = [as_table(each.rename(_TARGET)).assign(**{_ID: str(name)}) for name, each in data.items()]
        times = {each.columns[0] for each in parts}
        if len(times) > 1:
            raise DataError(f"the indexes of all series must have one name; got {', '.join(sorted(map(str, times)))}")
        return sys.modules["pandas"].concat(parts, ignore_index=True)
    if _is_series(data):
        data = data.to_frame(data.name if data.name not in (None, "") else _TARGET)
    elif not is_table(data):
        return data
    return _with_index(data) if package_of(data) == "pandas" else tabular(data)


def without_periods(table: Any) -> Any:
    """Return the table with each pandas period replaced by the time at which it starts."""
    if package_of(table) != "pandas":
        return table
    periods = [name for name, dtype in table.dtypes.items() if _is_period(dtype)]
    return table.assign(**{name: table[name].dt.to_timestamp() for name in periods}) if periods else table


def frame_panel(table: Any, columns: Mapping[str, Any]) -> Panel:
    """Read the series of a DataFrame that has the columns of training.

    Args:
        table: a table from `as_table`.
        columns: the names of the columns, as in `ForecastFeatures.columns`.

    Returns:
        The series.

    Raises:
        DataError: a column is missing, or as for `panel_columns.panel`.
    """
    several = {kind: list(columns[kind]) for kind in ("target", "past", "known")}
    wanted = [*filter(None, (columns["time"], columns["id"])), *itertools.chain(*several.values())]
    there = table_names(table)
    if missing := [name for name in wanted if name not in there]:
        raise DataError(
            f"the table must have the columns of training, {', '.join(wanted)}; {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not among {', '.join(there)}"
        )
    table = without_periods(table)
    return panel(
        {name: column_list(table_column(table, name), f"the column {name}") for name in wanted},
        targets=several["target"],
        past=several["past"],
        known=several["known"],
        time=columns["time"],
        id=columns["id"],
        time_format=columns["time_format"],
    )


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


def _is_series(data: Any) -> bool:
    return package_of(data) in ("pandas", "polars") and hasattr(data, "to_frame") and not hasattr(data, "columns")


def _arrow_column(values: Any, kind: Any, package: Any) -> Any:
    """The values as a column of Arrow, of the given type unless that is None."""
    found = values if isinstance(values, package.Array | package.ChunkedArray) else package.array(values)
    if kind is None or found.type == kind:
        return found
    return found.dictionary_encode().cast(kind) if package.types.is_dictionary(kind) else found.cast(kind)


def _is_period(dtype: Any) -> bool:
    return str(dtype).startswith("period[")


def _is_dated(index: Any) -> bool:
    return type(index).__name__ in ("DatetimeIndex", "PeriodIndex")


def _with_index(frame: Any) -> Any:
    """A pandas frame with its index as columns, if the index holds times or has several levels."""
    index = frame.index
    if _is_dated(index) or index.nlevels > 1:
        usual = [_TIME if _is_dated(index.get_level_values(k)) else _ID for k in range(index.nlevels)]
        names = [other if name is None else name for name, other in zip(index.names, usual, strict=True)]
        if twice := [name for name in names if name in frame.columns or names.count(name) > 1]:
            raise DataError(f"the index must have a name of its own; {twice[0]} is another column's too. Rename it.")
        frame = frame.reset_index(names=names)
    return frame


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
    if package.__name__ == "pandas" and _is_period(column.dtype):
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
