"""The training, validation and test rows with numeric targets, and the counts of dropped rows."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from penstock.datasets import Rows, as_labels, random_split, stratified_split
from penstock.errors import DataError
from penstock.labels import LabelIndex
from penstock.sequences import Sequences
from penstock.tasks.options import check_validation_share
from penstock.tasks.weights import in_units_of_mean

__all__ = ["TRAINING", "Labelled", "Part", "check_lengths", "class_numbers", "known_places", "prepare"]

TRAINING = "the training data"
"""How the training data are called where targets are checked."""
_MOST_SEEN = 1000  # the most training rows to measure after each epoch for learning curves: enough for two digits


@dataclass(frozen=True)
class Part:
    """Inputs and their ground truth: class numbers int64 (rows,), or numbers float64 (rows, outputs).

    If each step has a class, targets are `Sequences` of class numbers.

    weights: the weight of each row, (rows,) float64 with mean 1; None for equal weights
    """

    inputs: Sequence[Any]
    targets: Any
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def in_memory(self) -> "Part":
        """These rows, or a sample of them where they are too many for memory."""
        return self

    def take(self, rows: np.ndarray) -> "Part":
        """Return a part with the given rows only."""
        weights = None if self.weights is None else in_units_of_mean(self.weights[rows])
        return Part([self.inputs[row] for row in rows], self.targets[rows], weights)

    def class_counts(self, classes: int) -> np.ndarray:
        """Count the rows or steps of each class, (classes,) int64; with row weights their sums, float64."""
        if not isinstance(self.targets, Sequences):
            return np.bincount(self.targets, self.weights, minlength=classes)
        weights = None if self.weights is None else np.repeat(self.weights, self.targets.lengths)
        return np.bincount(self.targets.values, weights, minlength=classes)

    def counting(self, class_weights: np.ndarray) -> np.ndarray:
        """Return the weight of each row (rows,), given `class_weights` (classes,)."""
        each = class_weights[self.targets]
        return each if self.weights is None else each * self.weights

    def mean_and_spread(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weighted mean and standard deviation over the rows of values (rows, ...)."""
        if self.weights is None:
            return values.mean(axis=0), values.std(axis=0)
        mean = np.average(values, axis=0, weights=self.weights)
        return mean, np.sqrt(np.average((values - mean) ** 2, axis=0, weights=self.weights))

    def digest(self) -> str:
        """Return a SHA-256 hash that identifies these rows."""
        ragged = isinstance(self.targets, Sequences)
        arrays = (self.targets.values, self.targets.offsets) if ragged else (self.targets,)
        arrays += () if self.weights is None else (self.weights,)
        digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays))
        for each in self.inputs:
            digest.update(_bytes(each))
        return digest.hexdigest()


@dataclass(frozen=True)
class Labelled:
    """All the data of a training.

    labels: the classes in order, targets are indices into it; empty if targets are numbers
    train, valid, test: the parts; test may be None
    dropped: the number of dropped rows by reason, over all parts
    changed: the number of changes by kind, over all parts; see `datasets.changes`
    """

    labels: list[Any]
    train: Part
    valid: Part
    test: Part | None
    dropped: dict[str, int]
    changed: dict[str, int] = field(default_factory=dict)

    def measured(self) -> dict[str, Part]:
        """Return the parts to measure on, by name."""
        return {"valid": self.valid} | ({} if self.test is None else {"test": self.test})

    def seen(self) -> Part:
        """Return training rows to measure for learning curves: as many as validation rows, at most 1,000."""
        rows = self.train.in_memory
        count = min(len(rows), len(self.valid), _MOST_SEEN)
        return rows.take(np.linspace(0, len(rows) - 1, count).round().astype(np.int64))

    def count(self, dropped: Mapping[str, int] | None, changed: Mapping[str, int] | None) -> None:
        """Add to the counts of dropped rows and of changes."""
        for own, more in ((self.dropped, dropped), (self.changed, changed)):
            for reason, number in (more or {}).items():
                own[reason] = own.get(reason, 0) + number


def prepare(
    train: Rows,
    validation_data: Any,
    test_data: Any,
    *,
    rows_of: Callable[..., Rows],
    targets_of: Callable[[list[Any], str], Any],
    labels: list[Any],
    validation_share: float,
    random_state: int,
) -> Labelled:
    """Check the data of a training and split it.

    Args:
        train: the training rows; a share of them is for validation if there is no `validation_data`.
        validation_data, test_data: (inputs, ground truth) or (inputs, ground truth, weights), or None.
        rows_of: converts (inputs, ground truth, optional weights) from the user to rows.
        targets_of: converts (ground truth, its origin for error messages) to targets.
        labels: the classes, empty for numbers; with classes the split is stratified, unless each step has a class.
        validation_share: the share of rows to hold back if there is no `validation_data`.
        random_state: the seed of the split.

    Raises:
        DataError: the data can't be used.
        ConfigError: the share is not between 0 and 1.
    """
    check_validation_share(validation_share)
    given = _part(train, targets_of, TRAINING)
    parts: dict[str, Part | None] = {}
    dropped = dict(train.dropped)
    for name, pair in (("validation_data", validation_data), ("test_data", test_data)):
        parts[name] = None
        if pair is not None:
            rows = _rows(name, pair, rows_of)
            parts[name] = _part(rows, targets_of, name)
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
    """Return the index of each label among the classes, (rows,) int64.

    Raises:
        DataError: a label is not one of the classes.
    """
    try:
        return np.array(LabelIndex(classes).places(labels, where), np.int64)
    except DataError as error:
        raise DataError(
            f"{error} Only training rows can bring a new class: leave those rows out, or give some of them to training."
        ) from error


def check_lengths(inputs: int, answers: int) -> None:
    """Raise DataError if inputs and ground truth differ in length or are empty."""
    if inputs != answers or not inputs:
        raise DataError(f"X and y must have the same length, at least 1; got {inputs} and {answers}")


def known_places(labels: Any, classes: Sequence[Any]) -> np.ndarray:
    """Return the index of each label among the classes, (rows,) int64; -1 for an unknown label, which is scored too.

    Raises:
        DataError: the labels are not a column, or one is missing.
    """
    index, found = LabelIndex(classes), as_labels(labels, "y")
    if None in found:
        raise DataError(f"y must have a label for each row; number {found.index(None)} is missing")
    places = [index.find(label) for label in found]
    return np.array([-1 if place is None else place for place in places], np.int64)


def _part(rows: Rows, targets_of: Callable[[list[Any], str], Any], where: str) -> Part:
    return Part(rows.inputs, targets_of(rows.answers or [], where), in_units_of_mean(rows.weights))


def _rows(name: str, pair: Any, rows_of: Callable[..., Rows]) -> Rows:
    if not isinstance(pair, tuple | list) or len(pair) not in (2, 3):
        raise DataError(f"{name} must be two columns, (X, y), or three, (X, y, sample_weight); got {_kind(pair)}")
    try:
        return rows_of(*pair)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def _bytes(one: Any) -> bytes:
    """The bytes that identify an input: a text, a list of tokens, a recording or an array."""
    if isinstance(one, list):
        one = json.dumps(one)
    return one.encode() if isinstance(one, str) else bytes(getattr(one, "samples", one).tobytes())


def _kind(given: Any) -> str:
    kind = type(given).__name__
    return f"a {kind} of {len(given)}" if isinstance(given, tuple | list) else kind
