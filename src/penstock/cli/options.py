"""Flags made from an estimator's signature and docstring, so that no option is written down twice."""

import inspect
import json
import re
import types
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

__all__ = ["argument_texts", "estimator_flags", "parse_options"]

_PLAIN = (bool, int, float, str)


def estimator_flags(estimator: type) -> list[inspect.Parameter]:
    """A keyword-only parameter for each argument of the constructor, annotated as Typer wants it."""
    # Each class describes the options that it adds; a dataclass without a docstring gets a signature for one.
    texts: dict[str, str] = {}
    for each in reversed(estimator.__mro__):
        texts |= argument_texts(each.__doc__ or "")
    return [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=parameter.default,
            annotation=Annotated[
                _flag_type(parameter.annotation), _flag(name, parameter.annotation, texts.get(name, ""))
            ],
        )
        for name, parameter in _arguments(estimator).items()
    ]


def parse_options(estimator: type, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the flags said, as the constructor wants it.

    A flag of several types may be JSON. One that takes a list may also be its values with commas between.
    """
    arguments = _arguments(estimator)
    return {
        name: _read(value, arguments[name].annotation)
        if isinstance(value, str) and _is_loose(arguments[name].annotation)
        else value
        for name, value in given.items()
        if name in arguments
    }


def argument_texts(docstring: str) -> dict[str, str]:
    """Argument to description, from the `Args:` section of a docstring in Google's style."""
    found = re.search(r"^( *)Args:\n((?:\1 +.*\n|\s*\n)+)", inspect.cleandoc(docstring) + "\n", re.MULTILINE)
    texts: dict[str, str] = {}
    names: list[str] = []
    for line in inspect.cleandoc(found[2]).splitlines() if found else []:
        start = re.match(r"(\w+(?:, \w+)*):\s*(.*)", line)
        if start:
            names = start[1].split(", ")
        for name in names:
            texts[name] = f"{texts.get(name, '')} {start[2] if start else line.strip()}".strip()
    return texts


def _arguments(estimator: type) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(estimator, eval_str=True).parameters


def _flag(name: str, hint: Any, text: str) -> Any:
    words = f"--{name.replace('_', '-')}"
    if _flag_type(hint) is bool:
        words = f"{words}/--no-{words[2:]}"
    return typer.Option(words, help=_sentence(text) or None)


def _sentence(text: str) -> str:
    plain = text.replace("`", "")
    return plain[:1].upper() + plain[1:]


def _members(hint: Any) -> list[Any]:
    """The types that a hint allows, None aside; a Literal is the type of its values."""
    if get_origin(hint) in (Union, types.UnionType):
        return [inner for member in get_args(hint) if member is not type(None) for inner in _members(member)]
    if get_origin(hint) is Literal:
        return list(dict.fromkeys(type(value) for value in get_args(hint) if value is not None))
    return [hint]


def _is_loose(hint: Any) -> bool:
    members = _members(hint)
    return len(members) > 1 or members[0] not in _PLAIN


def _flag_type(hint: Any) -> Any:
    kind = str if _is_loose(hint) else _members(hint)[0]
    optional = type(None) in get_args(hint)
    return kind | None if optional else kind


def _read(value: str, hint: Any) -> Any:
    found = _json(value)
    if isinstance(found, list | dict) or not _takes_list(hint) or found in _words(hint):
        return found
    return [_json(part.strip()) for part in value.split(",")]


def _json(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _takes_list(hint: Any) -> bool:
    return any(get_origin(member) is list for member in _members(hint))


def _words(hint: Any) -> list[Any]:
    """The values that the `Literal`s among the types of a hint allow, and None."""
    if get_origin(hint) in (Union, types.UnionType):
        return [word for member in get_args(hint) for word in _words(member)]
    return list(get_args(hint)) if get_origin(hint) is Literal else [None]
