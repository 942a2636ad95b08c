"""The table of tasks, and the way into it for tasks of other packages."""

from pathlib import Path

from penstock import runtime
from penstock.datasets import Rows, read_inputs, read_series, read_texts
from penstock.datasets.audio import read_recordings, recording_at
from penstock.errors import ConfigError
from penstock.features import Panel
from penstock.tasks.task import Column, Columns, Task

__all__ = ["TASKS", "find", "register"]


def _read_texts(path: Path, columns: Columns, answers: bool) -> Rows:
    if answers:
        return read_texts(path, text=columns["text"], label=columns["label"])
    return read_inputs(path, text=columns["text"])


def _read_series(path: Path, columns: Columns, answers: bool) -> Panel:
    several = {name: columns.get(name) or () for name in ("past", "known")}
    return read_series(path, time=columns.get("time"), target=columns.get("target"), id=columns.get("id"), **several)


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

TASKS = {task.name: task for task in (_TEXT, _AUDIO, _FORECAST)}
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
