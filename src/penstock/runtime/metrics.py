"""Metrics of class probabilities and of numbers, in NumPy, with scikit-learn's names and values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import ShapeError
from penstock.runtime.resampling import Sums, grouped, stretch_of, units_of

__all__ = [
    "Outcomes",
    "class_metrics",
    "class_sums",
    "f1_scores",
    "label_metrics",
    "label_sums",
    "regression_metrics",
    "regression_sums",
]

_FEWEST_SEQUENCES = 10


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What all scores of class probabilities follow from: a few numbers a row, of as many rows as there are.

    Attributes:
        predicted, truth: (rows,) int32, class indices.
        losses: (rows,) float64, the negative logarithm of the true class's probability.
        classes: the number of classes.
    """

    predicted: NDArray[np.int32]
    truth: NDArray[np.int32]
    losses: NDArray[np.float64]
    classes: int

    @classmethod
    def of(cls, probabilities: ArrayLike, truth: ArrayLike) -> "Outcomes":
        """Keep what is needed of the rows; if probabilities are equal, the first class is the prediction.

        Args:
            probabilities: (rows, classes), at least one row.
            truth: (rows,), the index of each row's class.

        Raises:
            ShapeError: the shapes do not match, or there are no rows.
        """
        p, true = np.asarray(probabilities), np.asarray(truth)
        if p.ndim != 2 or true.shape != p.shape[:1] or not len(true):
            raise ShapeError(
                f"probabilities must be (rows, classes) and truth (rows,), with 1 row or more; "
                f"got {p.shape} and {true.shape}"
            )
        losses = -np.log(_true_class_probability(p, true))
        return cls(p.argmax(axis=1).astype(np.int32), true.astype(np.int32, copy=False), losses, p.shape[1])

    @classmethod
    def joined(cls, blocks: "Sequence[Outcomes]") -> "Outcomes":
        """Return those of the rows of all blocks, of which there is at least one."""
        predicted, truth, losses = (
            np.concatenate([getattr(block, name) for block in blocks]) for name in ("predicted", "truth", "losses")
        )
        return cls(predicted, truth, losses, blocks[0].classes)

    def metrics(self, weights: ArrayLike | None = None) -> dict[str, float]:
        """Return accuracy, f1_macro and log_loss."""
        metrics = label_metrics(self.predicted, self.truth, self.classes, weights)
        return metrics | {"log_loss": float(_mean(self.losses, weights))}

    def sums(self, weights: ArrayLike | None = None, *, stretch: int = 1) -> Sums:
        """Return sums from which `metrics` can be computed, see `class_sums`."""
        each = _each(weights, len(self.truth))
        group, groups, units = grouped(len(self.truth), stretch, 2 + 2 * self.classes)
        loss = np.bincount(group, weights=self.losses * each, minlength=groups)
        counts = _label_counts(self.predicted, self.truth, self.classes, group, groups, each)
        shares = ("accuracy",) if stretch == 1 else ()
        return Sums(np.column_stack([loss, counts]), _class_scores, units, shares=shares)


def class_metrics(probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> dict[str, float]:
    """Return accuracy, f1_macro and log_loss; if probabilities are equal, the first class is the prediction.

    Args:
        probabilities: (rows, classes), at least one row.
        truth: (rows,), the index of each row's class.
        weights: (rows,), above 0, what each row counts; None if all count the same.

    Raises:
        ShapeError: the shapes do not match, or there are no rows.
    """
    return Outcomes.of(probabilities, truth).metrics(weights)


def label_metrics(
    predicted: ArrayLike, truth: ArrayLike, classes: int, weights: ArrayLike | None = None
) -> dict[str, float]:
    """Return accuracy, and f1_macro over the classes that occur.

    Args:
        predicted, truth: (rows,), class indices, at least one row.
        classes: the number of classes.
        weights: as for `class_metrics`.

    Raises:
        ShapeError: the shapes do not match, or there are no rows.
    """
    labels, true = np.asarray(predicted), np.asarray(truth)
    if labels.ndim != 1 or labels.shape != true.shape or not len(true):
        raise ShapeError(f"predicted and truth must both be (rows,), 1 or more; got {labels.shape} and {true.shape}")
    f1 = f1_scores(labels, true, classes, weights)
    occurs = np.zeros(classes, bool)
    occurs[labels] = occurs[true] = True
    return {"accuracy": float(_mean(labels == true, weights)), "f1_macro": float(f1[occurs].mean())}


def f1_scores(
    predicted: ArrayLike, truth: ArrayLike, classes: int, weights: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Return the F1 score of each class, (classes,); 0 for a class that neither occurs nor is predicted.

    Args:
        predicted, truth: (rows,), class indices.
        classes: the number of classes.
        weights: as for `class_metrics`.
    """
    labels, true = np.asarray(predicted), np.asarray(truth)
    each = None if weights is None else np.asarray(weights)
    hit = labels == true
    hits = np.bincount(true[hit], None if each is None else each[hit], minlength=classes)
    either = np.bincount(labels, each, minlength=classes) + np.bincount(true, each, minlength=classes)
    return 2 * hits / np.where(either > 0, either, 1)


def regression_metrics(predicted: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> dict[str, float]:
    """Return mse, rmse, mae and r2, in float64; for several outputs the mean over all of them, equally weighted.

    If the truth is constant, r2 is 1 for a perfect prediction and otherwise 0, as in scikit-learn.

    Args:
        predicted, truth: (rows,) or (rows, outputs), at least one row.
        weights: as for `class_metrics`.

    Raises:
        ShapeError: the shapes do not match, or there are no rows.
    """
    values, true = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if values.shape != true.shape or values.ndim not in (1, 2) or not len(true):
        raise ShapeError(
            f"predicted and truth must both be (rows,) or (rows, outputs), with 1 row or more; "
            f"got {values.shape} and {true.shape}"
        )
    values, true = values.reshape(len(true), -1), true.reshape(len(true), -1)
    errors = _mean((values - true) ** 2, weights)
    spread = _mean((true - _mean(true, weights)) ** 2, weights)
    explained = np.where(errors == 0, 1.0, np.where(spread > 0, 1 - errors / np.where(spread > 0, spread, 1), 0.0))
    return {
        "mse": float(errors.mean()),
        "rmse": float(np.sqrt(errors.mean())),
        "mae": float(_mean(np.abs(values - true), weights).mean()),
        "r2": float(explained.mean()),
    }


def class_sums(
    probabilities: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None, *, stretch: int = 1
) -> Sums:
    """Sums from which `class_metrics` can be computed, for `resampling.compared`.

    Args:
        probabilities, truth, weights: as there.
        stretch: how many consecutive rows depend on each other, such as steps of a signal; they are resampled together.
    """
    return Outcomes.of(probabilities, truth).sums(weights, stretch=stretch)


def label_sums(
    predicted: ArrayLike, truth: ArrayLike, classes: int, lengths: ArrayLike, weights: ArrayLike | None = None
) -> Sums:
    """Per-sequence sums from which `label_metrics` can be computed: steps of one sequence are not independent.

    Fewer than 10 sequences are resampled in stretches of steps, because so few sequences say too little.

    Args:
        predicted, truth: (steps,), class indices of all sequences, concatenated.
        classes: how many classes there are.
        lengths: (sequences,), the number of steps of each.
        weights: (sequences,), what each of their steps counts; None if all count the same.
    """
    steps = np.asarray(lengths)
    each = np.repeat(_each(weights, len(steps)), steps)
    if len(steps) < _FEWEST_SEQUENCES:
        group, groups, units = grouped(len(each), stretch_of(len(each)), 1 + 2 * classes)
    else:
        units = len(steps)
        by_sequence, groups = units_of(units, 1 + 2 * classes)
        group = np.repeat(by_sequence, steps)
    counts = _label_counts(np.asarray(predicted), np.asarray(truth), classes, group, groups, each)
    return Sums(counts, _label_scores, units)


def regression_sums(
    predicted: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None, *, stretch: int = 1
) -> Sums:
    """Sums from which `regression_metrics` of one output can be computed; arguments (rows,), `stretch` as above."""
    said, true = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    each = _each(weights, len(true))
    centred = true - _mean(true, weights)  # centred first, so that the variance is not a small difference of large sums
    group, groups, units = grouped(len(true), stretch, 5)
    columns = (np.ones(len(true)), (said - true) ** 2, np.abs(said - true), centred, centred**2)
    sums = [np.bincount(group, weights=column * each, minlength=groups) for column in columns]
    return Sums(np.column_stack(sums), _regression_scores, units)


def _label_counts(
    predicted: NDArray[np.integer],
    truth: NDArray[np.integer],
    classes: int,
    group: NDArray[np.int64],
    groups: int,
    each: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Per group: rows, hits of each class, and true plus predicted occurrences of each class, (groups, sums).

    A row counts as much as `each` (rows,) says.
    """

    def counted(rows: Any, labels: NDArray[np.integer]) -> NDArray[Any]:
        places = group[rows] * classes + labels[rows]
        return np.bincount(places, each[rows], minlength=groups * classes).reshape(groups, classes)

    every = slice(None)
    rows = np.bincount(group, each, minlength=groups)
    either = counted(every, truth) + counted(every, predicted)
    return np.column_stack([rows, counted(predicted == truth, truth), either]).astype(np.float64)


def _label_scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    hits, either = np.split(sums[..., 1:], 2, axis=-1)
    f1 = 2 * hits / np.where(either > 0, either, 1)
    occurs, rows = np.maximum((either > 0).sum(axis=-1), 1), sums[..., 0]
    return {"accuracy": hits.sum(axis=-1) / np.where(rows > 0, rows, 1), "f1_macro": f1.sum(axis=-1) / occurs}


def _class_scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return _label_scores(sums[..., 1:]) | {"log_loss": sums[..., 0] / sums[..., 1]}


def _regression_scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    rows, squared, absolute, first, second = np.moveaxis(sums, -1, 0)
    spread = second - first**2 / rows
    explained = 1 - squared / np.where(spread > 0, spread, np.inf)
    mse = squared / rows
    flat = np.where(squared == 0, 1.0, 0.0)
    return {
        "mse": mse,
        "rmse": np.sqrt(mse),
        "mae": absolute / rows,
        "r2": np.where(spread > 0, explained, flat),
    }


def _mean(values: NDArray[Any], weights: ArrayLike | None) -> Any:
    """Return the mean over the rows of values (rows, ...)."""
    return values.mean(axis=0) if weights is None else np.average(values, axis=0, weights=np.asarray(weights))


def _each(weights: ArrayLike | None, rows: int) -> NDArray[np.float64]:
    return np.ones(rows) if weights is None else np.asarray(weights, np.float64)


def _true_class_probability(probabilities: NDArray[Any], truth: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the probability of each row's true class, clipped away from 0 and 1 for the logarithm."""
    # scikit-learn clips at the precision of the probabilities' own type.
    least = np.finfo(probabilities.dtype).eps
    return np.clip(probabilities[np.arange(len(truth)), truth].astype(np.float64), least, 1 - least)
