"""Predictions beside their ground truth: what the scores of a model, and its comparison with others, follow from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.runtime.resampling import Sums, compared

__all__ = ["Judged", "evaluation", "required"]


@dataclass(frozen=True, eq=False)
class Judged:
    """Predictions of a model or a baseline, row by row.

    Attributes:
        metrics: the scores by name.
        sums: what the scores follow from, for `resampling.compared`.
        truth, predicted: (rows,) class indices, numbers or texts (of dtype object), or (rows, horizon) for forecasts,
            NaN for no truth.
        labels: the classes; empty for numbers.
        probabilities: (rows, classes), if each row has a probability of each class.
        names: what identifies each row, such as {"text": "..."}; empty if nothing but its number does.
        single: whether rows are independent of each other.
    """

    metrics: Mapping[str, float]
    sums: Sums
    truth: NDArray[Any]
    predicted: NDArray[Any]
    labels: Sequence[Any] = ()
    probabilities: NDArray[Any] | None = None
    names: Sequence[Mapping[str, Any]] = ()
    single: bool = True


def required(answers: Any) -> Any:
    """Return the ground truth; DataError if there is none."""
    if answers is None:
        raise DataError("models are compared by the ground truth of each input, and there is none. Give the answers.")
    return answers


def evaluation(ours: Judged, baselines: Mapping[str, Judged]) -> dict[str, Any]:
    """Return the result of `Model.evaluate`.

    Args:
        ours: the predictions of the model.
        baselines: those of its baselines by name, the main one first, for the same rows.
    """
    scores = {name: each.metrics for name, each in baselines.items()}
    return {
        "metrics": ours.metrics,
        "baseline": next(iter(scores.values()), {}),
        "baselines": scores,
        **compared(ours.sums, {name: each.sums for name, each in baselines.items()}),
    }
