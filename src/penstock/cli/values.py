"""The parameter types of options (numbers, choices, JSON), with error messages in Penstock's wording."""

import difflib
import json
import math
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

__all__ = ["FOLDER", "NUMBER", "PATH", "PATHS", "PATH_TEXT", "TEXT", "WHOLE", "Json", "Number", "OneOf", "meant"]

TEXT = click.STRING
PATH: click.ParamType = click.Path(path_type=Path)
FOLDER: click.ParamType = click.Path(path_type=Path, file_okay=False)
PATH_TEXT: click.ParamType = click.Path()  # a path that is kept as text
PATHS = (PATH, FOLDER, PATH_TEXT)


def meant(word: str, known: Iterable[str]) -> str:
    """Return a question such as " Did you mean train?" if a known word is similar; otherwise an empty text."""
    bare = {each.lstrip("-"): each for each in known}  # leading dashes would count as similarity
    near = difflib.get_close_matches(word.lstrip("-"), bare, n=1)
    return f" Did you mean {bare[near[0]]}?" if near else ""


class Number(click.ParamType):
    """A number, optionally an integer, optionally with the lower bound `least`."""

    def __init__(self, *, whole: bool = False, least: float = -math.inf) -> None:
        self.name = "integer" if whole else "number"
        self.least = least
        self._kind: type[int] | type[float] = int if whole else float
        self._words = ("a whole number" if whole else "a number") + (
            f", at least {least:g}" if least > -math.inf else ""
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert text or a value from a configuration to a number."""
        number = math.nan
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            with suppress(ValueError, OverflowError):  # not a number, or infinity where an integer is required
                number = self._kind(value)
        if not number >= self.least or (not isinstance(value, str) and number != value):
            self.fail(f"must be {self._words}; got {value!r:.80}", param, ctx)
        return number


WHOLE = Number(whole=True)
NUMBER = Number()


class OneOf(click.ParamType):
    """A choice out of several words.

    Args:
        words: the words, or a function that returns them when they are needed.
    """

    name = "choice"

    def __init__(self, words: Collection[str] | Callable[[], Collection[str]]) -> None:
        self._words = words

    @property
    def words(self) -> list[str]:
        """The words that are allowed now."""
        return list(self._words() if callable(self._words) else self._words)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the word and return it."""
        if value not in self.words:
            known = ", ".join(self.words)
            self.fail(f"must be one of {known}; got {value!r:.80}.{meant(str(value), self.words)}", param, ctx)
        return value

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return all words as the placeholder in the usage."""
        return f"[{'|'.join(self.words)}]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Return the words that start with the incomplete text."""
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


class Json(click.ParamType):
    """A value of one of several types: a word or JSON. A list may be written with commas and without brackets.

    Args:
        words: the allowed texts; None for any text.
        lists: whether the value may be a list.
    """

    name = "value"

    def __init__(self, words: Collection[str] | None, *, lists: bool) -> None:
        self.words, self.lists = words, lists

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse text; a value that is not text is returned unchanged."""
        if not isinstance(value, str):
            return value
        found = _json(value)
        if found is None or isinstance(found, list | dict) or found in (self.words or ()):
            return found
        if self.lists:
            return [_json(part.strip()) for part in value.split(",")]
        if isinstance(found, str) and self.words is not None:
            known = " or ".join([*self.words, "JSON"])
            self.fail(f"must be {known}; got {value!r:.80}.{meant(value, self.words)}", param, ctx)
        return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
