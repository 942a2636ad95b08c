"""Parses numbers in text cells, by the same rules for every reader.

- A number consists of the digits 0 to 9, optionally with a sign, a decimal mark and an exponent. `1_000` and digits of
  other scripts are errors.
- Groups of three digits may be separated by a blank, an apostrophe, or the mark that isn't the decimal mark.
- The decimal mark is a point or a comma, and the same in the whole column: the mark with which every cell is a number.
  If both marks fit and the column contains a comma, as in `1,234`, the other columns of the table decide; if they don't
  either, it is an error. Points without commas are decimal points, unless another column has decimal commas.
- Empty cells and the words in `MISSING_WORDS` are missing values.
"""

import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.changes import change
from penstock.errors import DataError
from penstock.missing import MISSING_WORDS, is_missing

__all__ = ["looks_numeric", "number_columns", "plain_number"]

_LOGGER = logging.getLogger(__name__)
_GROUP = "[ '\N{RIGHT SINGLE QUOTATION MARK}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]"
_BETWEEN = re.compile(_GROUP)
_MINUS = "\N{MINUS SIGN}"
_PLAIN = re.compile(r"[0-9eE+.-]*")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


def _form(decimal: str, group: str) -> re.Pattern[str]:
    # The first group can't start with 0, so that 0.123 always has a decimal point.
    groups = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+|[1-9]\d{{0,2}}(?:{_GROUP}\d{{3}})+"
    return re.compile(
        rf"[+-]?(?:(?:{groups}|\d+)(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?|{_INFINITE.pattern}",
        re.ASCII | re.IGNORECASE,
    )


_FORMS = {".": _form(r"\.", ","), ",": _form(",", r"\.")}
_OTHER = {".": ",", ",": "."}


@dataclass
class _Column:
    """A partly parsed column.

    numbers: NaN for each text that isn't parsed yet
    texts: row -> text that isn't parsed yet
    marks: decimal marks with which every cell is a number
    seen: marks that occur in the cells
    words: the number of texts that mark a missing value, such as NA
    """

    name: str
    numbers: NDArray[np.float64]
    texts: dict[int, str]
    marks: tuple[str, ...]
    seen: frozenset[str] = frozenset()
    words: int = 0


def number_columns(columns: Mapping[str, Sequence[Any]], decimal: str | None = None) -> dict[str, NDArray[np.float64]]:
    """Convert columns to numbers.

    Args:
        columns: name -> values: numbers, or texts by the rules above.
        decimal: the decimal mark, "." or ","; None to detect it.

    Returns:
        Name -> numbers, (rows,) float64, NaN for a missing value.

    Raises:
        DataError: a cell isn't a number, or can be read as two different numbers; the message gives its column and row.
    """
    found = [_simple(name, values, decimal) or _column(name, values, decimal) for name, values in columns.items()]
    sure = {each.marks[0] for each in found if len(each.marks) == 1 and each.marks[0] in each.seen}
    for each in found:
        mark = _mark(each, sure)
        for row, text in each.texts.items():
            each.numbers[row] = _value(text, mark)
        _count_changes(each, mark)
    return {each.name: each.numbers for each in found}


def _count_changes(column: _Column, mark: str) -> None:
    """Count decimal commas, groups of thousands, and words for missing values, and log a line for the first two."""
    texts = column.texts.values()
    commas = sum("," in text for text in texts) if mark == "," else 0
    grouped = sum(_OTHER[mark] in text or _BETWEEN.search(text) is not None for text in texts)
    has = f"the column {column.name} has"
    change(_LOGGER, "numbers with a decimal comma", commas, f"{has} decimal commas")
    separator = {".": "points", ",": "commas"}[_OTHER[mark]] if _OTHER[mark] in column.seen else "blanks or apostrophes"
    change(_LOGGER, "numbers with groups of thousands", grouped, f"{has} {separator} between thousands")
    change(_LOGGER, "words such as NA, read as missing", column.words, "")


def looks_numeric(values: Sequence[Any]) -> bool:
    """Whether all values are numbers or texts of numbers, with either decimal mark; missing values are ignored."""
    texts = [value.strip() for value in values if isinstance(value, str)]
    given = [text for text in texts if text.lower() not in MISSING_WORDS]
    others = [value for value in values if not isinstance(value, str)]
    if not all(isinstance(value, Number) and not isinstance(value, bool | complex) for value in others):
        return False
    return bool(given or others) and any(all(map(form.fullmatch, given)) for form in _FORMS.values())


def plain_number(text: str) -> float:
    """A number with a decimal point and without digit groups; ValueError if the text isn't one."""
    if not text.isascii() or "_" in text:
        raise ValueError(f"could not convert string to float: {text!r}")
    return float(text)


def _simple(name: str, values: Sequence[Any], decimal: str | None) -> _Column | None:
    """Parse a column of plain numbers at once; None if it isn't one, or if its points may separate thousands."""
    texts = [value for value in values if isinstance(value, str)] if _may_hold_text(values) else []
    if not _PLAIN.fullmatch("".join(texts)) or (texts and decimal == ","):
        return None
    try:
        numbers = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    pointed = [text for text in texts if "." in text]
    if numbers.ndim != 1 or (pointed and all(map(_FORMS[","].fullmatch, pointed))):
        return None
    return _Column(name, numbers, {}, (".",), frozenset(".")) if pointed else _Column(name, numbers, {}, tuple(_FORMS))


def _may_hold_text(values: Sequence[Any]) -> bool:
    return not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf"


def _column(name: str, values: Sequence[Any], decimal: str | None) -> _Column:
    """Parse a column cell by cell."""
    numbers, texts, words = np.empty(len(values)), {}, 0
    for row, value in enumerate(values):
        if isinstance(value, str):
            plain = value.strip().replace(_MINUS, "-")
            numbers[row] = np.nan
            if plain.lower() not in MISSING_WORDS:
                texts[row] = plain
            elif plain:
                words += 1
        else:
            numbers[row] = _given(value, name, row)
    marks = tuple(_FORMS) if decimal is None else (decimal,)
    fitting = tuple(mark for mark in marks if all(map(_FORMS[mark].fullmatch, texts.values())))
    if not fitting:
        raise DataError(_wrong_words(name, values, texts, marks))
    seen = frozenset(mark for mark in _FORMS if any(mark in text for text in texts.values()))
    return _Column(name, numbers, texts, fitting, seen, words)


def _given(value: Any, name: str, row: int) -> float:
    """A value that isn't text as a number."""
    if is_missing(value):
        return np.nan
    try:
        return float(value)
    except OverflowError:  # an integer too large for a float
        return np.inf
    except (TypeError, ValueError):
        raise DataError(_no_number(name, row, value)) from None


def _mark(column: _Column, sure: set[str]) -> str:
    """The decimal mark of a column, from the column itself or from the marks that are certain in other columns."""
    if len(column.marks) == 1:
        return column.marks[0]
    if len(sure) == 1:
        return next(iter(sure))
    for row, text in column.texts.items():
        if "," in text:
            raise DataError(
                f"the column {column.name} must say what its commas are; row {row + 1} has {text!r:.40}, which is "
                f"{_value(text, ','):.12g} with a decimal comma, {_value(text, '.'):.12g} with one between thousands. "
                "Say which with --decimal ',' or --decimal . (Layout(decimal=...))"
            )
    return "."


def _value(text: str, mark: str) -> float:
    return float(_BETWEEN.sub("", text).replace(_OTHER[mark], "").replace(",", "."))


def _wrong_words(name: str, values: Sequence[Any], texts: Mapping[int, str], marks: Sequence[str]) -> str:
    """The error message for a column that has cells that aren't numbers with any decimal mark."""
    for row, text in texts.items():
        if not any(_FORMS[mark].fullmatch(text) for mark in marks):
            return _no_number(name, row, values[row])
    rows = [next(row for row, text in texts.items() if not _FORMS[mark].fullmatch(text)) for mark in marks]
    shown = " and ".join(f"row {row + 1} has {values[row]!r:.40}" for row in sorted(rows))
    return f"the column {name} must have one decimal mark; {shown}. Write all its numbers in one way."


def _no_number(name: str, row: int, value: Any) -> str:
    advice = "A missing value is empty, NA, NaN, null or ?. Choose another column, or correct the file."
    if isinstance(value, str):
        plain = unicodedata.normalize("NFKC", value).replace("_", "").strip()
        if _FORMS["."].fullmatch(plain):
            advice = f"Digits are 0 to 9, without underscores: write {plain:.40}."
    return f"the column {name} must hold numbers; row {row + 1} has {value!r:.40}. {advice}"
