"""The rows of a training in its parts, with numbers instead of labels, and what was dropped on the way."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.datasets import Rows, random_split, stratified_split
from penstock.errors import ConfigError, DataError
from penstock.labels import LabelIndex
from penstock.sequences import Sequences

__all__ = ["Labelled", "Part", "class_numbers", "prepare"]

_MOST_SEEN = 1000  # training rows that learning curves measure after each epoch: enough for two digits


@dataclass(frozen=True)
class Part:
    """Inputs and their ground truth: class numbers int64 (rows,), or numbers float64 (rows, outputs).

    Where each step has a class of its own, targets are `Sequences` of class numbers.
    """

    inputs: Sequence[Any]
    targets: Any

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: np.ndarray) -> "Part":
        """Some of the rows."""
        return Part([self.inputs[row] for row in rows], self.targets[rows])

    def digest(self) -> str:
        """What tells these rows from any others."""
        ragged = isinstance(self.targets, Sequences)
        arrays = (self.targets.values, self.targets.offsets) if ragged else (self.targets,)
        digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays))
        for each in self.inputs:
            digest.update(each.encode() if isinstance(each, str) else getattr(each, "samples", each).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Labelled:
    """All the data of a training.

    labels: the classes in order, a target is a place in it; none where answers are numbers
    train, valid, test: the parts; test may be None
    dropped: why rows were left out, and how many, over all parts
    """

    labels: list[Any]
    train: Part
    valid: Part
    test: Part | None
    dropped: dict[str, int]

    def measured(self) -> dict[str, Part]:
        """The parts to measure on, by name."""
        return {"valid": self.valid} | ({} if self.test is None else {"test": self.test})

    def seen(self) -> Part:
        """Training rows to measure as the validation rows are, for learning curves: as many as these, 1,000 at most."""
        count = min(len(self.train), len(self.valid), _MOST_SEEN)
        return self.train.take(np.linspace(0, len(self.train) - 1, count).round().astype(np.int64))

    def count_dropped(self, more: Mapping[str, int]) -> None:
        """Count rows that were left out."""
        for reason, count in more.items():
            self.dropped[reason] = self.dropped.get(reason, 0) + count


def prepare(
    train: Rows,
    validation_data: Any,
    test_data: Any,
    *,
    rows_of: Callable[[Any, Any], Rows],
    targets_of: Callable[[list[Any], str], Any],
    labels: list[Any],
    validation_share: float,
    random_state: int,
) -> Labelled:
    """The data of a training, checked.

    Args:
        train: to train on, and to validate on where there is no `validation_data`.
        validation_data, test_data: (inputs, answers), or None.
        rows_of: (inputs, answers) as people hold them -> rows fit for use.
        targets_of: (answers, where they come from) -> targets.
        labels: the classes, if there are any; then each class is split in the same proportions, but where each step
            has a class of its own.
        validation_share: of the rows, held back without `validation_data`.
        random_state: of the split.

    Raises:
        DataError: data that can't be used.
        ConfigError: a share that makes no sense.
    """
    if not isinstance(validation_share, float) or not 0 < validation_share < 1:
        raise ConfigError(f"validation_share must be a number between 0 and 1; got {validation_share!r}")
    given = Part(train.inputs, targets_of(train.answers or [], "the training data"))
    parts: dict[str, Part | None] = {}
    dropped = dict(train.dropped)
    for name, pair in (("validation_data", validation_data), ("test_data", test_data)):
        parts[name] = None
        if pair is not None:
            rows = _rows(name, pair, rows_of)
            parts[name] = Part(rows.inputs, targets_of(rows.answers or [], name))
            for reason, count in rows.dropped.items():
                dropped[reason] = dropped.get(reason, 0) + count
    valid = parts["validation_data"]
    if valid is None:
        shares = (1 - validation_share, validation_share)
        split = (
            stratified_split(given.targets, shares, random_state=random_state)
            if labels and not isinstance(given.targets, Sequences)
            else random_split(len(given), shares, random_state=random_state)
        )
        given, valid = (given.take(part) for part in split)
    return Labelled(labels, given, valid, parts["test_data"], dropped)


def class_numbers(labels: Sequence[Any], classes: Sequence[Any], where: str) -> np.ndarray:
    """Each label's place among the classes, (rows,) int64.

    Raises:
        DataError: a label that is none of them.
    """
    try:
        return np.array(LabelIndex(classes).places(labels, where), np.int64)
    except DataError as error:
        raise DataError(
            f"{error} A model has the classes of its first training: leave those rows out, or train a new model."
        ) from error


def _rows(name: str, pair: Any, rows_of: Callable[[Any, Any], Rows]) -> Rows:
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise DataError(f"{name} must be two columns, (inputs, answers); got {type(pair).__name__}")
    try:
        return rows_of(*pair)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
