"""What `metrics.json` holds of a classifier; the report shows it, and no number that isn't here.

task, penstock, labels      "classify", the version, the classes in order
valid, test                 rows, accuracy, f1_macro, log_loss of the network; test null without test data
baseline                    majority and tfidf, each {valid, test} with the same figures; tfidf has `settings` too
per_class                   {valid, test}: a list of {label, precision, recall, f1, rows}; per_class_baseline: the
                            same of tfidf
confusion                   part ("test", or "valid" without one), matrix: rows the truth, columns the answers
mistakes                    of that part, the surest first: text, label, prediction, probability of the prediction
curves, best_epoch, stopped each epoch's losses, validation accuracy, learning rate, seconds; which was kept; why it
                            ended
data                        train, valid, test: rows, tokens, classes; dropped: rows left out by reason;
                            vocabulary; truncated: training texts cut at max_length
configuration               the constructor's arguments; paths by their last name only
random_state                the seed that was used
seconds, training_seconds   wall time of fit, and of the loop in it
peak_mb                     the process's largest memory so far, 10^6 bytes
"""

import resource
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.metrics import class_metrics, f1_scores
from penstock.tasks.labelled import Part

__all__ = ["confusion_matrix", "mistakes", "peak_mb", "per_class", "scores"]

_MOST_MISTAKES = 20
_LONGEST_TEXT = 1000


def scores(probabilities: NDArray[Any], part: Part) -> dict[str, float]:
    """rows, accuracy, f1_macro and log_loss."""
    return {"rows": len(part), **class_metrics(probabilities, part.targets)}


def confusion_matrix(probabilities: NDArray[Any], targets: NDArray[np.int64]) -> list[list[int]]:
    """How often each class (rows) was answered by each (columns)."""
    classes = probabilities.shape[1]
    pairs = targets * classes + probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).tolist()


def per_class(probabilities: NDArray[Any], targets: NDArray[np.int64], labels: Sequence[Any]) -> list[dict[str, Any]]:
    """precision, recall, f1 and rows of each class; 0 where a figure isn't defined, as in scikit-learn."""
    matrix = np.array(confusion_matrix(probabilities, targets))
    hits, rows, answers = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    f1 = f1_scores(probabilities.argmax(axis=1), targets, len(labels))
    return [
        {
            "label": label,
            "precision": float(hits[k] / max(answers[k], 1)),
            "recall": float(hits[k] / max(rows[k], 1)),
            "f1": float(f1[k]),
            "rows": int(rows[k]),
        }
        for k, label in enumerate(labels)
    ]


def mistakes(probabilities: NDArray[Any], part: Part, labels: Sequence[Any]) -> list[dict[str, Any]]:
    """The wrong answers that were given with most confidence, the surest first; long texts are cut."""
    answers, surest = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(answers != part.targets)
    chosen = wrong[np.argsort(-surest[wrong], kind="stable")][:_MOST_MISTAKES]
    return [
        {
            "text": _cut(part.texts[row]),
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


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
