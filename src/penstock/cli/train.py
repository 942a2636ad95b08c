"""`penstock train`: one command for each kind of answer; which task it is, the data and the flags say."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from penstock.errors import ConfigError
from penstock.tasks import TASKS, Task, find

__all__ = ["app", "chosen_task"]


class _Commands(TyperGroup):
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
        words: what follows it.
    """
    tasks = [task for task in TASKS.values() if task.command == command]
    given = _given(words)
    if start := given.get("from"):
        return _saved_task(Path(start), tasks)
    path = next((Path(word) for word in words if not word.startswith("-") and Path(word).exists()), Path())
    return next((task for task in tasks if task.claims(path, given)), tasks[0])


def _given(words: Sequence[str]) -> dict[str, str]:
    """Flag to value, as far as that can be told without knowing the flags."""
    found = {}
    for word, after in zip(words, [*words[1:], ""], strict=False):
        if word.startswith("--"):
            name, is_joined, value = word[2:].partition("=")
            found[name.replace("-", "_")] = value if is_joined else after
    return found


def _saved_task(path: Path, tasks: Sequence[Task]) -> Task:
    from penstock import bundle

    task = find(bundle.load(path).task)
    if task not in tasks:
        raise ConfigError(f"{path}: is a model for {task.name}; train it on with: penstock train {task.command}")
    return task


app = typer.Typer(cls=_Commands, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback(epilog="Example: penstock train classify reviews.csv --out sentiment")
def train() -> None:
    """Train a model on a file of data."""
