"""Reads time series from files and data frames."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from penstock.datasets.changes import counted
from penstock.datasets.columns import frame_column
from penstock.datasets.layout import DETECT, Layout
from penstock.datasets.naming import absent_words
from penstock.datasets.readers import column_names, first_rows, read_table
from penstock.errors import DataError, MissingExtraError
from penstock.panels.column_search import Chosen, find_columns
from penstock.panels.frames import as_table, without_periods
from penstock.panels.panel import Panel
from penstock.panels.panel_columns import panel

__all__ = ["read_columns", "read_series"]

Built = TypeVar("Built")

_HEAD_ROWS = 1000


def read_series(
    source: Any,
    *,
    time: str | None = None,
    target: str | Sequence[str] | None = None,
    id: str | None = None,
    past: Sequence[str] = (),
    known: Sequence[str] = (),
    layout: Layout = DETECT,
    time_format: str | None = None,
) -> Panel:
    """Read series from a file or a frame: long (each row is one step of one series) or wide (several target columns).

    Args:
        source: the path of a CSV, TSV, JSON or Parquet file, plain or gzipped; a pandas, Polars or Arrow frame;
            a pandas or Polars series, or a mapping of names to pandas series with times as their index; or a mapping of
            names to columns. An index of times, or one with several levels, counts as columns; unnamed ones are called
            `unique_id`, `ds` or `y`.
        time: the column of times; None for `ds`, or the only column of dates; "" for none. Without times, each row is
            the step after the previous row.
        target: the column to forecast, or several; None for `y`, or the only column of numbers.
        id: the column with the name of each row's series; None for `unique_id`, or the only column of names within
            which each time occurs once; "" for none.
        past: covariates that are known only up to the present.
        known: covariates that are known in advance.
        layout: the layout of a text file.
        time_format: how to read the times: one of Python's formats, such as "%d.%m.%y"; "day-first" or "month-first"
            for 01/02/2024; "dates" for whole numbers like 202401, "numbers" for whole numbers that count steps. None to
            detect it, which works if only one reading fits the whole column.

    Returns:
        A panel of the series, the input of a forecaster.

    Raises:
        DataError: a missing column, text instead of numbers, or times that are missing, duplicated or irregular.
        MissingExtraError: the package that reads this kind of source isn't installed.

    Examples:
        >>> import penstock
        >>> days = ["2024-01-01", "2024-01-02", "2024-01-03"]
        >>> panel = penstock.read_series({"day": days, "sold": [3, 5, 4]}, time="day", target="sold")
        >>> [len(series) for series in panel]
        [3]
    """

    def build(columns: Mapping[str, Sequence[Any]], chosen: Chosen) -> Panel:
        return panel(
            columns,
            targets=chosen.targets,
            time=chosen.time,
            id=chosen.id,
            past=past,
            known=known,
            decimal=layout.decimal,
            time_format=time_format,
        )

    how: dict[str, Any] = {"time": time, "target": target, "id": id, "layout": layout, "time_format": time_format}
    found, changed = read_columns(source, build, covariates=[*past, *known], **how)
    return replace(found, changed=changed)


def read_columns(
    source: Any,
    build: Callable[[Mapping[str, Sequence[Any]], Chosen], Built],
    *,
    time: str | None,
    target: str | Sequence[str] | None,
    id: str | None,
    covariates: Sequence[str],
    layout: Layout,
    time_format: str | None,
) -> tuple[Built, dict[str, int]]:
    """Find the columns of series in a file or frame, read them, and return what `build` makes of them.

    Args:
        source, time, target, id, layout, time_format: as for `read_series`.
        build: (columns by name, which column is which) -> the series.
        covariates: other columns to read.

    Returns:
        The series, and what was changed in the data -> how often.

    Raises:
        DataError, MissingExtraError: as for `read_series`; errors of `build` are told with the file's name.
    """
    source = without_periods(as_table(source))
    is_path = isinstance(source, str | Path)
    where = f"{source}: " if is_path else ""
    there = column_names(source, layout) if is_path else _names(source)
    given = [target] if isinstance(target, str) else list(target or [])
    found_time = ""
    try:
        chosen = find_columns(lambda: _head(source, layout), there, time, given, id, covariates, time_format, where)
        every = [*chosen.targets, *covariates]
        wanted = list(dict.fromkeys([*every, *filter(None, (chosen.time, chosen.id))]))
        if twice := [name for name in every if every.count(name) > 1]:
            raise DataError(f"a column is a target or a covariate, once; {twice[0]} is named twice")
        if missing := [name for name in wanted if name not in there]:
            raise DataError(absent_words(missing, there))
        found_time = chosen.time if time is None and chosen.time and "ds" not in there else ""
        with counted() as changed:
            columns = (
                read_table(source, wanted, layout) if is_path else {name: _column(source, name) for name in wanted}
            )
            found = build(columns, chosen)
        return found, dict(changed)
    except DataError as error:
        advice = ""
        if found_time and "time" in str(error):
            stop = "" if str(error).endswith(".") else "."
            advice = f"{stop} To take each row for a step, whatever {found_time!r} says: --time '' (time='')."
        prefix = "" if where and str(error).startswith(str(source)) else where
        raise DataError(f"{prefix}{error}{advice}") from error


def _head(source: Any, layout: Layout) -> Mapping[str, Sequence[Any]]:
    """The first rows of a table."""
    if isinstance(source, str | Path):
        return first_rows(source, layout)
    if isinstance(source, Mapping):
        return {str(name): list(_column(source, name)[:_HEAD_ROWS]) for name in source}
    frame = _frame(source).head(_HEAD_ROWS)
    return {str(name): frame_column(frame[name]) for name in frame.columns}


def _names(source: Any) -> list[str]:
    if isinstance(source, Mapping):
        return [str(name) for name in source]
    return [str(name) for name in _frame(source).columns]


def _column(source: Any, name: str) -> Sequence[Any]:
    if not isinstance(source, Mapping):
        return frame_column(_frame(source)[name])
    column = source[name]
    if isinstance(column, str | bytes) or not hasattr(column, "__len__") or getattr(column, "ndim", 1) != 1:
        raise DataError(f"the column {name} must be a column of values; got {column!r:.60}")
    return frame_column(column) if hasattr(column, "to_list") else column


def _frame(source: Any) -> Any:
    try:
        import narwhals
    except ImportError as error:
        raise MissingExtraError("frames need Narwhals: pip install 'penstock[data]'") from error
    try:
        return narwhals.from_native(source, eager_only=True)
    except TypeError as error:
        raise DataError(
            f"series must be a path, a frame or a mapping of columns; got {type(source).__name__}"
        ) from error
