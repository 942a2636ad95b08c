"""What `metrics.json` holds; a report shows it, and no number that isn't here.

task, penstock              the task's name, the version
valid, test                 rows and the task's metrics, of the network; test null without test data
baseline                    each baseline's {valid, test} with the same metrics by its name, and its `settings`
main_baseline               the name of the one that the model is judged by
units                       {valid, test}: independent cases: rows, sequences, or stretches of a horizon
interval                    {valid, test}: {metric: [low, high]}, 95 %; of each baseline under its name
verdict, difference         {valid, test}: beside the main baseline, see `runtime.resampling.compared`
curves, best_epoch, stopped each epoch's losses, validation figures, learning rate, seconds; which was kept; why it
                            ended
data                        train, valid, test: rows and more; dropped: rows left out by reason
configuration               the constructor's arguments; paths by their last name only
random_state                the seed that was used
seconds, training_seconds   wall time of fit, and of the training in it
stages                      title, epochs and seconds of each training, where a fit has several
peak_mb                     the process's largest memory so far, 10^6 bytes

A classifier's has these too:

labels                      the classes in order
per_class                   {valid, test}: a list of {label, precision, recall, f1, rows}; per_class_baseline: the
                            same of the main baseline
confusion                   part ("test", or "valid" without one), matrix: rows the truth, columns the answers
mistakes                    of that part, the surest first: label, prediction, probability of the prediction, and
                            what the task shows of the input

Where rows have weights, scores, intervals and per_class are weighted by them; confusion and `rows` count rows.

Where each step has a label, the same but for mistakes, which is empty, and `rows` of a class are its steps.

A regressor's has these too:

predicted                    part, truth, prediction: at most 200 rows of it, evenly spread over the sorted truths
errors                      of that part, the largest first: truth, prediction, and what the task shows of the input
"""

import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.metrics import (
    class_metrics,
    class_sums,
    f1_scores,
    label_metrics,
    label_sums,
    regression_metrics,
    regression_sums,
)
from penstock.runtime.resampling import Sums, compared
from penstock.tasks.labelled import Labelled, Part

if TYPE_CHECKING:
    from penstock.runtime import ClassModel, StepModel
    from penstock.runtime.regression_model import RegressionModel

__all__ = [
    "class_figures",
    "compare",
    "confusion_matrix",
    "mistakes",
    "peak_mb",
    "per_class",
    "regression_figures",
    "scores",
    "step_figures",
]

_MOST_MISTAKES = 20
_MOST_DRAWN = 200


def class_figures(
    model: "ClassModel", data: Labelled, shown: Callable[[Part, int], Mapping[str, Any]]
) -> dict[str, Any]:
    """The figures of a classifier beside those of its baselines.

    Args:
        model: the model that will answer.
        data: its parts `valid` and `test` are measured.
        shown: what `mistakes` shows of a row.
    """
    parts = data.measured()
    answers = {name: model.outputs(part.inputs) for name, part in parts.items()}
    judged = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"labels": data.labels, "valid": None, "test": None, "main_baseline": None}
    found |= {name: scores(answers[name], part) for name, part in parts.items()}
    found["per_class"] = {
        name: per_class(answers[name].argmax(axis=1), part.targets, data.labels, part.weights)
        for name, part in parts.items()
    }
    beside = {name: model.baseline_answers(part.inputs) for name, part in parts.items()}
    found["baseline"] = {
        baseline: {"valid": None, "test": None}
        | {name: scores(beside[name][baseline], part) for name, part in parts.items()}
        for baseline in beside[judged]
    }
    if main := next(iter(beside[judged]), None):
        found["main_baseline"] = main
        found["per_class_baseline"] = {
            name: per_class(beside[name][main].argmax(axis=1), part.targets, data.labels, part.weights)
            for name, part in parts.items()
        }
    for name, part in parts.items():
        others = {baseline: class_sums(each, part.targets, part.weights) for baseline, each in beside[name].items()}
        compare(found, name, class_sums(answers[name], part.targets, part.weights), others)
    predicted, truth = answers[judged].argmax(axis=1), parts[judged].targets
    found["confusion"] = {"part": judged, "matrix": confusion_matrix(predicted, truth, len(data.labels))}
    found["mistakes"] = mistakes(answers[judged], parts[judged], data.labels, shown)
    return found


def step_figures(model: "StepModel", data: Labelled) -> dict[str, Any]:
    """The figures of a model that labels steps beside those of its baselines, over all steps.

    Args:
        model: the model that will predict.
        data: its parts `valid` and `test` are measured; targets are `Sequences`.
    """
    parts = data.measured()
    judged = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"labels": data.labels, "valid": None, "test": None, "baseline": {}, "main_baseline": None}
    found |= {"per_class": {}, "per_class_baseline": {}, "mistakes": []}
    for name, part in parts.items():
        truth, classes = part.targets.values, len(data.labels)
        predicted = model.places(model.outputs(part.inputs))
        counts = None if part.weights is None else np.repeat(part.weights, part.targets.lengths)
        found[name] = {"rows": len(part), **label_metrics(predicted, truth, classes, counts)}
        found["per_class"][name] = per_class(predicted, truth, data.labels, counts)
        if name == judged:
            found["confusion"] = {"part": name, "matrix": confusion_matrix(predicted, truth, classes)}
        lengths, others = part.targets.lengths, {}
        for baseline, spread in model.baseline_answers(part.inputs).items():
            said = spread.argmax(axis=1)
            others[baseline] = label_sums(said, truth, classes, lengths, part.weights)
            place = found["baseline"].setdefault(baseline, {"valid": None, "test": None})
            place[name] = {"rows": len(part), **label_metrics(said, truth, classes, counts)}
            if found["main_baseline"] in (None, baseline):
                found["main_baseline"] = baseline
                found["per_class_baseline"][name] = per_class(said, truth, data.labels, counts)
        compare(found, name, label_sums(predicted, truth, classes, lengths, part.weights), others)
    return found


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
        others = {name: regression_sums(each[:, 0], part.targets[:, 0], part.weights) for name, each in beside.items()}
        compare(found, name, regression_sums(answers, part.targets[:, 0], part.weights), others)
        if name == judged:
            found["predicted"] = {"part": name, **_spread(answers, part.targets[:, 0])}
            found["errors"] = _largest_errors(answers, part, shown)
    return found


def compare(found: dict[str, Any], part: str, ours: Sums, baselines: Mapping[str, Sums]) -> None:
    """Put the intervals and verdicts of a part's scores into the figures that hold these.

    Args:
        found: the figures, with `baseline`.
        part: its name.
        ours, baselines: as for `runtime.resampling.compared`.
    """
    judgement = compared(ours, baselines)
    for name in ("units", "interval", "verdict", "difference"):
        found.setdefault(name, {"valid": None, "test": None})[part] = judgement[name]
    for baseline, intervals in judgement["baseline_intervals"].items():
        found["baseline"][baseline].setdefault("interval", {"valid": None, "test": None})[part] = intervals


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
    chosen = np.argsort(-np.abs(answers - part.targets[:, 0]), kind="stable")[:_MOST_MISTAKES]
    return [
        {**shown(part, row), "truth": float(part.targets[row, 0]), "prediction": float(answers[row])}
        for row in chosen.tolist()
    ]


def scores(probabilities: NDArray[Any], part: Part) -> dict[str, float]:
    """rows, accuracy, f1_macro and log_loss."""
    return {"rows": len(part), **class_metrics(probabilities, part.targets, part.weights)}


def confusion_matrix(predicted: NDArray[np.int64], targets: NDArray[np.int64], classes: int) -> list[list[int]]:
    """How often each class (rows) was predicted as each (columns); class numbers (rows,)."""
    return np.bincount(targets * classes + predicted, minlength=classes**2).reshape(classes, classes).tolist()


def per_class(
    predicted: NDArray[np.int64],
    targets: NDArray[np.int64],
    labels: Sequence[Any],
    weights: NDArray[np.float64] | None = None,
) -> list[dict[str, Any]]:
    """precision, recall, f1 and rows of each class; 0 where a figure isn't defined, as in scikit-learn."""
    classes, hit = len(labels), predicted == targets
    hits = np.bincount(targets[hit], None if weights is None else weights[hit], minlength=classes)
    truths, answers = (np.bincount(each, weights, minlength=classes) for each in (targets, predicted))
    rows = np.bincount(targets, minlength=classes)
    f1 = f1_scores(predicted, targets, classes, weights)
    return [
        {
            "label": label,
            "precision": float(hits[k] / (answers[k] or 1)),
            "recall": float(hits[k] / (truths[k] or 1)),
            "f1": float(f1[k]),
            "rows": int(rows[k]),
        }
        for k, label in enumerate(labels)
    ]


def mistakes(
    probabilities: NDArray[Any],
    part: Part,
    labels: Sequence[Any],
    shown: Callable[[Part, int], Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """The wrong answers that were given with most confidence, the surest first, with what `shown` says of the row."""
    answers, surest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != part.targets)
    chosen = wrong[np.argsort(-surest[wrong], kind="stable")][:_MOST_MISTAKES]
    return [
        {
            **shown(part, row),
            "label": labels[part.targets[row]],
            "prediction": labels[answers[row]],
            "probability": float(surest[row]),
        }
        for row in chosen.tolist()
    ]


def peak_mb() -> float:
    """The largest memory that this process has had so far, in 10^6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # Linux counts in 1024 bytes
