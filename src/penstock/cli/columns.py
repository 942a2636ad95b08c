"""Flags that select columns of the data, generated from the column definitions of the tasks."""

import csv
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.cli.command import Option
from penstock.errors import ConfigError
from penstock.tasks import TASKS, Column, Task

if TYPE_CHECKING:
    from penstock.runtime import Model

__all__ = ["column_options", "remembered_columns", "saved_columns", "several_tasks_options", "trained_columns"]


def column_options(columns: Iterable[Column], *, as_in_training: bool = False, panel: str = "options") -> list[Option]:
    """Make an option for each column.

    Args:
        columns: the columns of one task.
        as_in_training: leave the defaults to `saved_columns`.
        panel: the panel of the help.
    """
    return [
        Option(
            [_flag(column), column.name],
            type=bool if isinstance(column.default, bool) else str,
            default=None if as_in_training else column.default,
            help=_help(column, as_in_training),
            panel=panel,
            everyday=column.everyday,
        )
        for column in columns
    ]


def several_tasks_options(*, answers: bool) -> list[Option]:
    """Make an option for each column of any task, for commands that read the task from a saved model."""
    columns = {
        column.name: column for task in TASKS.values() for column in task.columns if answers or not column.answer
    }
    return column_options(columns.values(), as_in_training=True)


def trained_columns(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns to read, by the task's names, from the flags of `penstock train`."""
    return {column.name: _names(column, given[column.name]) for column in task.columns}


def saved_columns(task: Task, model: "Model", given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns to read: the given ones, else those of the training, else the task's defaults.

    Raises:
        ConfigError: a given column does not exist in this task.
    """
    own = {column.name: column for column in task.columns}
    if unknown := [name for name, value in given.items() if value is not None and name not in own]:
        raise ConfigError(
            f"a model for {task.name} reads {', '.join(f'--{name}' for name in own) or 'no columns'}; "
            f"got --{unknown[0]}"
        )
    before = model.metrics.get("data", {}).get("columns", {})
    return {
        name: _names(column, given[name])
        if given.get(name) is not None
        else before.get(name, _names(column, column.default))
        for name, column in own.items()
    }


def remembered_columns(task: Task, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the training that a saved model also reads from other files."""
    forgotten = {column.name for column in task.columns if not column.remembered}
    return {name: value for name, value in columns.items() if name not in forgotten}


def _flag(column: Column) -> str:
    name = column.name.replace("_", "-")
    return f"--{name}/--no-{name}" if isinstance(column.default, bool) else f"--{name}"


def _names(column: Column, given: Any) -> Any:
    if given is None or not column.several:
        return given
    # The value is parsed as a line of CSV, so that a name with a comma can be quoted.
    return [name for part in next(csv.reader([given], skipinitialspace=True), []) if (name := part.strip())]


def _help(column: Column, as_in_training: bool) -> str:
    words = [column.help]
    if column.several:
        words.append("Several with commas between; a name that holds one, in quotes.")
    if as_in_training and column.remembered:
        words.append("As in training if left out.")
    return " ".join(words)
