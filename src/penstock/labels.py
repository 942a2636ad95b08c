"""Class labels: which values are valid, when two labels are the same class, and how a label is written.

The same rules hold for `fit`, `evaluate`, files, class weights, predictions, reports and the server:

- A label is text, a whole number, a finite float or a boolean, and is stored unchanged. None, NaN and blank text are
  missing values. Text is never converted: "007", "NaN" and "good " are ordinary labels.
- A label is written as `str` writes it (`good`, `1`, `1.0`, `True`): in `probability_<label>`, in keys of JSON objects,
  in reports and in tables.
- Two labels are the same class if they are equal texts, equal numbers (1 and 1.0) or equal booleans. A boolean is not
  a number. Because CSV contains only text, a text and a value are the same class if the text is a way to write the
  value: "1" and "1.0" for 1, "true" and "True" for True.
- Training labels must not contain two values of different types that are the same class, such as 1 and "1", or that
  Python considers equal, such as 1 and True. Texts that differ only in case, blanks or Unicode form are different
  classes; `near_equal` finds them, so that the user can be warned.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

from penstock.errors import ConfigError, DataError

__all__ = [
    "LabelIndex",
    "LabelTally",
    "as_label",
    "class_counts",
    "label_key",
    "label_texts",
    "listed",
    "looks_numeric",
    "near_equal",
    "same_labels",
]

Label = str | int | float | bool

# A number as in JSON: 007 and 1_000 are texts. Longer texts are not treated as numbers.
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 40
_BOOLEANS = {"true": True, "false": False}
# pandas' types for a missing value, by name, so that pandas need not be imported.
_MISSING_TYPES = ("NAType", "NaTType")
_LARGEST = 2**1023  # a larger whole number may not fit a float, and `str` may raise an error for it


def as_label(value: Any) -> Label | None:
    """Convert a label to a plain Python value; None if it is missing.

    Raises:
        DataError: the value isn't a label; the message describes it, and the caller adds where it was found.
    """
    if hasattr(value, "dtype") and hasattr(value, "item") and value.dtype.kind in "biufU":
        value = value.item()  # a NumPy scalar; NumPy dates are excluded because they would become whole numbers
    if value is None or type(value).__name__ in _MISSING_TYPES:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text_label(value)
    if isinstance(value, int):
        if abs(value) >= _LARGEST:
            raise DataError("a whole number beyond every float. Turn it into text first.")
        return int(value)
    if isinstance(value, float) and not math.isinf(value):
        return None if math.isnan(value) else float(value)
    raise DataError(
        f"{value!r:.40} ({type(value).__name__}). Labels are text, whole numbers, finite floats or booleans: "
        f"{'decode it' if isinstance(value, bytes) else 'turn it into text'} first."
    )


def label_texts(labels: Sequence[Any]) -> list[str]:
    """The text of each class; all texts are different."""
    texts = [str(label) for label in labels]
    if len(set(texts)) == len(texts):
        return texts
    # Only models of early versions have both 1 and "1"; quotes distinguish them.
    return [repr(label) if texts.count(text) > 1 else text for label, text in zip(labels, texts, strict=True)]


class LabelTally:
    """Labels in constant memory: how often each occurs; iterating yields them again, equal ones together."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, Any], list[Any]] = {}

    def __len__(self) -> int:
        """Number of different labels."""
        return len(self._found)

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(repeat(label, count) for label, count in self._found.values())

    def add(self, labels: Iterable[Any]) -> None:
        """Count labels, as `as_label` returns them, none missing."""
        for label in labels:
            # 1 and 1.0 are one class, but which was seen decides on how it is written.
            found = self._found.setdefault((type(label).__name__, label), [label, 0])
            found[1] += 1


def class_counts(labels: Iterable[Any]) -> dict[Any, int]:
    """Count the rows of each class.

    Args:
        labels: as `as_label` returns them, none missing.

    Returns:
        Class -> number of rows, in the order of a model's labels: sorted, numbers before texts.

    Raises:
        DataError: fewer than two classes, or two labels of different types that are the same class.
    """
    found: dict[tuple[str, Any], int] = {}
    shown: dict[tuple[str, Any], Any] = {}
    for label in labels:
        key = label_key(label)
        found[key] = found.get(key, 0) + 1
        if key not in shown or isinstance(label, int):  # prefer 1 to 1.0
            shown[key] = label
    _refuse_collisions(found, shown)
    if len(found) < 2:
        only = f"only {next(iter(shown.values()))!r:.80}" if shown else "none"
        raise DataError(
            f"there must be at least two classes; got {only}. From one class there is nothing to learn. "
            "Is it the right column of labels?"
        )
    order = sorted(found, key=lambda key: (isinstance(shown[key], str), shown[key]))
    return {shown[key]: found[key] for key in order}


class LabelIndex:
    """Finds the index of a class from any way to write its label.

    Args:
        labels: the labels of the classes, in order.
    """

    def __init__(self, labels: Sequence[Any]) -> None:
        self.labels = list(labels)
        self._places: dict[tuple[str, Any], int] = {}
        self._read: dict[tuple[str, Any], list[int]] = {}
        for place, label in enumerate(self.labels):
            self._places.setdefault(label_key(label), place)
            for reading in _readings(label):
                self._read.setdefault(reading, []).append(place)

    def find(self, label: Any) -> int | None:
        """Return the index of a label's class; None if no class matches, or if several do."""
        key = label_key(label)
        if key in self._places:
            return self._places[key]
        if isinstance(label, str):
            return next((self._places[each] for each in _readings(label) if each in self._places), None)
        written = self._places.get(label_key(str(label)))
        if written is not None:
            return written
        candidates = self._read.get(key, [])
        return candidates[0] if len(candidates) == 1 else None

    def places(self, labels: Sequence[Any], where: str) -> list[int]:
        """Return the index of the class of each label.

        Args:
            labels: one for each row, in any valid form.
            where: the name of the labels in error messages, such as "labels".

        Raises:
            DataError: a label is missing, isn't valid, or isn't one of these classes.
        """
        found: list[int] = []
        unknown: dict[str, Any] = {}
        for row, value in enumerate(labels):
            try:
                label = as_label(value)
            except DataError as error:
                raise DataError(f"{where}: number {row} is {error}") from error
            if label is None:
                raise DataError(f"{where}: number {row} is missing. Leave out the rows without a label.")
            place = self.find(label)
            if place is None:
                unknown[str(label)] = label
            else:
                found.append(place)
        if unknown:
            raise DataError(
                f"{where} must have no other classes than {listed(self.labels)}; "
                f"got also {listed(sorted(unknown.values(), key=str))}.{self._hint(unknown.values())}"
            )
        return found

    def _hint(self, unknown: Iterable[Any]) -> str:
        near = {_folded(label): label for label in self.labels}
        for label in unknown:
            if (known := near.get(_folded(label))) is not None:
                return f" {label!r:.60} differs from {known!r:.60} only in {_difference(label, known)}."
        return ""


def near_equal(labels: Iterable[Any]) -> list[tuple[Any, Any]]:
    """Find pairs of classes that are probably the same: they differ only in case, blanks or Unicode form."""
    first: dict[Any, Any] = {}
    pairs = []
    for label in labels:
        other = first.setdefault(_folded(label), label)
        if other is not label:
            pairs.append((other, label))
    return pairs


def same_labels(ours: Sequence[Any], theirs: Sequence[Any]) -> list[int]:
    """Return the place among their labels of each of ours.

    Raises:
        ConfigError: the labels are not the same classes; the error names those that only one side has.
    """
    found = [LabelIndex(theirs).find(label) for label in ours]
    index = LabelIndex(ours)
    sides = (
        ("first", [label for label, place in zip(ours, found, strict=True) if place is None]),
        ("second", [label for label in theirs if index.find(label) is None]),
    )
    only = [f"only the {side} knows {listed(labels)}" for side, labels in sides if labels]
    if only:
        raise ConfigError(f"the models have other labels: {'; '.join(only)}. Compare models of the same labels.")
    return [place for place in found if place is not None]


def looks_numeric(label: Any) -> bool:
    """Whether a label is a number or the text of a number."""
    return _number(label) is not None


def listed(values: Sequence[Any], most: int = 8) -> str:
    """Format the first values for a message; long values are cut."""
    shown = ", ".join(_cut(repr(value)) for value in values[:most])
    return shown + (f" and {len(values) - most:,} more" if len(values) > most else "")


def _cut(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text_label(value: str) -> str | None:
    text = str.__str__(value)  # for a member of a string enumeration: its value
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{value!r:.40}, which ends or begins with half a character. Mend the text first.") from error
    return text if text.strip() else None


def label_key(label: Any) -> tuple[str, Any]:
    """A key that is equal exactly for labels of the same type and class."""
    if isinstance(label, str):
        return "text", label
    return ("boolean" if isinstance(label, bool) else "number"), label


def _readings(label: Any) -> list[tuple[str, Any]]:
    """The keys of all values that a text can stand for; empty for a label that isn't text."""
    if not isinstance(label, str):
        return []
    if label.lower() in _BOOLEANS:
        return [("boolean", _BOOLEANS[label.lower()])]
    number = _number(label)
    return [] if number is None else [("number", number)]


def _number(label: Any) -> int | float | None:
    if not isinstance(label, str):
        return None if isinstance(label, bool) else label
    if len(label) > _LONGEST_NUMBER or not _NUMBER.fullmatch(label):
        return None
    number = float(label) if any(mark in label for mark in ".eE") else int(label)
    return number if math.isfinite(number) else None


def _refuse_collisions(found: Mapping[tuple[str, Any], int], shown: Mapping[tuple[str, Any], Any]) -> None:
    for key, label in shown.items():
        same = [*_readings(label), *([("number", label)] if isinstance(label, bool) else [])]
        for other in same:
            if other in found:
                raise DataError(
                    f"labels hold {shown[other]!r} ({other[0]}, {found[other]:,} rows) and {label!r} "
                    f"({key[0]}, {found[key]:,} rows), which are written alike or equal, so that files and predictions "
                    "can't tell them apart. Write both in one way, or give one another name."
                )


def _folded(label: Any) -> Any:
    """A key that is equal for labels that probably mean the same class."""
    if not isinstance(label, str):
        label = str(label)
    number = _number(label.strip())
    if number is not None:
        return float(number) if abs(number) < _LARGEST else number
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    visible = "".join(character for character in plain if unicodedata.category(character) != "Cf")
    return " ".join(visible.split())


def _difference(label: Any, other: Any) -> str:
    one, two = str(label), str(other)
    if "".join(one.split()) == "".join(two.split()):
        return "blanks"
    if one.casefold() == two.casefold():
        return "case"
    return "how it is written (case, blanks, digits or Unicode form)"
