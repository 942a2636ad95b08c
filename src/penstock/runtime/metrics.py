"""How good class probabilities and numbers are, under scikit-learn's names and with its values, in NumPy."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import ShapeError


def class_metrics(probabilities: ArrayLike, truth: ArrayLike) -> dict[str, float]:
    """accuracy, f1_macro and log_loss; of equal probabilities the first class counts as the answer.

    Args:
        probabilities: (rows, classes), at least one row.
        truth: (rows,), the index of each row's class.

    Raises:
        ShapeError: the two do not fit each other, or there are no rows.
    """
    given, true = np.asarray(probabilities), np.asarray(truth)
    if given.ndim != 2 or true.shape != given.shape[:1] or not len(true):
        raise ShapeError(
            f"probabilities must be (rows, classes) and truth (rows,), with 1 row or more; "
            f"got {given.shape} and {true.shape}"
        )
    # scikit-learn clips at the precision of the probabilities' own type.
    least = np.finfo(given.dtype).eps
    chosen = np.clip(given[np.arange(len(true)), true].astype(np.float64), least, 1 - least)
    metrics = label_metrics(given.argmax(axis=1), true, given.shape[1])
    return metrics | {"log_loss": float(-np.log(chosen).mean())}


def label_metrics(predicted: ArrayLike, truth: ArrayLike, classes: int) -> dict[str, float]:
    """accuracy and f1_macro, over the classes that occur.

    Args:
        predicted, truth: (rows,), class indices, at least one row.
        classes: how many classes there are.

    Raises:
        ShapeError: the two do not fit each other, or there are no rows.
    """
    said, true = np.asarray(predicted), np.asarray(truth)
    if said.ndim != 1 or said.shape != true.shape or not len(true):
        raise ShapeError(f"predicted and truth must both be (rows,), 1 or more; got {said.shape} and {true.shape}")
    f1 = f1_scores(said, true, classes)
    occurs = np.zeros(classes, bool)
    occurs[said] = occurs[true] = True
    return {"accuracy": float((said == true).mean()), "f1_macro": float(f1[occurs].mean())}


def f1_scores(predicted: ArrayLike, truth: ArrayLike, classes: int) -> NDArray[np.float64]:
    """The F1 score of each class, (classes,), and 0 for one that is neither there nor predicted.

    Args:
        predicted, truth: (rows,), class indices.
        classes: how many classes there are.
    """
    said, true = np.asarray(predicted), np.asarray(truth)
    hits = np.bincount(true[said == true], minlength=classes)
    either = np.bincount(said, minlength=classes) + np.bincount(true, minlength=classes)
    return 2 * hits / np.maximum(either, 1)


def regression_metrics(predicted: ArrayLike, truth: ArrayLike) -> dict[str, float]:
    """mse, rmse, mae and r2, in float64; of several outputs the mean over them all, each with the same weight.

    Where the truth is constant, r2 is 1 for a perfect answer and else 0, as in scikit-learn.

    Args:
        predicted, truth: (rows,) or (rows, outputs), at least one row.

    Raises:
        ShapeError: the two do not fit each other, or there are no rows.
    """
    said, true = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if said.shape != true.shape or said.ndim not in (1, 2) or not len(true):
        raise ShapeError(
            f"predicted and truth must both be (rows,) or (rows, outputs), with 1 row or more; "
            f"got {said.shape} and {true.shape}"
        )
    errors = ((said - true) ** 2).reshape(len(true), -1).mean(axis=0)
    spread = true.reshape(len(true), -1).var(axis=0)
    explained = np.where(errors == 0, 1.0, np.where(spread > 0, 1 - errors / np.where(spread > 0, spread, 1), 0.0))
    return {
        "mse": float(errors.mean()),
        "rmse": float(np.sqrt(errors.mean())),
        "mae": float(np.abs(said - true).mean()),
        "r2": float(explained.mean()),
    }
