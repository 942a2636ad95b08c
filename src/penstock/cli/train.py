"""`penstock train`: one command for each kind of prediction; see `task_group`."""

import click

from penstock.cli.command import SETTINGS, option
from penstock.cli.task_group import TaskCommands
from penstock.cli.values import PATH
from penstock.tasks import Task

__all__ = ["train"]


class _TrainCommands(TaskCommands):
    def task_command(self, task: Task) -> click.Command:
        from penstock.cli.train_task import task_command

        return task_command(task)


@click.command(
    "train",
    cls=_TrainCommands,
    no_args_is_help=True,
    context_settings=SETTINGS,
    epilog="Example: penstock train classify reviews.csv --out sentiment",
)
@option(
    "--config",
    type=PATH,
    expose_value=False,
    help="A TOML file of options that names its task. Each model keeps one: penstock train --config DIR/train.toml "
    "repeats its training. Other options may follow, and win.",
)
def train() -> None:
    """Train a model on a file of data."""
