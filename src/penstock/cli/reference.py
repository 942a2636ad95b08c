"""The reference of all commands as Markdown: `python -m penstock.cli.reference > docs/cli.md`."""

from collections.abc import Iterator

import click

from penstock.cli.application import command
from penstock.cli.command import Panels
from penstock.cli.ranges import written_ranges
from penstock.cli.train_task import task_command
from penstock.cli.tune_task import NOT_OF_TUNE, search_options
from penstock.tasks import TASKS

__all__ = ["reference"]

_HEAD = """# Commands

Generated from the commands themselves: `python -m penstock.cli.reference > docs/cli.md`.
Exit codes and messages: [errors.md](errors.md).
"""


def reference() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_sections(command(), "penstock")])


def _sections(found: click.Command, path: str) -> Iterator[str]:
    context = click.Context(found, info_name=path)
    yield f"## `{path}`\n"
    if found.help:
        yield f"{_paragraphs(found.help)}\n"
    if found.epilog:
        yield f"```sh\n{found.epilog.removeprefix('Example: ')}\n```\n"
    panels = found.panels(context) if isinstance(found, Panels) else {}
    for panel, parameters in panels.items():
        rows = [_row(parameter) for parameter in parameters if parameter in found.params]
        if rows:
            title = " " if len(panels) == 1 else f" {panel.capitalize()} "
            yield f"|{title}| Default | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    if path == "penstock tune":
        yield from _search()
    elif isinstance(found, click.Group):
        for name in found.list_commands(context):
            below = found.get_command(context, name)
            assert below is not None, name
            yield from _sections(below, f"{path} {name}")
            if path == "penstock train":
                yield from _siblings(name)


def _siblings(command: str) -> Iterator[str]:
    """Yield the sections of the other tasks of a command of `penstock train`, because their options differ."""
    for task in [task for task in TASKS.values() if task.command == command][1:]:
        yield from _sections(task_command(task), f"penstock train {command} {task.example.split()[0]}")


def _search() -> Iterator[str]:
    """Yield the options of a search, and what it searches for each task; its other options are those of a training."""
    yield "| Search | Default | |\n|---|---|---|\n" + "\n".join(map(_row, search_options())) + "\n"
    train = {option.name: option.opts[0] for option in task_command(next(iter(TASKS.values()))).params}
    without = ", ".join(f"`{train[name]}`" for name in NOT_OF_TUNE)
    yield f"The tasks and all other options are those of `penstock train`, without {without}. What is searched:\n"
    for task in TASKS.values():
        ranges = ", ".join(f"`{each}`" for each in written_ranges(task.estimator_class()().search_space()))
        yield f"- `penstock tune {task.command}`, {task.name}: {ranges}"
    yield ""


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _row(parameter: click.Parameter) -> str:
    names = "/".join([*parameter.opts, *parameter.secondary_opts])
    if isinstance(parameter, click.Argument):
        names = parameter.human_readable_name
    text = " ".join((parameter.help or "").split())
    return f"| `{names}` | {_default(parameter)} | {text.replace('|', '&#124;')} |"


def _default(parameter: click.Parameter) -> str:
    value = parameter.to_info_dict()["default"]
    if parameter.required:
        return "required"
    if value in (None, ()) or (value is False and not parameter.secondary_opts):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(reference(), end="")
