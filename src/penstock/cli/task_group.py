"""A group with a command for each kind of prediction; data and options decide on the task."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from penstock.cli.command import Group
from penstock.cli.configuration import config_path, read_configuration
from penstock.cli.values import meant
from penstock.errors import InputError, MissingExtraError
from penstock.tasks import TASKS, Task

__all__ = ["TaskCommands", "chosen_task"]

Made = Callable[[Task], click.Command]
"""Makes a task's command."""


class TaskCommands(Group):
    """The commands of the table of tasks; one is made when it is asked for, as its options come from an estimator.

    Subclasses implement `task_command`.
    """

    def task_command(self, task: Task) -> click.Command:
        """Return the command of a task."""
        raise NotImplementedError

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(dict.fromkeys(task.command for task in TASKS.values()))

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].startswith("-") and (path := config_path(args)) is not None:
            try:
                args = [read_configuration(path).command, *args]
            except InputError:
                if not ctx.resilient_parsing:  # a shell asks what may follow, and nobody reads an error
                    raise
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._made(ctx, cmd_name, [])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        found = self._made(ctx, args[0], args[1:])
        return (args[0], found, args[1:]) if found else super().resolve_command(ctx, args)

    def _made(self, ctx: click.Context, command: str, words: Sequence[str]) -> click.Command | None:
        if command not in self.list_commands(ctx):
            return None
        try:
            return self.task_command(chosen_task(command, words, self.task_command))
        except InputError:
            if ctx.resilient_parsing:  # a shell asks what may follow, and nobody reads an error
                return self.task_command(_tasks(command)[0])
            raise


def chosen_task(command: str, words: Sequence[str], made: Made) -> Task:
    """The task that is meant, among those of a command: the saved model's, the one that claims the data, or the first.

    Only a task's own parser can tell a value from the data. So the first one that takes the words reads them.

    Args:
        command: the word after `penstock train`.
        words: what follows it, in any order.
        made: makes a task's command, whose parser reads the words.

    Raises:
        ConfigError: a saved model of another command.
        DataError: the data can't be read.
    """
    from penstock.cli.train_task import saved_task

    tasks = _tasks(command)
    if len(tasks) == 1:
        return tasks[0]
    reader, given = _reading(tasks, words, made)
    if config := given.get("config"):
        configuration = read_configuration(Path(config))
        tasks = configuration.among(tasks)
        given = {**configuration.given(), **given}
        if reader not in tasks or len(tasks) == 1:
            reader = tasks[0]
    if start := given.get("start"):
        return saved_task(Path(start), tasks)
    path = Path(given.get("data") or "")
    return next((task for task in tasks if task.claims(path, given)), reader)


def _tasks(command: str) -> list[Task]:
    return [task for task in TASKS.values() if task.command == command]


def _reading(tasks: Sequence[Task], words: Sequence[str], made: Made) -> tuple[Task, Mapping[str, Any]]:
    """The first task whose parser takes the words, and the values by name.

    Where none does, it is the first whose options are near to the word that is none: its command will say so.
    """
    near = []
    for task in tasks if words else ():
        try:
            command = made(task)
        except MissingExtraError:  # another task may do without
            continue
        context = click.Context(command, info_name=task.command)
        try:
            values = command.make_parser(context).parse_args(list(words))[0]
            return task, {name: value for name, value in values.items() if isinstance(value, str)}
        except click.NoSuchOption as error:
            if meant(error.option_name, [word for each in command.params for word in each.opts]):
                near.append(task)
        except click.UsageError:  # the chosen task's command will raise it
            return task, {}
    return next(iter(near), tasks[0]), {}
