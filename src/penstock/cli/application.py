"""The table of commands. Each is a module that is imported on first use."""

from importlib import import_module
from typing import Any

import click

from penstock import __version__
from penstock.cli.command import SETTINGS, Group, option
from penstock.cli.completion import SHELLS, install_completion
from penstock.cli.values import OneOf, meant
from penstock.decoded import at_most, bytes_of
from penstock.registry import TASKS

__all__ = ["command"]

COMMANDS = (
    "train", "tune", "evaluate", "compare", "predict", "stream", "serve", "info", "inspect", "import", "export",
    "bench", "demo", "lab", "doctor",
)  # fmt: skip


class _Commands(Group):
    """Finds a command by importing its module, so that no command loads the dependencies of others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = "import_model" if cmd_name == "import" else cmd_name  # which Python keeps for itself
        return getattr(import_module(f"penstock.cli.{name}"), name) if cmd_name in COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:  # of which Click would make an empty line on standard error
            raise click.Abort from interrupt

    def meant(self, ctx: click.Context, word: str) -> str:
        tasks = meant(word, {task.command for task in TASKS.values()}).replace("mean ", "mean train ")
        return super().meant(ctx, word) or tasks


def _version(ctx: click.Context, param: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        from penstock import engine

        print(f"penstock {__version__} (engine: {engine.instruction_set()}, threads: {engine.get_num_threads()})")
        ctx.exit()


def _install_completion(ctx: click.Context, param: click.Parameter, shell: str | None) -> None:
    if shell is not None and not ctx.resilient_parsing:
        print(install_completion(ctx.command, None if shell == "auto" else shell))
        ctx.exit()


def _decode_at_most(ctx: click.Context, param: click.Parameter, words: str | None) -> None:
    if words is not None and not ctx.resilient_parsing:
        ctx.with_resource(at_most(bytes_of(words, "--max-decoded-gib")))


@click.command(
    "penstock",
    cls=_Commands,
    no_args_is_help=True,
    context_settings=SETTINGS,
    epilog="Example: penstock train classify reviews.csv --out sentiment",
)
@option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_version,
    help="Print the version, and the engine's instruction set and threads.",
)
@option(
    "--install-completion",
    metavar="[SHELL]",
    is_flag=False,
    flag_value="auto",
    type=OneOf(("auto", *SHELLS)),
    expose_value=False,
    is_eager=True,
    callback=_install_completion,
    help="Let the tab key complete commands, options and values, in bash, zsh or fish; in your own shell if none is "
    "named.",
)
@option(
    "--max-decoded-gib",
    metavar="GIB",
    expose_value=False,
    callback=_decode_at_most,
    help="What a compressed file of yours may hold when decoded; default: 1, or 32 times its size if that is more.",
)
@option("--debug", is_flag=True, expose_value=False, help="Print the traceback of an error.")
@option("--quiet", is_flag=True, expose_value=False, help="Show only warnings and errors, no progress.")
def penstock() -> None:
    """Train, evaluate, stream and serve recurrent neural networks on sequences."""


def command() -> click.Command:
    """Return the whole command with its subcommands."""
    return penstock
