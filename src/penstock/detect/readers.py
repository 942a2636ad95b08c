"""Reads series to watch from files and frames, and labelled windows beside them."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.detect.building import table_timelines
from penstock.detect.timelines import Timelines, Windows
from penstock.errors import DataError
from penstock.panels.column_search import Chosen
from penstock.panels.readers import read_columns
from penstock.panels.times import parse_times
from penstock.registry import Columns

__all__ = ["read_measurements", "read_timelines", "read_windows"]


def read_timelines(
    source: Any,
    *,
    time: str | None = None,
    target: str | Sequence[str] | None = None,
    id: str | None = None,
    covariates: Sequence[str] = (),
    layout: Layout = DETECT,
    time_format: str | None = None,
) -> Timelines:
    """Read series whose rows may be irregular in time: long (rows of several series) or wide (several targets).

    Args:
        source, time, target, id, layout, time_format: as for `panels.readers.read_series`.
        covariates: other columns that the network reads.

    Raises:
        DataError, MissingExtraError: as `read_series`, except for what concerns a grid of times.
    """

    def build(columns: Mapping[str, Sequence[Any]], chosen: Chosen) -> Timelines:
        return table_timelines(
            columns,
            targets=chosen.targets,
            time=chosen.time,
            id=chosen.id,
            covariates=covariates,
            decimal=layout.decimal,
            time_format=time_format,
        )

    how: dict[str, Any] = {"time": time, "target": target, "id": id, "layout": layout, "time_format": time_format}
    found, changed = read_columns(source, build, covariates=covariates, **how)
    return replace(found, changed=changed)


def read_windows(path: str | Path, data: Timelines, source: str | Path = "") -> Windows:
    """Read labelled windows of series.

    Args:
        path: a JSON object of series name -> [[start, end], ...], as NAB's combined_windows.json; or a CSV with the
            columns series, start and end. Names may be paths whose end names the series, or `source`.
        data: the series.
        source: the file that the series came from, whose name a single series has too.

    Returns:
        The windows of these series, by their names.

    Raises:
        DataError: the file holds no windows, or none for these series; a window outside its series.
    """
    path = Path(path)
    try:
        given = _json_windows(path) if path.suffix.lower() == ".json" else _csv_windows(path)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        raise DataError(
            f"{path}: labelled windows must be JSON, {{series: [[start, end], ...]}}, or CSV with the columns series, "
            f"start and end: {error}"
        ) from error
    found = {series.name: _own(given, series.name, source if len(data) == 1 else "") for series in data}
    if all(windows is None for windows in found.values()):
        raise DataError(
            f"{path}: there must be windows for these series, {', '.join(list(found)[:5])}; there are some for "
            f"{', '.join(list(given)[:5]) or 'none'}"
        )
    dated = {name: _timed(windows or [], data, path) for name, windows in found.items()}
    for series in data:
        series.check_windows(dated[series.name])
    return dated


def read_measurements(path: Path, columns: Columns, answers: bool) -> Timelines:
    """Read series for the commands, with labelled windows if a file of them is named."""
    found = read_timelines(
        path,
        time=columns.get("time"),
        target=columns.get("target"),
        id=columns.get("id"),
        covariates=columns.get("covariates") or (),
        layout=layout_of(columns),
        time_format=columns.get("time_format"),
    )
    labels = columns.get("label_windows") if answers else None
    return found if labels is None else replace(found, windows=read_windows(labels, found, path))


def _json_windows(path: Path) -> dict[str, list[tuple[Any, Any]]]:
    loaded = json.loads(path.read_text("utf-8"))
    if not isinstance(loaded, dict):
        raise ValueError("it holds no object")
    return {str(name): [(start, end) for start, end in windows] for name, windows in loaded.items()}


def _csv_windows(path: Path) -> dict[str, list[tuple[Any, Any]]]:
    found: dict[str, list[tuple[Any, Any]]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in (reader := csv.DictReader(file)):
            name, start, end = row["series"], row["start"], row["end"]
            if name is None or start is None or end is None:
                raise ValueError(f"line {reader.line_num} has fewer values than columns")
            found.setdefault(name, []).append((start, end))
    return found


def _own(given: Mapping[str, list[tuple[Any, Any]]], name: str, source: str | Path) -> list[tuple[Any, Any]] | None:
    """The windows of a series: by its name, by the end of a path, or by its file; None if there is no such entry."""
    wanted = {name} | ({Path(source).name, Path(source).stem} if source else set())
    for key, windows in given.items():
        if key in wanted or PurePosixPath(key).name in wanted or PurePosixPath(key).stem in wanted:
            return windows
    return None


def _timed(windows: list[tuple[Any, Any]], data: Timelines, path: Path) -> list[tuple[Any, Any]]:
    """Windows with times as the series have them, ascending."""
    if not windows:
        return []
    ends = [str(each).split(".")[0] for window in windows for each in window]
    moments = parse_times(ends, f"{path}: the column of windows").moments
    pairs = list(zip(moments[::2], moments[1::2], strict=True))
    return sorted(pairs, key=lambda pair: pair[0])
