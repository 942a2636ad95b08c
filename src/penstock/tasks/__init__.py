"""Tasks: one estimator per file, and the table of them. An estimator's file is imported when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from penstock.tasks.table import TASKS, find, register
from penstock.tasks.task import Column, Columns, Task

if TYPE_CHECKING:
    from penstock.tasks.audio import AudioClassifier
    from penstock.tasks.classifier import Classifier
    from penstock.tasks.estimator import Estimator
    from penstock.tasks.forecast import Forecaster
    from penstock.tasks.regressor import Regressor
    from penstock.tasks.series import SeriesClassifier, SeriesRegressor
    from penstock.tasks.text import TextClassifier

_ESTIMATORS = {
    "AudioClassifier": "penstock.tasks.audio",
    "Classifier": "penstock.tasks.classifier",
    "Estimator": "penstock.tasks.estimator",
    "Forecaster": "penstock.tasks.forecast",
    "Regressor": "penstock.tasks.regressor",
    "SeriesClassifier": "penstock.tasks.series",
    "SeriesRegressor": "penstock.tasks.series",
    "TextClassifier": "penstock.tasks.text",
}

__all__ = [
    "TASKS",
    "AudioClassifier",
    "Classifier",
    "Column",
    "Columns",
    "Estimator",
    "Forecaster",
    "Regressor",
    "SeriesClassifier",
    "SeriesRegressor",
    "Task",
    "TextClassifier",
    "find",
    "register",
]


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(import_module(_ESTIMATORS[name]), name)
    raise AttributeError(f"module 'penstock.tasks' has no attribute {name!r}")
