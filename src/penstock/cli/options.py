"""Options of `penstock train` made from an estimator's signature and docstrings, so that none is written down twice."""

import inspect
import re
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from docstring_parser import DocstringStyle, parse

from penstock.cli.command import Option
from penstock.cli.values import NUMBER, PATH_TEXT, TEXT, WHOLE, Json, OneOf
from penstock.tasks.configuration import panels, rare

__all__ = ["argument_texts", "estimator_options"]

_NONE = re.compile(r"; None for (.+?)(?=[;.](?: |$)|$)")
_PLAIN: dict[Any, click.ParamType] = {bool: click.BOOL, int: WHOLE, float: NUMBER, str: TEXT}


def estimator_options(estimator: type, *, leave_out: Iterable[str] = ()) -> list[Option]:
    """An option for each argument of the constructor, in the panel that the estimator's classes put it in."""
    arguments, where = inspect.signature(estimator, eval_str=True).parameters, panels(estimator)
    texts, seldom = _texts(estimator, arguments), rare(estimator)
    paths = ("checkpoint", *getattr(estimator, "paths", ()))
    order = [name for name in (*where, *arguments) if name in arguments and name not in leave_out]
    return [
        _option(
            name,
            arguments[name],
            texts.get(name, ""),
            panel=where.get(name, "network"),
            everyday=name not in seldom,
            path=name in paths,
        )
        for name in dict.fromkeys(order)
    ]


def argument_texts(docstring: str) -> Mapping[str, str]:
    """Argument to description, from the `Args:` section of a docstring in Google's style."""
    return {
        name: " ".join((found.description or "").split())
        for found in parse(docstring, DocstringStyle.GOOGLE).params
        if found.args[0] == "param"
        for name in found.arg_name.split(", ")
    }


def _texts(estimator: type, arguments: Iterable[str]) -> dict[str, str]:
    """Option to description; other options are written in it as on the command line."""
    texts: dict[str, str] = {}
    # Each class describes the options that it adds.
    for each in reversed(estimator.__mro__):
        texts |= argument_texts(each.__doc__ or "")
    flags = {name: f"--{name.replace('_', '-')}" for name in arguments if "_" in name}
    return {
        name: re.sub(r"\w+", lambda word: flags.get(word[0], word[0]), text).replace("`", "")
        for name, text in texts.items()
    }


def _option(name: str, argument: inspect.Parameter, text: str, *, panel: str, everyday: bool, path: bool) -> Option:
    kind = PATH_TEXT if path else _value(argument.annotation)
    words = name.replace("_", "-")
    # An option that is left out stands for None; no word on a command line does.
    plain = _NONE.sub(r"; default: \1" if argument.default is None else "", text)
    return Option(
        [f"--{words}/--no-{words}" if kind is click.BOOL else f"--{words}", name],
        type=kind,
        default=None if argument.default is inspect.Parameter.empty else argument.default,
        help=plain[:1].upper() + plain[1:],
        panel=panel,
        everyday=everyday,
    )


def _value(hint: Any) -> click.ParamType:
    """What an option of this type takes. `Annotated[str, TABLE]` is a name in a table that may still grow."""
    if get_origin(hint) is Annotated:
        return OneOf(get_args(hint)[1].keys)
    members = _members(hint)
    words = [word for member in members if get_origin(member) is Literal for word in get_args(member) if word]
    kinds = [member for member in members if get_origin(member) is not Literal]
    if words and not kinds and all(isinstance(word, str) for word in words):
        return OneOf(words)
    if not words and len(kinds) == 1 and kinds[0] in _PLAIN:
        return _PLAIN[kinds[0]]
    lists = any(kind is list or get_origin(kind) is list for kind in kinds)
    return Json(None if str in kinds or not words else words, lists=lists)


def _members(hint: Any) -> list[Any]:
    """The types that a hint allows, None aside."""
    if get_origin(hint) in (Union, types.UnionType):
        return [inner for member in get_args(hint) for inner in _members(member)]
    return [] if hint is type(None) else [hint]
