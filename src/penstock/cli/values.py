"""What the options of commands take: numbers, words of a list, JSON; what is wrong is said in our own words."""

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
PATH_TEXT: click.ParamType = click.Path()  # a path that stays text
PATHS = (PATH, FOLDER, PATH_TEXT)


def meant(word: str, known: Iterable[str]) -> str:
    """A question, such as " Did you mean train?", where something known is near to the word; otherwise nothing."""
    bare = {each.lstrip("-"): each for each in known}  # dashes would count as likeness
    near = difflib.get_close_matches(word.lstrip("-"), bare, n=1)
    return f" Did you mean {bare[near[0]]}?" if near else ""


class Number(click.ParamType):
    """A number, perhaps a whole one, perhaps at least `least`."""

    def __init__(self, *, whole: bool = False, least: float = -math.inf) -> None:
        self.name = "integer" if whole else "number"
        self.least = least
        self._kind: type[int] | type[float] = int if whole else float
        self._words = ("a whole number" if whole else "a number") + (
            f", at least {least:g}" if least > -math.inf else ""
        )

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number that text or a configuration's value stands for."""
        number = math.nan
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            with suppress(ValueError, OverflowError):  # no number, or infinity where a whole one is wanted
                number = self._kind(value)
        if not number >= self.least or (not isinstance(value, str) and number != value):
            self.fail(f"must be {self._words}; got {value!r:.80}", param, ctx)
        return number


WHOLE = Number(whole=True)
NUMBER = Number()


class OneOf(click.ParamType):
    """One of some words.

    Args:
        words: the collection, or what gives it when it is needed.
    """

    name = "choice"

    def __init__(self, words: Collection[str] | Callable[[], Collection[str]]) -> None:
        self._words = words

    @property
    def words(self) -> list[str]:
        """The words that there are now."""
        return list(self._words() if callable(self._words) else self._words)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word itself."""
        if value not in self.words:
            known = ", ".join(self.words)
            self.fail(f"must be one of {known}; got {value!r:.80}.{meant(str(value), self.words)}", param, ctx)
        return value

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """All of them."""
        return f"[{'|'.join(self.words)}]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Those that begin so."""
        return [CompletionItem(word) for word in self.words if word.startswith(incomplete)]


class Json(click.ParamType):
    """A value of one of several types: a word, or JSON. Where lists are among them, commas may stand for brackets.

    Args:
        words: texts that are values; None for any text.
        lists: whether it may be a list.
    """

    name = "value"

    def __init__(self, words: Collection[str] | None, *, lists: bool) -> None:
        self.words, self.lists = words, lists

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text stands for; what is no text stands for itself."""
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
    except ValueError:
        return text
