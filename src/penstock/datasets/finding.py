"""Columns that nobody named, found where only one is possible.

The rule, for each column that is wanted: the name that it usually has, else the one name that differs from it in case
and blanks alone, else the only one among the others whose first rows look like it. Several are an error that names
them; so is none.
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

__all__ = ["Head", "find_column", "holds_labels", "holds_numbers", "holds_texts", "is_index", "say_found", "usual_name"]

_LOGGER = logging.getLogger(__name__)
Head = Mapping[str, Sequence[Any]]
"""The first rows of a table, by column."""


def usual_name(usual: str, there: Iterable[str]) -> str | None:
    """The column that has a usual name, or the one that differs from it in case and blanks alone."""
    names = list(there)
    if usual in names:
        return usual
    same = [name for name in names if "".join(name.casefold().split()) == usual]
    return same[0] if len(same) == 1 else None


def find_column(
    head: Head, taken: Iterable[str], fits: Callable[[Sequence[Any]], bool], *, usual: str, what: str, flag: str
) -> str:
    """The one column that is possible.

    Args:
        head: the first rows.
        taken: columns that are something else.
        fits: whether values look like those of the column.
        usual: the column's usual name.
        what: what the column holds, for messages.
        flag: the option that names it.

    Raises:
        DataError: no column is possible, or several are.
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
    """Whether a column has no name, or pandas' word for that, as the numbers of rows have in its files."""
    return not name.strip() or re.fullmatch(r"Unnamed: \d+", name) is not None


def say_found(where: str, found: Mapping[str, str | Sequence[str]]) -> None:
    """Say in a line which columns are read as what.

    Args:
        where: what comes before, such as "reviews.csv: ".
        found: what a column holds -> its name, or several.
    """
    words = [
        f"{what} from {', '.join(map(repr, [name] if isinstance(name, str) else name))}" for what, name in found.items()
    ]
    if words:
        _LOGGER.info("%sreading %s", where, ", ".join(words))


def holds_texts(values: Sequence[Any]) -> bool:
    """Whether values are texts, more than half of them different, and neither numbers nor dates."""
    given = _given(values)
    if not given or not all(isinstance(value, str) for value in given) or 2 * len(set(given)) <= len(given):
        return False
    return not looks_numeric(given) and not looks_dated(given)


def holds_labels(values: Sequence[Any]) -> bool:
    """Whether values are a few that recur: at most half as many as rows, and two at least."""
    given = _given(values)
    if not all(isinstance(value, str | int | float) for value in given):
        return False
    return 2 <= len(set(given)) <= len(given) / 2


def holds_numbers(values: Sequence[Any]) -> bool:
    """Whether values are numbers, and some are there."""
    given = _given(values)
    return bool(given) and looks_numeric(given)


def _given(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if not is_missing(value) and value != ""]
