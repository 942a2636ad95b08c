"""How each task reads its files, and which files it claims; `registry.tasks` names these functions."""

from pathlib import Path

from penstock.datasets import Rows, is_ucr, matching_columns, read_inputs, read_series, read_signals, read_texts
from penstock.datasets.audio import read_recordings
from penstock.features import Panel
from penstock.registry import Columns

__all__ = [
    "claims_recordings",
    "claims_signals",
    "named_channels",
    "read_panel",
    "read_recording_rows",
    "read_signal_rows",
    "read_text_rows",
]


def read_text_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Texts and their labels."""
    if answers:
        return read_texts(path, text=columns["text"], label=columns["label"])
    return read_inputs(path, text=columns["text"])


def read_panel(path: Path, columns: Columns, answers: bool) -> Panel:
    """Series to forecast."""
    several = {name: columns.get(name) or () for name in ("past", "known")}
    return read_series(path, time=columns.get("time"), target=columns.get("target"), id=columns.get("id"), **several)


def read_signal_rows(path: Path, columns: Columns, answers: bool, *, answer: str, numbers: bool) -> Rows:
    """Signals, with a label or a number each, or one for each step."""
    named = {"series": columns["series"], "id": columns["id"], "time": columns["time"]}
    return read_signals(path, answer=columns[answer] if answers else None, numbers=numbers, **named)


def named_channels(path: Path, columns: Columns) -> Columns:
    """The channels by their names: in another file a pattern may mean them in another order. Steps are as they come."""
    if not columns["series"] or not (columns["id"] or columns["time"]):
        return columns
    others = [name for kind, name in columns.items() if kind != "series" and name is not None]
    return {**columns, "series": matching_columns(path, columns["series"], others)}


def claims_signals(path: Path, columns: Columns) -> bool:
    """Whether a file holds signals: its ending or its columns say so."""
    name = path.name.lower().removesuffix(".gz")
    if columns.get("series") or name.endswith(".ts"):
        return True
    return name.endswith((".tsv", ".txt")) and path.is_file() and is_ucr(path)


def read_recording_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Recordings and their labels."""
    return read_recordings(path, audio=columns["audio"], label=columns["label"], answers=answers)


def claims_recordings(path: Path, columns: Columns) -> bool:
    """Whether a folder, an archive or a column of paths holds recordings."""
    return "audio" in columns or path.suffix.lower() == ".zip" or (path.is_dir() and path != Path())
