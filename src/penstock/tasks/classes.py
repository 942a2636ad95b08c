"""The classes of a training: their order, checks that the labels are plausible, and class weights."""

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from penstock.checks import check_whole
from penstock.errors import ConfigError, DataError, DataWarning
from penstock.labels import LabelIndex, as_label, class_counts, listed, looks_numeric, near_equal
from penstock.tasks.labelled import Labelled

__all__ = ["advice", "class_weights", "training_classes"]

_NUMBERS = 50  # above this number of numeric classes, the labels are probably measurements
_FEW_ROWS = 20  # up to this number of rows, unique labels are plausible: a small trial
_WORDS = 4  # mean words per label from which the labels are probably texts
_MISSING = ("<NA>", "N/A", "NA", "NULL", "NaN", "NaT", "None", "nan", "null")


def training_classes(labels: Iterable[Any], max_classes: int) -> list[Any]:
    """Return the classes in order, and warn if the labels are implausible.

    Args:
        labels: the labels of the training rows, none missing.
        max_classes: the largest accepted number of classes.

    Raises:
        DataError: fewer than two classes or more than `max_classes`, or two equal classes: see `class_counts`.
        ConfigError: `max_classes` is not an integer of at least 2.

    Warns:
        DataWarning: labels that are probably numbers, ids or texts; that differ only in spelling; or that are
            probably marks of a missing label.
    """
    check_whole("max_classes", max_classes, at_least=2)
    counts = class_counts(labels)
    classes = list(counts)
    if len(classes) > max_classes:
        raise DataError(
            f"labels hold {_amount(counts)}, more than max_classes={max_classes}: {listed(classes, 4)}. "
            f"{advice(counts)} If they are classes, set max_classes={len(classes)} (--max-classes {len(classes)})."
        )
    for doubt in _doubts(counts):
        warnings.warn(doubt, DataWarning, stacklevel=2)
    return classes


def advice(counts: Mapping[Any, int]) -> str:
    """Say what implausible labels look like and what to do; empty if they look like classes.

    Args:
        counts: the number of rows of each label.
    """
    if _mostly_numbers(counts):
        return (
            "They look like numbers: to predict numbers, use penstock train regress (SeriesRegressor) for signals or "
            "penstock train forecast (Forecaster) for values over time."
        )
    if _mostly_alone(counts):
        words = sum(len(str(label).split()) for label in counts) / len(counts)
        if words >= _WORDS:
            return "They look like texts: are the columns of texts and labels swapped?"
        return "Most occur in one row only: is it a column of ids, names or dates?"
    return ""


def class_weights(chosen: Any, data: Labelled) -> np.ndarray:
    """Return the weight of a row of each class, (classes,) float64.

    Args:
        chosen: None for 1; "balanced" for rows / (classes * rows of the class) as in scikit-learn, with rows counted
            by their weights; or a mapping of label to number.
        data: the data whose training rows are counted.

    Raises:
        ConfigError: `chosen` is something else, or has an unknown or repeated label, or a number below 0.
    """
    classes = len(data.labels)
    if chosen is None:
        return np.ones(classes)
    if isinstance(chosen, str) and chosen == "balanced":
        counts = data.train.class_counts(classes)
        return len(data.train) / (classes * np.where(counts > 0, counts, 1))
    if not isinstance(chosen, Mapping):
        raise ConfigError(f"class_weight must be None, 'balanced' or a number per label; got {chosen!r:.200}")
    weights = _by_class(chosen, data.labels)
    if not all(map(_is_weight, weights)) or not any(weights):
        raise ConfigError(f"class_weight must give numbers, at least 0 and not all 0; got {dict(chosen)!r:.200}")
    return np.array(weights, np.float64)


def _is_weight(value: Any) -> bool:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return is_number and bool(np.isfinite(value)) and bool(value >= 0)


def _by_class(chosen: Mapping[Any, Any], labels: Sequence[Any]) -> list[Any]:
    """Return the weight of each class; 1 if none is given."""
    index, weights, named = LabelIndex(labels), [1] * len(labels), dict[int, Any]()
    for key, weight in chosen.items():
        label = as_label(key)
        place = None if label is None else index.find(label)
        if place is None:
            raise ConfigError(f"class_weight must name classes of the data; {key!r:.60} is none of {listed(labels)}")
        if place in named:
            raise ConfigError(f"class_weight names one class twice: {named[place]!r:.60} and {key!r:.60}")
        weights[place], named[place] = weight, key
    return weights


def _doubts(counts: Mapping[Any, int]) -> Iterator[str]:
    """Yield a sentence for each property of the labels that is probably a mistake."""
    are_numbers = len(counts) > _NUMBERS and _mostly_numbers(counts)
    if sum(counts.values()) > _FEW_ROWS and (are_numbers or _mostly_alone(counts)):
        yield f"labels hold {_amount(counts)}: {listed(list(counts), 4)}. {advice(counts)}"
    if pairs := near_equal(counts):
        shown = [f"{one!r:.60} ({counts[one]:,} rows) and {two!r:.60} ({counts[two]:,} rows)" for one, two in pairs[:4]]
        more = f" and {len(pairs) - 4} more pairs" if len(pairs) > 4 else ""
        yield (
            "labels that differ only in case, blanks, digits or Unicode form are different classes: "
            f"{'; '.join(shown)}{more}. Write them alike if they are one class."
        )
    if marks := [label for label in counts if isinstance(label, str) and label.strip() in _MISSING]:
        shown = [f"{label!r} ({counts[label]:,} rows)" for label in marks]
        yield (
            f"the text {', '.join(shown)} is a class like any other. If it stands for a missing label, leave it empty."
        )


def _amount(counts: Mapping[Any, int]) -> str:
    return f"{len(counts):,} different values in {sum(counts.values()):,} rows"


def _mostly_alone(counts: Mapping[Any, int]) -> bool:
    """Return whether more than half of the rows have a unique label."""
    return 2 * sum(count == 1 for count in counts.values()) > sum(counts.values())


def _mostly_numbers(counts: Mapping[Any, int]) -> bool:
    """Return whether the labels are numbers and not consecutive codes."""
    if not all(map(looks_numeric, counts)):
        return False
    numbers = [float(label) for label in counts]
    is_whole = all(number.is_integer() for number in numbers)
    return not is_whole or max(numbers) - min(numbers) >= 2 * len(numbers)
