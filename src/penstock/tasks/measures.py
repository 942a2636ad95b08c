"""The contents of `metrics.json`; a report shows only numbers from this file.

task, penstock              the task's name, the version
made                        date (UTC), versions, machine: see `tasks.provenance.made`
command, call               the shell command that reproduces it, if it was made by one, and the Python call
network, parameters         the network's description, and the number of trained parameters
valid, test                 rows and the task's metrics for the network; test is null without test data
baseline                    for each baseline by name: {valid, test} with the same metrics, and its `settings`
main_baseline               the name of the one that the model is judged by
units                       {valid, test}: independent cases: rows, sequences, or stretches of a horizon
interval                    {valid, test}: {metric: [low, high]}, 95 %; those of a baseline are under its name
verdict, difference         {valid, test}: against the main baseline, see `runtime.resampling.compared`; those against
                            each baseline are under its name
curves, best_epoch, stopped for each epoch the minimised loss, metrics of the validation rows and of some training
                            rows, learning rate, seconds; the epoch that was kept; why training ended: "finished",
                            "no improvement", "time" (the last epoch may be a part of one), "interrupted" or "diverged"
gradients                   how the loss's gradient got back through a few training sequences after the last epoch:
                            verdict ("vanishes", "explodes" or "fine"), ratio, reach, steps, see
                            `training.gradient_watch.Flow`; null if it was not measured
input                       of rows that lie on disk: wait_seconds that steps waited for their input, step_seconds of
                            these steps, share; of this process; null for rows in memory
memory                      of the validation rows, see `inspection.memory.memory_figures`: how far back predictions
                            depend on the input; empty if it could not be measured
data                        train, valid, test: rows and more; dropped: rows left out by reason; changed: what readers
                            changed, by kind; digest: SHA-256 of the training rows; columns, sources: the columns read;
                            file, bytes and sha256 of each part
configuration               the constructor's arguments; paths by their last name only
options                     the same as used: values that depend on the data are resolved
random_state                the seed
seconds, training_seconds   wall time of fit, and of the training in it
stages                      title, epochs, seconds and why it stopped, of each training, if a fit has several
peak_mb                     the process's peak memory so far, 10^6 bytes

Additional entries of a classifier:

labels                      the classes in order; those of the matrix, where `confusion` has no `labels` of its own
per_class                   {valid, test}: a list of {label, precision, recall, f1, rows, interval};
                            per_class_baseline: the same for the main baseline
confusion                   part ("test", or "valid" without one); matrix: rows are ground truth, columns predictions;
                            pairs: label, prediction, rows, share of the label's rows, the most often confused first
mistakes                    of that part, the most confident first: label, prediction, probability of the prediction,
                            and the task's fields for the input; of the first ones also `attribution`, what mattered
                            for the prediction, by occlusion: scores, and for texts tokens and gaps
reliability                 part, and the result of `runtime.probabilities.reliability`
two_classes                 for the second of two classes: part, label, the result of
                            `runtime.probabilities.two_classes`, the same for the main `baseline`, and the
                            `best_threshold` of the validation rows; null without exactly two classes

If rows have weights, scores, intervals and per_class are weighted; all other figures count rows.

If each step has a label, `mistakes` is empty, and `rows` of a class counts its steps.

Additional entries of a regressor:

predicted                   part, truth, prediction: at most 200 rows of it, evenly spaced in the sorted ground truth
residuals                   part, mean, std, median_absolute of truth minus prediction; counts between edges
errors                      of that part, the largest first: truth, prediction, the task's fields for the input, and
                            `attribution` as in `mistakes`
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.metrics import class_metrics, class_sums
from penstock.runtime.per_class import per_class
from penstock.runtime.probabilities import best_threshold, reliability, two_classes
from penstock.runtime.resampling import Sums, compared
from penstock.tasks.labelled import Labelled, Part

if TYPE_CHECKING:
    from penstock.runtime import ClassModel

__all__ = [
    "class_figures",
    "compare",
    "confusion",
    "confusion_matrix",
    "mistakes",
    "scores",
]

_MOST_MISTAKES, _MOST_PAIRS = 20, 15


def class_figures(
    model: "ClassModel", data: Labelled, shown: Callable[[Part, int], Mapping[str, Any]]
) -> dict[str, Any]:
    """Measure a classifier and its baselines.

    Args:
        model: the trained model.
        data: the data; its parts `valid` and `test` are measured.
        shown: returns the fields that `mistakes` holds for a row.
    """
    parts = data.measured()
    answers = {name: model.outputs(part.inputs) for name, part in parts.items()}
    judged = "test" if data.test is not None else "valid"
    found: dict[str, Any] = {"labels": data.labels, "valid": None, "test": None, "main_baseline": None}
    found |= {name: scores(answers[name], part) for name, part in parts.items()}
    found["per_class"] = {
        name: per_class(answers[name].argmax(axis=1), part.targets, data.labels, part.weights, model.stretch(len(part)))
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
            name: per_class(
                beside[name][main].argmax(axis=1), part.targets, data.labels, part.weights, model.stretch(len(part))
            )
            for name, part in parts.items()
        }
    for name, part in parts.items():
        stretch = model.stretch(len(part))
        sums = {
            who: class_sums(each, part.targets, part.weights, stretch=stretch)
            for who, each in {"": answers[name], **beside[name]}.items()
        }
        compare(found, name, sums.pop(""), sums)
    predicted, truth = answers[judged].argmax(axis=1), parts[judged].targets
    stretch = model.stretch(len(truth))
    found["reliability"] = {"part": judged, **reliability(answers[judged], truth, stretch=stretch)}
    found["two_classes"] = _two_classes(answers, beside, parts, data.labels, judged, stretch)
    found["confusion"] = confusion(judged, predicted, truth, data.labels)
    found["mistakes"] = mistakes(answers[judged], parts[judged], data.labels, shown)
    return found


def _two_classes(
    answers: Mapping[str, NDArray[Any]],
    beside: Mapping[str, Mapping[str, NDArray[Any]]],
    parts: Mapping[str, Part],
    labels: Sequence[Any],
    judged: str,
    stretch: int,
) -> dict[str, Any] | None:
    """Return the curves for the second of two classes, of the model and the main baseline; None if undefined."""
    positive = parts[judged].targets == 1
    if len(labels) != 2 or positive.all() or not positive.any():
        return None
    found = {
        "part": judged,
        "label": labels[1],
        "baseline": None,
        **two_classes(answers[judged][:, 1], positive, stretch=stretch),
    }
    main = next(iter(beside[judged].values()), None)
    if main is not None:
        found["baseline"] = two_classes(main[:, 1], positive, stretch=stretch)
    # The threshold is chosen on the validation rows, so that figures on the test rows stay unbiased.
    chosen = parts["valid"].targets == 1
    found["best_threshold"] = best_threshold(answers["valid"][:, 1], chosen) if chosen.any() else None
    return found


def compare(found: dict[str, Any], part: str, ours: Sums, baselines: Mapping[str, Sums]) -> None:
    """Add the intervals and verdicts of a part's scores to the figures.

    Args:
        found: the figures, with `baseline`; changed in place.
        part: the name of the part.
        ours, baselines: the arguments of `runtime.resampling.compared`.
    """
    judgement = compared(ours, baselines)
    for name in ("units", "interval", "verdict", "difference"):
        found.setdefault(name, {"valid": None, "test": None})[part] = judgement[name]
    for name in ("interval", "verdict", "difference"):
        for baseline, each in judgement[f"baseline_{name}s"].items():
            found["baseline"][baseline].setdefault(name, {"valid": None, "test": None})[part] = each


def scores(probabilities: NDArray[Any], part: Part) -> dict[str, float]:
    """Return rows, accuracy, f1_macro and log_loss."""
    return {"rows": len(part), **class_metrics(probabilities, part.targets, part.weights)}


def confusion(
    part: str, predicted: NDArray[np.int64], truth: NDArray[np.int64], labels: Sequence[Any]
) -> dict[str, Any]:
    """Return the confusion matrix of a part, and the pairs of classes that are confused most often."""
    matrix = np.array(confusion_matrix(predicted, truth, len(labels)))
    wrong = matrix - np.diag(np.diag(matrix))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_PAIRS]
    pairs = [
        {"label": labels[row], "prediction": labels[column], "rows": count, "share": count / int(matrix[row].sum())}
        for row, column in zip(*(each.tolist() for each in np.unravel_index(order, matrix.shape)), strict=True)
        if (count := int(wrong[row, column]))
    ]
    return {"part": part, "matrix": matrix.tolist(), "pairs": pairs}


def confusion_matrix(predicted: NDArray[np.int64], targets: NDArray[np.int64], classes: int) -> list[list[int]]:
    """Count how often each class (rows) was predicted as each class (columns); the inputs are class numbers (rows,)."""
    return np.bincount(targets * classes + predicted, minlength=classes**2).reshape(classes, classes).tolist()


def mistakes(
    probabilities: NDArray[Any],
    part: Part,
    labels: Sequence[Any],
    shown: Callable[[Part, int], Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Return the most confident wrong predictions, the most confident first, with the fields from `shown`."""
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
