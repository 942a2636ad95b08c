"""The table of tasks, and the way into it for tasks of other packages."""

from pathlib import Path

from penstock import runtime
from penstock.datasets import Rows, read_inputs, read_texts
from penstock.errors import ConfigError
from penstock.tasks.task import Column, Columns, Task

__all__ = ["TASKS", "find", "register"]


def _read_texts(path: Path, columns: Columns, answers: bool) -> Rows:
    if answers:
        return read_texts(path, text=columns["text"], label=columns["label"])
    return read_inputs(path, text=columns["text"])


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

TASKS = {task.name: task for task in (_TEXT,)}
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
