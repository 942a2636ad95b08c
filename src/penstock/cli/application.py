"""The table of commands. Each lives in the file of its name and is imported when it is asked for."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from penstock import __version__

__all__ = ["command"]

COMMANDS = ("train", "evaluate", "predict", "stream", "serve", "info", "bench", "demo")


class _Commands(TyperGroup):
    """Finds a command by importing its module, so that none pays for what another one needs."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        found = get_command(import_module(f"penstock.cli.{cmd_name}").app)
        found.name = cmd_name
        return found


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="On an error, print where it happened too.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Show only warnings and errors, not what is being done.")
    ] = False,
) -> None:
    """Recurrent neural networks on sequences: trained, evaluated, streamed."""


def command() -> Any:
    """The whole command, with all that stands below it."""
    app = typer.Typer(cls=_Commands, add_completion=False, no_args_is_help=True, rich_markup_mode=None)
    app.callback(epilog="Example: penstock train classify reviews.csv --out sentiment")(_root)
    return get_command(app)
