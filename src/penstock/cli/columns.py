"""Flags that select columns of the data, generated from the column definitions of the tasks."""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from penstock.cli.command import Option, argument
from penstock.cli.values import PATH, TEXT, Number
from penstock.errors import ConfigError
from penstock.tasks import TASKS, Column, Setting, Task

if TYPE_CHECKING:
    from penstock.runtime import Model

__all__ = [
    "column_options",
    "file_arguments",
    "part_file_options",
    "remembered_columns",
    "saved_columns",
    "several_tasks_files",
    "several_tasks_options",
    "several_tasks_settings",
    "split_settings",
    "trained_columns",
]

SettingsOf = Callable[[Task], Iterable[Setting]]


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
        if not column.file
    ]


def file_arguments(columns: Iterable[Column]) -> list[click.Argument]:
    """Make an argument for each file that belongs to the data row by row."""
    return [click.Argument([column.name], **_about_file(column)) for column in columns if column.file]


def part_file_options(columns: Iterable[Column], part: str) -> list[Option]:
    """Make an option for each file that belongs row by row to that of `--valid` or `--test`."""
    return [
        Option(
            [f"--{part}-{column.name.replace('_', '-')}", f"{part}_{column.name}"],
            type=PATH,
            panel="data",
            help=f"{column.help} For --{part}.",
        )
        for column in columns
        if column.file
    ]


def several_tasks_files(function: Callable[..., None]) -> Callable[..., None]:
    """Decorate a command with an argument for each file of any task that belongs to the data row by row."""
    files = {column.name: column for task in TASKS.values() for column in task.columns if column.file}
    for column in reversed(files.values()):
        function = argument(column.name, **_about_file(column))(function)
    return function


def several_tasks_options(*, answers: bool) -> list[Option]:
    """Make an option for each column of any task, for commands that read the task from a saved model."""
    by_name: dict[str, dict[str, Column]] = {}
    for task in TASKS.values():
        for column in task.columns:
            if answers or not column.answer:
                by_name.setdefault(column.name, {})[task.name] = column
    return column_options(map(_of_several, by_name.values()), as_in_training=True)


def _of_several(columns: Mapping[str, Column]) -> Column:
    """Return a column whose help says what it is for each task, if that differs."""
    tasks: dict[str, list[str]] = {}
    for task, column in columns.items():
        tasks.setdefault(_help(column, as_in_training=False), []).append(task)
    first = next(iter(columns.values()))
    if len(tasks) == 1:
        return first
    said = " ".join(f"{', '.join(names)}: {text}" for text, names in tasks.items())
    return replace(first, help=said, several=False)


def several_tasks_settings(of: SettingsOf) -> list[Option]:
    """Make an option for each setting of any task.

    Args:
        of: the settings of a task that the command has.
    """
    settings = {setting.name: setting for task in TASKS.values() for setting in of(task)}
    return [
        Option([f"--{name.replace('_', '-')}", name], help=setting.help, **_about_value(setting))
        for name, setting in settings.items()
    ]


def _about_value(setting: Setting) -> dict[str, Any]:
    if setting.type is bool:
        return {"is_flag": True, "default": None}
    return {"type": TEXT if setting.type is str else Number(whole=setting.type is int, least=setting.least)}


def split_settings(task: Task, given: Mapping[str, Any], of: SettingsOf) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split options into columns, and the settings of the task that were given; `of` as for `several_tasks_settings`.

    Raises:
        ConfigError: a setting was given that this task does not have.
    """
    names = {setting.name for each in TASKS.values() for setting in of(each)}
    settings = {name: value for name, value in given.items() if name in names and value is not None}
    if unknown := settings.keys() - {setting.name for setting in of(task)}:
        flag = min(unknown).replace("_", "-")
        raise ConfigError(f"a model for {task.name} has no option --{flag}. Leave it out.")
    return {name: value for name, value in given.items() if name not in names}, settings


def trained_columns(task: Task, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns to read, by the task's names, from the flags of `penstock train`."""
    return {column.name: _names(column, given[column.name]) for column in task.columns}


def saved_columns(task: Task, model: "Model", given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns to read: the given ones, else those of the training, else the task's defaults.

    Raises:
        ConfigError: a given column does not exist in this task.
    """
    own = {column.name: column for column in task.columns}
    files = {column.name for each in TASKS.values() for column in each.columns if column.file} - own.keys()
    if extra := [name for name in files if given.get(name) is not None]:
        raise ConfigError(f"a model for {task.name} reads one file of data; got also {given[extra[0]]}")
    if unknown := [name for name, value in given.items() if value is not None and name not in own]:
        flags = ", ".join(f"--{name}" for name, column in own.items() if not column.file)
        raise ConfigError(f"a model for {task.name} reads {flags or 'no columns'}; got --{unknown[0]}")
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


def _about_file(column: Column) -> dict[str, Any]:
    return {"metavar": f"[{column.name.upper()}]", "type": PATH, "required": False, "help": column.help}


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
