"""The figures of a regressor: scores beside the baselines', residuals, the largest errors."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.metrics import regression_metrics, regression_sums
from penstock.tasks.labelled import Labelled, Part
from penstock.tasks.measures import compare

if TYPE_CHECKING:
    from penstock.runtime.regression_model import RegressionModel

__all__ = ["regression_figures", "residuals"]

_MOST_ERRORS = 20
_MOST_DRAWN = 200
_BINS = 30


def regression_figures(
    model: "RegressionModel", data: Labelled, shown: Callable[[Part, int], Mapping[str, Any]]
) -> dict[str, Any]:
    """The figures of a regressor beside those of its baselines.

    Args:
        model: the model that will answer.
        data: its parts `valid` and `test` are measured; targets are (rows, 1).
        shown: what `errors` shows of a row.
    """
    parts = data.measured()
    judged = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"valid": None, "test": None, "baseline": {}, "main_baseline": None}
    for name, part in parts.items():
        beside = model.baseline_answers(part.inputs)
        found["main_baseline"] = next(iter(beside), None)
        for baseline, answers in beside.items():
            place = found["baseline"].setdefault(baseline, {"valid": None, "test": None})
            place[name] = _number_scores(answers[:, 0], part)
        answers = model.outputs(part.inputs)[:, 0]
        found[name] = _number_scores(answers, part)
        stretch = model.stretch(len(part))
        sums = {
            who: regression_sums(each, part.targets[:, 0], part.weights, stretch=stretch)
            for who, each in {"": answers, **{who: each[:, 0] for who, each in beside.items()}}.items()
        }
        compare(found, name, sums.pop(""), sums)
        if name == judged:
            found["predicted"] = {"part": name, **_spread(answers, part.targets[:, 0])}
            found["residuals"] = {"part": name, **residuals(part.targets[:, 0] - answers)}
            found["errors"] = _largest_errors(answers, part, shown)
    return found


def residuals(left: NDArray[np.float64]) -> dict[str, Any]:
    """What is left of truths less predictions (rows,): mean, std, the median of their size, and a histogram.

    The histogram's bins are NumPy's "auto", at most 30; one bin where all residuals are alike.
    """
    bins = np.histogram_bin_edges(left, "auto")
    edges = bins if len(bins) <= _BINS + 1 else np.histogram_bin_edges(left, _BINS)
    counts, edges = np.histogram(left, edges)
    return {
        "mean": float(left.mean()),
        "std": float(left.std()),
        "median_absolute": float(np.median(np.abs(left))),
        "edges": edges.tolist(),
        "counts": counts.tolist(),
    }


def _number_scores(answers: NDArray[Any], part: Part) -> dict[str, float]:
    return {"rows": len(part), **regression_metrics(answers, part.targets[:, 0], part.weights)}


def _spread(answers: NDArray[Any], truth: NDArray[np.float64]) -> dict[str, list[float]]:
    """Truths in rising order with their answers, few enough to draw."""
    order = np.argsort(truth, kind="stable")
    chosen = order[np.unique(np.linspace(0, len(order) - 1, min(len(order), _MOST_DRAWN)).round().astype(int))]
    return {"truth": truth[chosen].tolist(), "prediction": answers[chosen].astype(float).tolist()}


def _largest_errors(
    answers: NDArray[Any], part: Part, shown: Callable[[Part, int], Mapping[str, Any]]
) -> list[dict[str, Any]]:
    chosen = np.argsort(-np.abs(answers - part.targets[:, 0]), kind="stable")[:_MOST_ERRORS]
    return [
        {**shown(part, row), "truth": float(part.targets[row, 0]), "prediction": float(answers[row])}
        for row in chosen.tolist()
    ]
