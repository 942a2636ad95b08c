"""Builds the series of a detector from the columns of a table, from arrays or from frames."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from penstock.datasets.changes import change
from penstock.datasets.frames import table_names
from penstock.detect.timelines import Timeline, Timelines, Windows
from penstock.errors import DataError
from penstock.panels.frames import as_table, table_columns
from penstock.panels.panel_columns import grouped_rows, named_arrays

__all__ = ["array_timelines", "as_windows", "frame_timelines", "table_timelines"]

_LOGGER = logging.getLogger("penstock.detect")


def table_timelines(
    columns: Mapping[str, Sequence[Any]],
    *,
    targets: Sequence[str],
    time: str | None = None,
    id: str | None = None,
    covariates: Sequence[str] = (),
    decimal: str | None = None,
    time_format: str | None = None,
) -> Timelines:
    """Build series from the columns of a table.

    Rows are sorted by time; rows of the same time keep their order. Both are counted in `changed`.

    Raises:
        DataError: as `panels.panel_columns.grouped_rows`, or a series without values.
    """
    parts = {"values": targets, "covariates": covariates}
    table, times, groups, found = grouped_rows(
        columns, parts, time=time, id=id, decimal=decimal, time_format=time_format, unique=False
    )
    series = []
    for name, rows in groups.items():
        values = table["values"][rows]
        if np.isnan(values).all():
            raise DataError(f"series {name!r} must have values; all {len(values)} are missing")
        moments = None if times is None else times.moments[rows]
        series.append(Timeline(name, values, table["covariates"][rows], moments, rows))
    for kind, count in found.items():
        change(_LOGGER, kind, count, f"{kind}: {count:,}")
    needed = None if times is None else times.time_format
    return Timelines(series, tuple(targets), tuple(covariates), time, id, needed, changed=dict(+found))


def array_timelines(data: Any, targets: Sequence[str] | None = None) -> Timelines:
    """Build series without times from arrays, as `panels.panel_columns.named_arrays` takes them."""
    arrays, names = named_arrays(data, targets)
    series = []
    for name, values in arrays.items():
        steps = len(values)
        series.append(Timeline(name, values, np.zeros((steps, 0)), None, np.arange(steps)))
    return Timelines(series, names)


def frame_timelines(frame: Any, columns: Mapping[str, Any]) -> Timelines:
    """Build series from a frame that has the columns of training, named as in `DetectFeatures.columns`."""
    table = as_table(frame)
    several = {kind: list(columns[kind]) for kind in ("target", "covariates")}
    wanted = [*filter(None, (columns["time"], columns["id"])), *several["target"], *several["covariates"]]
    if missing := [name for name in wanted if name not in table_names(table)]:
        raise DataError(
            f"the table must have the columns of training, {', '.join(wanted)}; it lacks {', '.join(missing)}"
        )
    return table_timelines(
        table_columns(table, wanted),
        targets=several["target"],
        covariates=several["covariates"],
        time=columns["time"],
        id=columns["id"],
        time_format=columns["time_format"],
    )


def as_windows(given: Any, data: Timelines) -> Windows | None:
    """Check labelled windows: a mapping of series names, or a list for a single series; None for no labels.

    Raises:
        DataError: a name of no series, or a window outside its series.
    """
    if given is None:
        return None
    windows = given if isinstance(given, Mapping) else {data.series[0].name: given}
    names = [series.name for series in data]
    if unknown := [name for name in windows if name not in names]:
        raise DataError(f"labelled windows must be of these series, {', '.join(names[:5])}; got {unknown[0]!r}")
    try:
        found = {name: sorted((start, end) for start, end in each) for name, each in windows.items()}
    except (TypeError, ValueError) as error:
        raise DataError(f"labelled windows must be (start, end) for each series; got {given!r:.80}") from error
    for series in data:
        series.check_windows(found.get(series.name, ()))
    return found
