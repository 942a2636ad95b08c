"""Completes docstrings of estimators: they list every option, including inherited ones, with type and default."""

import inspect
import re
import textwrap
import types
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

__all__ = ["list_options"]

_ARGS = re.compile(r"^Args:\n((?:[ ]+.*\n|\n(?=[ ]))+)", re.MULTILINE)
_ENTRY = re.compile(r"^    (\w+)(?: \(.*?\))?: (.*(?:\n {5,}.*)*)", re.MULTILINE)
_WIDTH = 116


def list_options(estimator: type) -> None:
    """Complete the `Args:` section of a class's docstring.

    Each class describes only the options that it adds, but `help` and the reference show a single docstring. The
    options of the class come first, then those of each parent class.
    """
    own = inspect.cleandoc(estimator.__doc__ or "") + "\n"
    parents = [inspect.cleandoc(vars(each).get("__doc__") or "") + "\n" for each in estimator.__mro__[1:-1]]
    texts: dict[str, str] = {}
    for document in (own, *parents):
        section = _ARGS.search(document)
        for name, text in _ENTRY.findall(section[1]) if section else ():
            texts.setdefault(name, " ".join(text.split()))
    hints = _fields(estimator)
    lines = [_entry(estimator, name, hints[name], text) for name, text in texts.items() if name in hints]
    listed = "Args:\n" + "\n".join(lines) + "\n"
    if _ARGS.search(own):
        estimator.__doc__ = _ARGS.sub(lambda _: listed, own, count=1).rstrip()
    elif estimator.__doc__:
        estimator.__doc__ = f"{own}\n{listed}".rstrip()


def _fields(estimator: type) -> dict[str, Any]:
    """Return the annotation of each option; this runs before the dataclass is created."""
    found: dict[str, Any] = {}
    for each in reversed(estimator.__mro__):
        found |= inspect.get_annotations(each)
    return {name: hint for name, hint in found.items() if get_origin(hint) is not ClassVar}


def _type(hint: Any) -> str:
    """Format an annotation for documentation: {"mean", "max"}, list[str] or None."""
    arguments = get_args(hint)
    if get_origin(hint) is Annotated:
        return _type(arguments[0])
    if get_origin(hint) is Literal:
        return "{" + ", ".join(f'"{value}"' if isinstance(value, str) else repr(value) for value in arguments) + "}"
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(map(_type, arguments))
    return "None" if hint is type(None) else inspect.formatannotation(hint)


def _entry(estimator: type, name: str, hint: Any, text: str) -> str:
    """Format an option as a wrapped entry of a Google-style docstring."""
    shown = _type(hint)
    if hasattr(estimator, name):
        shown += f", default {getattr(estimator, name)!r}"
    return textwrap.fill(f"{name} ({shown}): {text}", _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8)
