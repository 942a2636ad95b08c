"""The rows of a training in its parts, with numbers instead of labels, and what was dropped on the way."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.datasets import Rows, as_labels, random_split, stratified_split
from penstock.errors import ConfigError, DataError
from penstock.labels import LabelIndex
from penstock.sequences import Sequences
from penstock.tasks.weights import in_units_of_mean

__all__ = ["Labelled", "Part", "check_lengths", "class_numbers", "known_places", "prepare"]

_MOST_SEEN = 1000  # training rows that learning curves measure after each epoch: enough for two digits


@dataclass(frozen=True)
class Part:
    """Inputs and their ground truth: class numbers int64 (rows,), or numbers float64 (rows, outputs).

    Where each step has a class of its own, targets are `Sequences` of class numbers.

    weights: what each row counts, (rows,) float64 with mean 1; None for all alike
    """

    inputs: Sequence[Any]
    targets: Any
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def take(self, rows: np.ndarray) -> "Part":
        """Some of the rows."""
        weights = None if self.weights is None else in_units_of_mean(self.weights[rows])
        return Part([self.inputs[row] for row in rows], self.targets[rows], weights)

    def class_counts(self, classes: int) -> np.ndarray:
        """The rows or steps of each class, (classes,) int64; where rows have weights the sums of these, float64."""
        if not isinstance(self.targets, Sequences):
            return np.bincount(self.targets, self.weights, minlength=classes)
        weights = None if self.weights is None else np.repeat(self.weights, self.targets.lengths)
        return np.bincount(self.targets.values, weights, minlength=classes)

    def counting(self, class_weights: np.ndarray) -> np.ndarray:
        """What each row counts, (rows,), where each class counts as much as `class_weights` (classes,)."""
        each = class_weights[self.targets]
        return each if self.weights is None else each * self.weights

    def mean_and_spread(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted mean and standard deviation over the rows of values (rows, ...)."""
        if self.weights is None:
            return values.mean(axis=0), values.std(axis=0)
        mean = np.average(values, axis=0, weights=self.weights)
        return mean, np.sqrt(np.average((values - mean) ** 2, axis=0, weights=self.weights))

    def digest(self) -> str:
        """What tells these rows from any others."""
        ragged = isinstance(self.targets, Sequences)
        arrays = (self.targets.values, self.targets.offsets) if ragged else (self.targets,)
        arrays += () if self.weights is None else (self.weights,)
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
    rows_of: Callable[..., Rows],
    targets_of: Callable[[list[Any], str], Any],
    labels: list[Any],
    validation_share: float,
    random_state: int,
) -> Labelled:
    """The data of a training, checked.

    Args:
        train: to train on, and to validate on where there is no `validation_data`.
        validation_data, test_data: (inputs, answers) or (inputs, answers, weights), or None.
        rows_of: (inputs, answers, perhaps weights) as people hold them -> rows fit for use.
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
    given = _part(train, targets_of, "the training data")
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


def check_lengths(inputs: int, answers: int) -> None:
    """DataError where there are not as many answers as inputs, or none at all."""
    if inputs != answers or not inputs:
        raise DataError(f"X and y must have the same length, at least 1; got {inputs} and {answers}")


def known_places(labels: Any, classes: Sequence[Any]) -> np.ndarray:
    """Each label's place among the classes, (rows,) int64; -1 for a label that is none of them, which is to be scored.

    Raises:
        DataError: not a column of labels, or one is missing.
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


def _kind(given: Any) -> str:
    kind = type(given).__name__
    return f"a {kind} of {len(given)}" if isinstance(given, tuple | list) else kind
