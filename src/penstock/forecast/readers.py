"""Reads files for the commands: the series to forecast."""

from pathlib import Path

from penstock.datasets.layout import layout_of
from penstock.panels.panel import Panel
from penstock.panels.readers import read_series
from penstock.registry import Columns

__all__ = ["read_panel"]


def read_panel(path: Path, columns: Columns, answers: bool) -> Panel:
    """Series to forecast."""
    return read_series(
        path,
        time=columns.get("time"),
        target=columns.get("target"),
        id=columns.get("id"),
        past=columns.get("past") or (),
        known=columns.get("known") or (),
        layout=layout_of(columns),
        time_format=columns.get("time_format"),
    )
