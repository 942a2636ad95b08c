"""`penstock train`: one command for each kind of answer; which task it is, the data and the flags say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from penstock.errors import ConfigError, MissingExtraError
from penstock.tasks import TASKS, Task, find

__all__ = ["app", "chosen_task"]


class _TrainCommands(TyperGroup):
    """The commands of the table of tasks; one is made when it is asked for, as its flags come from an estimator."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(dict.fromkeys(task.command for task in TASKS.values()))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return self._made(cmd_name, [])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        found = self._made(args[0], args[1:])
        return (args[0], found, args[1:]) if found else super().resolve_command(ctx, args)

    def _made(self, command: str, words: Sequence[str]) -> Any:
        if command not in self.list_commands(None):
            return None
        from penstock.cli.train_task import task_command

        return task_command(chosen_task(command, words))


def chosen_task(command: str, words: Sequence[str]) -> Task:
    """The task that is meant, among those of a command: the saved model's, the one that claims the data, or the first.

    Args:
        command: the word after `penstock train`.
        words: what follows it, in any order.

    Raises:
        ConfigError: a saved model of another command.
        DataError: the data can't be read.
    """
    tasks = [task for task in TASKS.values() if task.command == command]
    given = _given(tasks, words) if words else {}
    if start := given.get("start"):
        return _saved_task(Path(start), tasks)
    path = Path(given.get("data", ""))
    return next((task for task in tasks if task.claims(path, given)), tasks[0])


def _given(tasks: Sequence[Task], words: Sequence[str]) -> dict[str, Any]:
    """What the words say, by the parameters of all these tasks together: only so can a value be told from the data.

    Errors of usage are passed over, as the chosen task's own command will raise them.
    """
    commands = [made for task in tasks if (made := _command_of(task)) is not None]
    if not commands:
        return {}
    params = {param.name: param for each in reversed(commands) for param in each.params}
    parser = type(commands[0])(commands[0].name, params=list(params.values()))
    context = parser.make_context(commands[0].name, list(words), resilient_parsing=True, ignore_unknown_options=True)
    return {
        name: value
        for name, value in context.params.items()
        if value is not None and (source := context.get_parameter_source(name)) and source.name == "COMMANDLINE"
    }


def _command_of(task: Task) -> Any:
    """The command of a task; None where a package that it needs isn't installed."""
    from penstock.cli.train_task import task_command

    try:
        return task_command(task)
    except MissingExtraError:
        return None


def _saved_task(path: Path, tasks: Sequence[Task]) -> Task:
    from penstock import bundle

    task = find(bundle.load(path).task)
    if task not in tasks:
        raise ConfigError(f"{path}: is a model for {task.name}; train it on with: penstock train {task.command}")
    return task


app = typer.Typer(cls=_TrainCommands, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback(epilog="Example: penstock train classify reviews.csv --out sentiment")
def train() -> None:
    """Train a model on a file of data."""
