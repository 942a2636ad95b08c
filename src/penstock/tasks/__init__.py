"""Estimators, one task per file; a file is imported when its estimator is asked for. The table is `registry.TASKS`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from penstock.registry import TASKS, Column, Columns, Setting, Task, estimators, find, register

if TYPE_CHECKING:
    from penstock.tasks.classifier import Classifier
    from penstock.tasks.estimator import Estimator
    from penstock.tasks.regressor import Regressor
    from penstock.tasks.step_classifier import StepClassifier

# The estimators of Penstock's own tasks, and what estimators of others are made from.
_ESTIMATORS = estimators() | {
    "Classifier": "penstock.tasks.classifier",
    "Estimator": "penstock.tasks.estimator",
    "Regressor": "penstock.tasks.regressor",
    "StepClassifier": "penstock.tasks.step_classifier",
}

__all__ = [
    "TASKS",
    "Classifier",
    "Column",
    "Columns",
    "Estimator",
    "Regressor",
    "Setting",
    "StepClassifier",
    "Task",
    "find",
    "register",
]


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(import_module(_ESTIMATORS[name]), name)
    raise AttributeError(f"module 'penstock.tasks' has no attribute {name!r}")
