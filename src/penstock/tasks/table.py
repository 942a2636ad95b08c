"""The table of tasks, and the way into it for tasks of other packages."""

from functools import partial
from pathlib import Path

from penstock import runtime
from penstock.datasets import Rows, is_ucr, matching_columns, read_inputs, read_series, read_signals, read_texts
from penstock.datasets.audio import read_recordings, recording_at
from penstock.errors import ConfigError
from penstock.features import Panel, parse_signal
from penstock.tasks.task import Column, Columns, Task

__all__ = ["TASKS", "find", "register"]


def _read_texts(path: Path, columns: Columns, answers: bool) -> Rows:
    if answers:
        return read_texts(path, text=columns["text"], label=columns["label"])
    return read_inputs(path, text=columns["text"])


def _read_series(path: Path, columns: Columns, answers: bool) -> Panel:
    several = {name: columns.get(name) or () for name in ("past", "known")}
    return read_series(path, time=columns.get("time"), target=columns.get("target"), id=columns.get("id"), **several)


def _read_signals(path: Path, columns: Columns, answers: bool, *, answer: str, numbers: bool) -> Rows:
    named = {"series": columns["series"], "id": columns["id"], "time": columns["time"]}
    return read_signals(path, answer=columns[answer] if answers else None, numbers=numbers, **named)


def _named_channels(path: Path, columns: Columns) -> Columns:
    """The channels by their names: in another file a pattern may mean them in another order. Steps are as they come."""
    if not columns["series"] or not (columns["id"] or columns["time"]):
        return columns
    others = [name for kind, name in columns.items() if kind != "series" and name is not None]
    return {**columns, "series": matching_columns(path, columns["series"], others)}


def _is_signals(path: Path, columns: Columns) -> bool:
    name = path.name.lower().removesuffix(".gz")
    if columns.get("series") or name.endswith(".ts"):
        return True
    return name.endswith((".tsv", ".txt")) and path.is_file() and is_ucr(path)


_SERIES_COLUMNS = (
    Column("series", "The columns of values; a name may be a pattern like 'v*'.", several=True),
    Column("id", "The column that says which signal a row is a step of."),
    Column("time", "The column by which the steps of a signal are sorted."),
)

_SERIES = Task(
    name="series-classification",
    command="classify",
    summary="Say which class a signal belongs to: sensors, gestures, heartbeats; or each step of it.",
    example="gestures.csv --series x,y,z --id recording --label gesture --out gestures",
    columns=(*_SERIES_COLUMNS, Column("label", "The column of labels.", default="label", answer=True)),
    read=partial(_read_signals, answer="label", numbers=False),
    estimator="penstock.tasks.series:SeriesClassifier",
    model="penstock.runtime.signal_models:SignalClassModel",
    claims=_is_signals,
    parse=parse_signal,
    found=_named_channels,
)

_SERIES_NUMBERS = Task(
    name="series-regression",
    command="regress",
    summary="Foretell a number from a signal; or one for each step of it.",
    example="engines.csv --series speed,load --id run --target wear --out wear",
    columns=(*_SERIES_COLUMNS, Column("target", "The column of numbers to foretell.", default="target", answer=True)),
    read=partial(_read_signals, answer="target", numbers=True),
    estimator="penstock.tasks.series:SeriesRegressor",
    model="penstock.runtime.signal_models:SignalRegressionModel",
    claims=_is_signals,
    parse=parse_signal,
    found=_named_channels,
)

_TEXT = Task(
    name="text-classification",
    command="classify",
    summary="Say which class a text belongs to: topics, sentiment, spam.",
    example="reviews.csv --text text --label label --out sentiment",
    columns=(
        Column("text", "The column of texts.", default="text"),
        Column("label", "The column of labels.", default="label", answer=True),
    ),
    read=_read_texts,
    estimator="penstock.tasks.text:TextClassifier",
    model="penstock.runtime.text_model:TextModel",
    parse=str,
)

_FORECAST = Task(
    name="forecasting",
    command="forecast",
    summary="Forecast series many steps ahead, with quantiles.",
    example="sales.csv --time date --target sold --horizon 28 --out sales",
    columns=(
        Column("time", "The column of times; by default ds, if there is one. Without, a row is a step."),
        Column("target", "The column to forecast; by default y.", several=True),
        Column("id", "The column that says which series a row is of; by default unique_id, if there is one."),
        Column("past", "Columns that are known only when they have happened.", several=True),
        Column("known", "Columns that are known beforehand.", several=True),
    ),
    read=_read_series,
    estimator="penstock.tasks.forecast:Forecaster",
    model="penstock.runtime.forecast_model:ForecastModel",
)


def _read_recordings(path: Path, columns: Columns, answers: bool) -> Rows:
    return read_recordings(path, audio=columns["audio"], label=columns["label"], answers=answers)


def _claims_recordings(path: Path, columns: Columns) -> bool:
    return "audio" in columns or path.suffix.lower() == ".zip" or (path.is_dir() and path != Path())


_AUDIO = Task(
    name="audio-classification",
    command="classify",
    summary="Say which class a sound belongs to: spoken words, commands, machines.",
    example="recordings.zip --out words",
    columns=(
        Column("audio", "The column of paths, seen from the table's folder; not for a folder or zip of recordings."),
        Column("label", "The column of labels; not for a folder or zip of recordings.", answer=True),
    ),
    read=_read_recordings,
    estimator="penstock.tasks.audio:AudioClassifier",
    model="penstock.runtime.audio_model:AudioModel",
    claims=_claims_recordings,
    parse=recording_at,
)

TASKS = {task.name: task for task in (_TEXT, _SERIES, _SERIES_NUMBERS, _AUDIO, _FORECAST)}
"""Every task by its name."""


def register(task: Task) -> None:
    """Add a task of another package: to the commands, and to what `penstock.load` can load.

    Raises:
        ConfigError: there is another task of that name.
    """
    if TASKS.get(task.name, task) is not task:
        raise ConfigError(f"there is a task {task.name!r} already. Choose another name.")
    TASKS[task.name] = task
    runtime.register(task.name, task.model)


def find(name: str) -> Task:
    """The task of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in TASKS:
        raise ConfigError(f"there is no task {name!r}; there are: {', '.join(TASKS)}")
    return TASKS[name]
