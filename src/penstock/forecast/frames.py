"""Frames and series of pandas and Polars: read as columns, and forecasts written back as a frame of the same kind.

Told apart by the package that they come from, without importing either: a saved model predicts on frames with the base
install alone, which has no Narwhals.
"""

import datetime
import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.forecast.frequency import DAY, NUMBER, SECOND, Frequency
from penstock.forecast.panel import Panel
from penstock.forecast.panel_columns import panel
from penstock.forecast.times import words_of
from penstock.runtime.columns import column_list

__all__ = ["as_table", "forecast_frame", "frame_panel", "is_frame", "without_periods"]

_ID, _TIME, _TARGET = "unique_id", "ds", "y"
_COMPACT = {4: "%Y", 6: "%Y%m", 8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
"""Digits of a date that stands as a whole number, to its form."""


def is_frame(data: Any) -> bool:
    """Whether it is a DataFrame or Series of pandas or Polars, or a mapping of names to such series of pandas."""
    if isinstance(data, Mapping):
        return bool(data) and all(_package(each) == "pandas" and _is_dated(each.index) for each in data.values())
    return _package(data) is not None


def as_table(data: Any) -> Any:
    """A DataFrame with all that is read in columns, an index of times or of several levels too; others as they are.

    Columns without a name are called `unique_id`, `ds` and `y`.
    """
    if isinstance(data, Mapping) and is_frame(data):
        parts = [as_table(each.rename(_TARGET)).assign(**{_ID: str(name)}) for name, each in data.items()]
        times = {each.columns[0] for each in parts}
        if len(times) > 1:
            raise DataError(f"the indexes of all series must have one name; got {', '.join(sorted(map(str, times)))}")
        return sys.modules["pandas"].concat(parts, ignore_index=True)
    package = _package(data)
    if package is None:
        return data
    if not hasattr(data, "columns"):
        data = data.to_frame(data.name if data.name not in (None, "") else _TARGET)
    return _with_index(data) if package == "pandas" else data


def without_periods(table: Any) -> Any:
    """A table whose periods, which pandas alone has, are the times at which they start."""
    if _package(table) != "pandas":
        return table
    periods = [name for name, dtype in table.dtypes.items() if _is_period(dtype)]
    return table.assign(**{name: table[name].dt.to_timestamp() for name in periods}) if periods else table


def frame_panel(table: Any, columns: Mapping[str, Any]) -> Panel:
    """The series of a DataFrame by the columns of training.

    Args:
        table: from `as_table`.
        columns: their names, as `ForecastFeatures.columns` has them.

    Raises:
        DataError: a column that is not there, or what `panel_columns.panel` refuses.
    """
    several = {kind: list(columns[kind]) for kind in ("target", "past", "known")}
    wanted = [*filter(None, (columns["time"], columns["id"])), *itertools.chain(*several.values())]
    there = [str(name) for name in table.columns]
    if missing := [name for name in wanted if name not in there]:
        raise DataError(
            f"the frame must have the columns of training, {', '.join(wanted)}; {', '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not among {', '.join(there)}"
        )
    table = without_periods(table)
    return panel(
        {name: column_list(_column(table, name), f"the column {name}") for name in wanted},
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
    """A forecast as a DataFrame of the package that `table` is of: a row for each series, target and step ahead.

    Columns: the id and the time, as `table` names them, where it has them; `target` where there are several; `step`,
    from 1; `prediction`; and `quantile_<level>` for each level.

    Args:
        table: from `as_table`.
        series: what was read of it.
        quantiles: (series, horizon, targets, levels).
        levels: of the quantiles.
        median: the place of 0.5 among them.
    """
    count, horizon, targets, _ = quantiles.shape
    rows = horizon * targets
    own = {"target", "step", "prediction", *(f"quantile_{level:g}" for level in levels)}
    if clash := [name for name in (series.id, series.time) if name in own]:
        raise DataError(f"the column {clash[0]} has the name of one of the forecast's columns. Rename it.")
    columns: dict[str, Any] = {}
    if series.id is not None:
        given = {str(value).strip(): value for value in column_list(_column(table, series.id), series.id)}
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
    package = sys.modules[_package(table) or ""]
    if series.time is not None and series.frequency is not None:
        columns[series.time] = _times(columns[series.time], _column(table, series.time), series, package)
    frame = package.DataFrame(columns)
    return _like(frame, table, series.id) if series.id is not None else frame


def _package(data: Any) -> str | None:
    """The package of a DataFrame or Series, pandas or polars; None for anything else."""
    kind = type(data)
    package = kind.__module__.split(".")[0]
    return package if package in ("pandas", "polars") and kind.__name__ in ("DataFrame", "Series") else None


def _is_period(dtype: Any) -> bool:
    return str(dtype).startswith("period[")


def _is_dated(index: Any) -> bool:
    return type(index).__name__ in ("DatetimeIndex", "PeriodIndex")


def _with_index(frame: Any) -> Any:
    """pandas: the index as columns, where it says something."""
    index = frame.index
    if _is_dated(index) or index.nlevels > 1:
        usual = [_TIME if _is_dated(index.get_level_values(k)) else _ID for k in range(index.nlevels)]
        names = [other if name is None else name for name, other in zip(index.names, usual, strict=True)]
        if twice := [name for name in names if name in frame.columns or names.count(name) > 1]:
            raise DataError(f"the index must have a name of its own; {twice[0]} is another column's too. Rename it.")
        frame = frame.reset_index(names=names)
    return frame


def _column(table: Any, name: str) -> Any:
    """A column by its name as text."""
    return table[next(own for own in table.columns if str(own) == name)]


def _like(frame: Any, table: Any, name: str) -> Any:
    """A frame whose column has the type of another frame's: categories, whole numbers of a size."""
    dtype = _column(table, name).dtype
    if _package(frame) == "pandas":
        return frame.astype({name: dtype})
    return frame.with_columns(frame[name].cast(dtype))


def _times(times: NDArray[Any], column: Any, series: Panel, package: Any) -> Any:
    """Times ahead as a column of the kind that the times before them stand in; texts in ISO's form."""
    frequency = series.frequency
    assert frequency is not None
    if frequency.unit == NUMBER:
        return times
    if _is_period(column.dtype):
        return package.PeriodIndex(times, freq=column.dtype.freq)
    first = next(iter(column_list(column, "the column of times")))
    if isinstance(first, str):
        return [words_of(each) for each in times]
    if isinstance(first, int):
        form = series.time_format if "%" in (series.time_format or "") else _COMPACT[len(str(first))]
        return [int(each.item().strftime(form)) for each in times]
    if not isinstance(first, datetime.datetime):
        return [each.item().date() for each in times]
    write = _pandas_times if package.__name__ == "pandas" else _polars_times
    return write(times, column, None if _is_by_clock(column, frequency) else frequency.offset, package)


def _is_by_clock(column: Any, frequency: Frequency) -> bool:
    """Whether times ahead are by the clock of the column's time zone, as those of days and longer steps are.

    A grid has one offset where all its times had, in winter say; a day of the summer after it still begins at midnight.
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
        first = np.ones(len(found), bool)  # where the clock shows an hour twice; one that it leaves out is the next
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
