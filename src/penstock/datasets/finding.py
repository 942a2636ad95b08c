"""Detects a column that the caller didn't name, if there is only one candidate.

The rule for each role: a column with the usual name; otherwise the only column whose name differs from it just in case
and blanks; otherwise the only remaining column whose first rows fit the role. Several candidates are an error that
lists them, and no candidate is an error too.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from penstock.datasets.dates import looks_dated
from penstock.datasets.naming import near_name
from penstock.datasets.numbers import looks_numeric
from penstock.errors import DataError
from penstock.missing import is_missing

__all__ = [
    "Head",
    "find_column",
    "holds_labels",
    "holds_numbers",
    "holds_phrases",
    "holds_texts",
    "holds_words",
    "is_index",
    "say_found",
    "usual_name",
]

_LOGGER = logging.getLogger(__name__)
_FILE_NAME = re.compile(r".*\S\.(?:wav|flac|mp3|ogg|oga|opus|aiff?|jpe?g|png|gif|tiff?|mp4)", re.IGNORECASE)
Head = Mapping[str, Sequence[Any]]
"""The first rows of a table, by column."""


def usual_name(usual: str, there: Iterable[str]) -> str | None:
    """The column with a usual name, or the only one whose name differs from it just in case and blanks."""
    names = list(there)
    if usual in names:
        return usual
    same = [name for name in names if "".join(name.casefold().split()) == usual]
    return same[0] if len(same) == 1 else None


def find_column(
    head: Head, taken: Iterable[str], fits: Callable[[Sequence[Any]], bool], *, usual: str, what: str, flag: str
) -> str:
    """Find the only candidate for a role.

    Args:
        head: the first rows.
        taken: columns that are already in use.
        fits: returns whether values fit the role.
        usual: the usual name of the column.
        what: what the column contains, for messages.
        flag: the option that names the column, for messages.

    Returns:
        The name of the column.

    Raises:
        DataError: there is no candidate, or there are several.
    """
    others = set(taken)
    left = [name for name in head if name not in others and not is_index(name)]
    if (named := usual_name(usual, left)) is not None:
        return named
    fitting = [name for name in left if fits(head[name])]
    if len(fitting) == 1:
        return fitting[0]
    argument = flag.strip("-").replace("-", "_")
    say = f"Name it: {flag} COL ({argument}=...)"
    if fitting:
        raise DataError(f"the column of {what} may be {' or '.join(map(repr, fitting[:8]))}. {say}")
    near = near_name(usual, left)
    meant = f" (did you mean {near!r}?)" if near is not None else ""
    shown = ", ".join(map(str, head))
    raise DataError(f"has no column {usual}{meant}, and none that looks like {what}; it has {shown:.300}. {say}")


def is_index(name: str) -> bool:
    """Whether a column's name is empty or pandas' word for an unnamed column, as for row numbers in its files."""
    return not name.strip() or re.fullmatch(r"Unnamed: \d+", name) is not None


def say_found(where: str, found: Mapping[str, str | Sequence[str]]) -> None:
    """Log which column is used for which role.

    Args:
        where: prefix of the line, such as "reviews.csv: ".
        found: role -> name of its column, or several names.
    """
    words = [
        f"{what} from {', '.join(map(repr, [name] if isinstance(name, str) else name))}" for what, name in found.items()
    ]
    if words:
        _LOGGER.info("%sreading %s", where, ", ".join(words))


def holds_words(values: Sequence[Any]) -> bool:
    """Whether values are texts, and neither numbers nor dates nor names of files of sounds or pictures."""
    given = _given(values)
    if not given or not all(isinstance(value, str) for value in given) or all(map(_FILE_NAME.fullmatch, given)):
        return False
    return not looks_numeric(given) and not looks_dated(given)


def holds_texts(values: Sequence[Any]) -> bool:
    """Whether values are texts that mostly differ: more than half of them are distinct."""
    given = _given(values)
    return 2 * len(set(map(str, given))) > len(given) and holds_words(values)


def holds_phrases(values: Sequence[Any]) -> bool:
    """Whether values are texts that mostly have several words."""
    return holds_words(values) and 2 * sum(len(value.split()) > 1 for value in _given(values)) > len(_given(values))


def holds_labels(values: Sequence[Any]) -> bool:
    """Whether values are a few repeated ones: at least two distinct values, and at most half as many as rows."""
    given = _given(values)
    if not all(isinstance(value, str | int | float) for value in given):
        return False
    return 2 <= len(set(given)) <= len(given) / 2


def holds_numbers(values: Sequence[Any]) -> bool:
    """Whether values are numbers, and not all of them are missing."""
    given = _given(values)
    return bool(given) and looks_numeric(given)


def _given(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if not is_missing(value) and value != ""]
