"""Labels of classes: what may be one, when two are the same class, and how one is written.

One rule, for `fit`, `evaluate`, files, class weights, predictions, reports and the server:

- A label is text, a whole number, a finite float or a boolean, and is kept as it came. None, NaN and blank text are
  missing. Text is never reinterpreted: "007", "NaN" and "good " are labels like any others.
- It is written as `str` writes it (`good`, `1`, `1.0`, `True`): in `probability_<label>`, in the keys of JSON objects,
  in reports and tables.
- Two labels are the same class if they are equal texts, equal numbers (1 and 1.0) or equal booleans. A boolean is not
  a number. As CSV holds text alone, a text and a value are the same class where the text is a way to write the value:
  "1" and "1.0" for 1, "true" and "True" for True.
- Labels to train on may not hold two values of different kinds that are the same class, such as 1 and "1", or that
  Python takes for equal, such as 1 and True. Texts that differ only in case, blanks or Unicode form are different
  classes, and `near_equal` finds them, so that people can be warned.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from penstock.errors import DataError

__all__ = [
    "LabelIndex",
    "as_label",
    "class_counts",
    "label_key",
    "label_texts",
    "listed",
    "looks_numeric",
    "near_equal",
]

Label = str | int | float | bool

# JSON's form of a number: 007 and 1_000 are not numbers but texts. Longer ones are no numbers that people write.
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LONGEST_NUMBER = 40
_BOOLEANS = {"true": True, "false": False}
# pandas' own marks of a missing value, by name, as nothing here needs pandas.
_MISSING_TYPES = ("NAType", "NaTType")
_LARGEST = 2**1023  # beyond it a whole number isn't a float, and `str` may refuse to write it


def as_label(value: Any) -> Label | None:
    """A label as a value of Python's own, None where it is missing.

    Raises:
        DataError: not a label; the message begins with what it is, and leaves it to the caller to say where it stands.
    """
    if hasattr(value, "dtype") and hasattr(value, "item") and value.dtype.kind in "biufU":
        value = value.item()  # a NumPy scalar; those of dates would become whole numbers
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
    """How each class is written, all different."""
    texts = [str(label) for label in labels]
    if len(set(texts)) == len(texts):
        return texts
    # Only a model of an early version has both 1 and "1"; nothing is lost if quotes tell them apart.
    return [repr(label) if texts.count(text) > 1 else text for label, text in zip(labels, texts, strict=True)]


def class_counts(labels: Iterable[Any]) -> dict[Any, int]:
    """Each class and its rows, in the order that a model's labels have: sorted, numbers before texts.

    Args:
        labels: as `as_label` gives them, none missing.

    Raises:
        DataError: fewer than two classes, from which nothing can be learned, or two labels of different kinds that are
            the same class.
    """
    found: dict[tuple[str, Any], int] = {}
    shown: dict[tuple[str, Any], Any] = {}
    for label in labels:
        key = label_key(label)
        found[key] = found.get(key, 0) + 1
        if key not in shown or isinstance(label, int):  # of 1.0 and 1, the shorter
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
    """The place of each class, found by any way to write its label.

    Args:
        labels: of the classes, in order.
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
        """The place of a label's class; None if there is no such class, or several that it could mean."""
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
        """The place of each label.

        Args:
            labels: one for each row, as people hold them.
            where: what messages call them, such as "labels".

        Raises:
            DataError: a label that is missing, not a label, or not of these classes.
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
    """Pairs of different classes that are likely meant to be one: equal but for case, blanks, Unicode form."""
    first: dict[Any, Any] = {}
    pairs = []
    for label in labels:
        other = first.setdefault(_folded(label), label)
        if other is not label:
            pairs.append((other, label))
    return pairs


def looks_numeric(label: Any) -> bool:
    """Whether a label is a number or a way to write one."""
    return _number(label) is not None


def listed(values: Sequence[Any], most: int = 8) -> str:
    """Values for a message: the first few, each cut where it is long."""
    shown = ", ".join(_cut(repr(value)) for value in values[:most])
    return shown + (f" and {len(values) - most:,} more" if len(values) > most else "")


def _cut(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _text_label(value: str) -> str | None:
    text = str.__str__(value)  # of an enumeration's member, its value
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{value!r:.40}, which ends or begins with half a character. Mend the text first.") from error
    return text if text.strip() else None


def label_key(label: Any) -> tuple[str, Any]:
    """Equal for labels of one kind that are the same class, and for no others."""
    if isinstance(label, str):
        return "text", label
    return ("boolean" if isinstance(label, bool) else "number"), label


def _readings(label: Any) -> list[tuple[str, Any]]:
    """The keys of the values that a text is a way to write; none of a value."""
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
    """Equal for labels that a person may well have meant to be one class."""
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
