"""Labelled texts in three parts, with class numbers instead of labels, and what was dropped on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.datasets import class_counts, stratified_split, text_table
from penstock.errors import ConfigError, DataError
from penstock.features import tokenize

__all__ = ["Labelled", "Part", "prepare"]


@dataclass(frozen=True)
class Part:
    """Texts and their class numbers, (rows,) int64."""

    texts: list[str]
    targets: np.ndarray

    def __len__(self) -> int:
        return len(self.texts)

    def sizes(self, labels: Sequence[Any]) -> dict[str, Any]:
        """Rows, tokens, and rows of each class."""
        counts = np.bincount(self.targets, minlength=len(labels)).tolist()
        return {
            "rows": len(self),
            "tokens": sum(len(tokenize(text)) for text in self.texts),
            "classes": {str(label): count for label, count in zip(labels, counts, strict=True)},
        }


@dataclass(frozen=True)
class Labelled:
    """All the data of a training.

    labels: the classes in order; a target is a place in it
    train, valid, test: the parts; test may be None
    dropped: why rows were left out, and how many, over all parts
    """

    labels: list[Any]
    train: Part
    valid: Part
    test: Part | None
    dropped: dict[str, int]

    def drop(self, more: Mapping[str, int]) -> None:
        """Count rows that were left out elsewhere."""
        for reason, count in more.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count

    def sizes(self) -> dict[str, Any]:
        """The part of metrics.json on the data."""
        test = None if self.test is None else self.test.sizes(self.labels)
        parts = {"train": self.train.sizes(self.labels), "valid": self.valid.sizes(self.labels), "test": test}
        return parts | {"dropped": self.dropped}


def prepare(
    texts: Any,
    labels: Any,
    *,
    validation_data: tuple[Any, Any] | None,
    test_data: tuple[Any, Any] | None,
    validation_share: float,
    known: Sequence[Any] | None = None,
    random_state: int,
) -> Labelled:
    """The data of a training, checked.

    Args:
        texts, labels: to train on, and to validate on where there is no `validation_data`.
        validation_data, test_data: (texts, labels), or None.
        validation_share: of the rows, held back in each class without `validation_data`.
        known: the classes of a model that is trained further; None: the classes of the data.
        random_state: of the split.

    Raises:
        DataError: not as many labels as texts, no texts, fewer than two classes, or labels that are not known.
    """
    table = text_table(texts, labels)
    if not isinstance(validation_share, float) or not 0 < validation_share < 1:
        raise ConfigError(f"validation_share must be a number between 0 and 1; got {validation_share!r}")
    dropped = dict(table.dropped)
    given = table.labels or []
    classes = list(class_counts(given)) if known is None else list(known)
    train = Part(table.texts, _targets(given, classes, "the training data" if known is None else "labels"))
    parts: dict[str, Part | None] = {}
    for name, pair in (("validation_data", validation_data), ("test_data", test_data)):
        parts[name] = None if pair is None else _part(name, pair, classes, dropped)
    valid = parts["validation_data"]
    if valid is None:
        train, valid = _split(train, validation_share, random_state)
    return Labelled(classes, train, valid, parts["test_data"], dropped)


def _part(name: str, pair: Any, classes: list[Any], dropped: dict[str, int]) -> Part:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{name} must be two columns, (texts, labels); got {type(pair).__name__}")
    try:
        table = text_table(*pair)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
    for reason, count in table.dropped.items():
        dropped[reason] = dropped.get(reason, 0) + count
    return Part(table.texts, _targets(table.labels or [], classes, name))


def _targets(labels: Sequence[Any], classes: Sequence[Any], where: str) -> np.ndarray:
    numbers: Mapping[Any, int] = {label: number for number, label in enumerate(classes)}
    if unknown := sorted({str(label) for label in labels if label not in numbers}):
        raise DataError(
            f"{where} must have no other classes than {_listed(classes)}; got also {_listed(unknown)}. "
            "A model has the classes of its first training: leave those rows out, or train a new model."
        )
    return np.array([numbers[label] for label in labels], np.int64)


def _split(rows: Part, share: float, random_state: int) -> tuple[Part, Part]:
    parts = stratified_split(rows.targets, (1 - share, share), random_state=random_state)
    kept, held_back = (Part([rows.texts[row] for row in part], rows.targets[part]) for part in parts)
    return kept, held_back


def _listed(values: Sequence[Any], most: int = 8) -> str:
    shown = ", ".join(repr(value) for value in values[:most])
    return shown + (f" and {len(values) - most} more" if len(values) > most else "")
