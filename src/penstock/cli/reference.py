"""The reference of all commands as Markdown: `python -m penstock.cli.reference > docs/cli.md`."""

from collections.abc import Iterator
from typing import Any

from penstock.cli.application import command
from penstock.cli.train_task import task_command
from penstock.tasks import TASKS

__all__ = ["reference"]

_HEAD = """# Commands

Generated from the commands themselves: `python -m penstock.cli.reference > docs/cli.md`.
Exit codes and messages: [errors.md](errors.md).
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_sections(command(), "penstock", None)])


def _sections(found: Any, path: str, parent: Any) -> Iterator[str]:
    context = found.context_class(found, info_name=path, parent=None)
    yield f"## `{path}`\n"
    if found.help:
        yield f"{_paragraphs(found.help)}\n"
    if found.epilog:
        yield f"```sh\n{found.epilog.removeprefix('Example: ')}\n```\n"
    rows = [row for parameter in found.params if (row := _row(parameter))]
    if rows:
        yield "| | Default | |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    for name in found.list_commands(context) if hasattr(found, "list_commands") else ():
        yield from _sections(found.get_command(context, name), f"{path} {name}", context)
        if path == "penstock train":
            yield from _siblings(name, context)


def _siblings(command: str, context: Any) -> Iterator[str]:
    """The other tasks of a command of `penstock train`, whose flags differ."""
    for task in [task for task in TASKS.values() if task.command == command][1:]:
        yield from _sections(task_command(task), f"penstock train {command} {task.example.split()[0]}", context)


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _row(parameter: Any) -> str | None:
    if parameter.name == "help":
        return None
    names = "/".join([*parameter.opts, *parameter.secondary_opts])
    if parameter.param_type_name == "argument":
        names = parameter.metavar or parameter.name.upper()
    text = " ".join((parameter.help or "").split()).replace("|", "\\|")
    return f"| `{names}` | {_default(parameter)} | {text} |"


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "required"
    if value is None or callable(value) or (value is False and not parameter.secondary_opts):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    print(reference(), end="")
