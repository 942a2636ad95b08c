"""Click commands whose help groups options in panels, with suggestions for misspelled words."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import click

from penstock.cli.values import meant

__all__ = ["SETTINGS", "Command", "Group", "Option", "Panels", "argument", "command", "help_all", "option"]

_ALL = "penstock.help_all"
SETTINGS = {"max_content_width": 100}


class Option(click.Option):
    """An option that belongs to a panel of the help.

    Args:
        declared: as in Click.
        panel: the name of the panel.
        everyday: whether the help lists it; otherwise only `--help-all` does.
        more: as in Click.
    """

    def __init__(self, declared: Sequence[str], *, panel: str = "options", everyday: bool = True, **more: Any) -> None:
        super().__init__(declared, **({"show_default": True} | more))
        self.panel, self.everyday = panel, everyday


def help_all(panel: str) -> Option:
    """Make the option `--help-all`, which shows the options that `--help` leaves out, too."""

    def show(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
        if asked and not ctx.resilient_parsing:
            ctx.meta[_ALL] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return Option(
        ["--help-all"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=show,
        panel=panel,
        help="Show all options and exit.",
    )


class Panels(click.Command):
    """A command whose help lists arguments and options panel by panel; with `--help-all`, the rare ones too."""

    def format_arguments(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write nothing: the first panel lists the arguments."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the panels."""
        for panel, parameters in self.panels(ctx).items():
            shown = [each for each in parameters if ctx.meta.get(_ALL) or getattr(each, "everyday", True)]
            records = [record for each in shown if (record := each.get_help_record(ctx))]
            if records:
                with formatter.section(panel.capitalize()):
                    formatter.write_dl(records)

    def panels(self, ctx: click.Context) -> dict[str, list[click.Parameter]]:
        """Return the parameters by panel; arguments belong to the first one, `--help` to the last."""
        parameters = self.get_params(ctx)
        names = list(dict.fromkeys(each.panel for each in parameters if isinstance(each, Option))) or ["options"]
        found: dict[str, list[click.Parameter]] = {name: [] for name in names}
        for each in parameters:
            first = names[0] if isinstance(each, click.Argument) else names[-1]
            found[getattr(each, "panel", first)].append(each)
        return found

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; a usage error carries the context of this command."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the required parameters, then "[OPTIONS]"."""
        parameters = self.get_params(ctx)
        required = [each for each in parameters if isinstance(each, click.Option) and each.required]
        return [
            *(piece for each in parameters for piece in each.get_usage_pieces(ctx)),
            *(f"{each.opts[0]} {each.make_metavar(ctx)}" for each in required),
            "[OPTIONS]",
        ]


class Command(Panels):
    """A command that names surplus arguments in its error message."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments and reject surplus ones."""
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            taken = " ".join(piece for each in self.params for piece in each.get_usage_pieces(ctx))
            raise click.UsageError(f"{ctx.command_path} takes {taken or 'options alone'}; got also {rest[0]}", ctx)
        return rest


class Group(Panels, click.Group):
    """A group of commands that suggests a similar name for an unknown one."""

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the usage pieces of `click.Group`."""
        return click.Group.collect_usage_pieces(self, ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)

    def meant(self, ctx: click.Context, word: str) -> str:
        """Return the suggestion for a word that is not a command."""
        return meant(word, self.list_commands(ctx))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names."""
        found = self.get_command(ctx, args[0])
        if found is None and not ctx.resilient_parsing and not args[0].startswith("-"):
            raise click.UsageError(f"there is no command {args[0]}.{self.meant(ctx, args[0])}", ctx)
        return super().resolve_command(ctx, args)


def command(
    name: str, *, example: str, params: Sequence[click.Parameter] = ()
) -> Callable[[Callable[..., None]], Command]:
    """Return a decorator that makes a command of a function; its docstring is the help text.

    Args:
        name: the name of the command.
        example: an example command line.
        params: parameters in addition to those from decorators.
    """
    return click.command(
        name, cls=Command, params=list(params), epilog=f"Example: {example}", context_settings=SETTINGS
    )


argument = click.argument
option = partial(click.option, cls=Option)
