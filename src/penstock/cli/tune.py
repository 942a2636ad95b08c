"""`penstock tune`: one command for each kind of prediction, with the options of `penstock train`; see `task_group`."""

import click

from penstock.cli.command import SETTINGS, option
from penstock.cli.task_group import TaskCommands
from penstock.cli.values import PATH
from penstock.tasks import Task

__all__ = ["tune"]


class _TuneCommands(TaskCommands):
    def task_command(self, task: Task) -> click.Command:
        from penstock.cli.tune_task import tune_command

        return tune_command(task)


@click.command(
    "tune",
    cls=_TuneCommands,
    no_args_is_help=True,
    context_settings=SETTINGS,
    epilog="Example: penstock tune classify reviews.csv --trials 20 --out sentiment",
)
@option(
    "--config",
    type=PATH,
    expose_value=False,
    help="A TOML file of options that names its task: the search begins with them.",
)
def tune() -> None:
    """Search the options of a training, and train the best ones."""
