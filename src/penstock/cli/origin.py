"""What a trained model remembers of the command that made it: the command itself, and the files that were read."""

import hashlib
import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["repeated", "sources"]

_GIVEN = ("COMMANDLINE", "DEFAULT_MAP")  # the second by --config
_NOT_REPEATED = (
    "overwrite", "resume", "track", "as_json", "verbose", "quiet", "checkpoint", "checkpoint_seconds", "random_state",
    "on", "storage", "study",
)  # fmt: skip
_NOT_OF_RESULT = {"tune": ("workers",)}
"""Options that change no result of one command, but do of another."""


def repeated(invocation: click.Context, seed: int, paths: Iterable[str], verb: str = "train") -> str:
    """The command that makes the same model again; files by their last names only, as a saved model holds no path.

    Args:
        invocation: the context of the command that trained.
        seed: what was drawn, where no seed was given.
        paths: names of options that are paths, beside those that are `Path`s.
        verb: the command's first word.
    """
    left_out = (*_NOT_REPEATED, *_NOT_OF_RESULT.get(verb, ()))
    words = ["penstock", verb, str(invocation.command.name)]
    for parameter in invocation.command.params:
        name = str(parameter.name)
        source = invocation.get_parameter_source(name)
        if source is None or source.name not in _GIVEN or name in left_out or name not in invocation.params:
            continue
        value = invocation.params[name]
        text = _text(Path(value) if name in paths and isinstance(value, str) else value)
        if isinstance(parameter, click.Argument):
            words.append(text)
        elif isinstance(value, bool):
            words.append((parameter.opts if value else parameter.secondary_opts)[0])
        else:
            words += [max(parameter.opts, key=len), text]
    return shlex.join([*words, "--random-state", str(seed)])


def sources(files: Mapping[str, Sequence[Path | None]]) -> dict[str, dict[str, Any]]:
    """Of each part's file its name, size and SHA-256; of a folder its name.

    Args:
        files: the path of each part's data, and of files that belong to it, which are listed under `beside`; None where
            there is none.
    """
    return {part: _with_beside(first, more) for part, (first, *more) in files.items() if first is not None}


def _with_beside(path: Path, more: Iterable[Path | None]) -> dict[str, Any]:
    beside = [_source(each) for each in more if each is not None]
    return _source(path) | ({"beside": beside} if beside else {})


def _source(path: Path) -> dict[str, Any]:
    name = path.resolve().name
    if not path.is_file():
        return {"file": name}
    with path.open("rb") as file:
        return {"file": name, "bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _text(value: Any) -> str:
    if isinstance(value, Path):
        return value.resolve().name
    return value if isinstance(value, str) else json.dumps(value)
