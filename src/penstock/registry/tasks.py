"""The table of tasks, and the way into it for tasks of other packages."""

from penstock.errors import ConfigError
from penstock.registry.references import deferred
from penstock.registry.task import Column, Task

__all__ = ["TASKS", "estimators", "find", "register"]

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
    read=deferred("penstock.signals.readers:read_signal_rows", answer="label", numbers=False),
    estimator="penstock.signals.estimator:SeriesClassifier",
    model="penstock.signals.model:SignalClassModel",
    claims=deferred("penstock.signals.readers:claims_signals"),
    parse=deferred("penstock.signals.lines:parse_signal"),
    found=deferred("penstock.signals.readers:named_channels"),
)

_SERIES_NUMBERS = Task(
    name="series-regression",
    command="regress",
    summary="Predict a number from a signal; or one for each step of it.",
    example="engines.csv --series speed,load --id run --target wear --out wear",
    columns=(*_SERIES_COLUMNS, Column("target", "The column of numbers to predict.", default="target", answer=True)),
    read=deferred("penstock.signals.readers:read_signal_rows", answer="target", numbers=True),
    estimator="penstock.signals.estimator:SeriesRegressor",
    model="penstock.signals.model:SignalRegressionModel",
    claims=deferred("penstock.signals.readers:claims_signals"),
    parse=deferred("penstock.signals.lines:parse_signal"),
    found=deferred("penstock.signals.readers:named_channels"),
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
    read=deferred("penstock.text.readers:read_text_rows"),
    estimator="penstock.text.estimator:TextClassifier",
    model="penstock.text.model:TextModel",
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
    read=deferred("penstock.forecast.readers:read_panel"),
    estimator="penstock.forecast.estimator:Forecaster",
    model="penstock.forecast.model:ForecastModel",
)


_AUDIO = Task(
    name="audio-classification",
    command="classify",
    summary="Say which class a sound belongs to: spoken words, commands, machines.",
    example="recordings.zip --out words",
    columns=(
        Column("audio", "The column of paths, seen from the table's folder; not for a folder or zip of recordings."),
        Column("label", "The column of labels; not for a folder or zip of recordings.", answer=True),
    ),
    read=deferred("penstock.audio.readers:read_recording_rows"),
    estimator="penstock.audio.estimator:AudioClassifier",
    model="penstock.audio.model:AudioModel",
    claims=deferred("penstock.audio.readers:claims_recordings"),
    parse=deferred("penstock.audio.readers:recording_at"),
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


def find(name: str) -> Task:
    """The task of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in TASKS:
        raise ConfigError(
            f"there is no task {name!r}; there are: {', '.join(TASKS)}. "
            "A task of another package must be imported first; one of a newer Penstock needs that version."
        )
    return TASKS[name]


def estimators() -> dict[str, str]:
    """The modules of the estimators that the table has by name, by the names of their classes."""
    named = [task.estimator for task in TASKS.values() if isinstance(task.estimator, str)]
    return {name: module for module, _, name in (reference.partition(":") for reference in named)}
