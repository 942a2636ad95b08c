"""Reads tables and series of pandas, Polars and Arrow as columns.

See `datasets.frames` for what counts as a table, and why no package is imported here.
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.datasets.frames import is_table, package_of, table_column, table_names, tabular
from penstock.errors import DataError
from penstock.panels.panel import Panel
from penstock.panels.panel_columns import panel
from penstock.runtime.columns import column_list

__all__ = ["as_table", "frame_panel", "is_frame", "is_period", "table_columns", "without_periods"]

_ID, _TIME, _TARGET = "unique_id", "ds", "y"


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
    periods = [name for name, dtype in table.dtypes.items() if is_period(dtype)]
    return table.assign(**{name: table[name].dt.to_timestamp() for name in periods}) if periods else table


def table_columns(table: Any, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return columns of a table from `as_table` by name, as lists; periods as the times at which they start."""
    table = without_periods(table)
    return {name: column_list(table_column(table, name), f"the column {name}") for name in names}


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
    return panel(
        table_columns(table, wanted),
        targets=several["target"],
        past=several["past"],
        known=several["known"],
        time=columns["time"],
        id=columns["id"],
        time_format=columns["time_format"],
    )


def _is_series(data: Any) -> bool:
    return package_of(data) in ("pandas", "polars") and hasattr(data, "to_frame") and not hasattr(data, "columns")


def is_period(dtype: Any) -> bool:
    """Whether the type of a pandas column is one of periods."""
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
