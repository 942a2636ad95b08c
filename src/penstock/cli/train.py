"""`penstock train`: one command for each task, found when it is asked for, as its flags come from its estimator."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

TASKS = ("classify",)


class _Tasks(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        return list(TASKS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in TASKS:
            return None
        found = get_command(import_module(f"penstock.cli.train_{cmd_name}").app())
        found.name = cmd_name
        return found


app = typer.Typer(cls=_Tasks, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback(epilog="Example: penstock train classify reviews.csv --out sentiment")
def train() -> None:
    """Train a model on a file of data."""
