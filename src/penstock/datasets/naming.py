"""Names of columns: whether they are there, and which are near a name that isn't."""

import difflib
from collections.abc import Sequence
from pathlib import Path

from penstock.errors import DataError

__all__ = ["absent_words", "check_columns", "near_name"]


def near_name(name: str, there: Sequence[str]) -> str | None:
    """The name among those there that was likely meant: equal but for case and blanks, or spelled much the same."""
    folded = {" ".join(each.casefold().split()): each for each in reversed(there)}
    wanted = " ".join(name.casefold().split())
    found = [wanted] if wanted in folded else difflib.get_close_matches(wanted, folded, 1, 0.7)
    return folded[found[0]] if found else None


def absent_words(missing: Sequence[str], there: Sequence[str]) -> str:
    """Return a message such as "has no column Coarse (did you mean 'coarse'?); it has coarse, fine, text"."""
    words = []
    for name in missing:
        near = near_name(name, there)
        words.append(name if near is None else f"{name} (did you mean {near!r}?)")
    return f"has no column {', '.join(words)}; it has {', '.join(there):.300}"


def check_columns(path: Path, there: list[str], wanted: Sequence[str], more: str = "") -> None:
    """Raise DataError if a column is missing or ambiguous.

    Args:
        path: the file.
        there: the names of its columns.
        wanted: those to read.
        more: a sentence on the file, for columns that aren't there.
    """
    if missing := [name for name in wanted if name not in there]:
        raise DataError(f"{path}: {absent_words(missing, there)}.{more}")
    if twice := [name for name in wanted if there.count(name) > 1]:
        raise DataError(f"{path}: has the column {twice[0]} more than once: {', '.join(there):.300}")
