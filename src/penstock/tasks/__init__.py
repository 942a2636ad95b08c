"""Tasks: one estimator per file, and the table of them. A task's file is imported when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from penstock.errors import ConfigError
from penstock.tasks.task import Task

if TYPE_CHECKING:
    from penstock.tasks.text import TextClassifier

TASKS = {"classify": "penstock.tasks.text"}
"""The module of each task, by the task's name; it has a `TASK`."""

_ESTIMATORS = {"TextClassifier": "penstock.tasks.text"}

__all__ = ["TASKS", "Task", "TextClassifier", "find"]


def find(name: str) -> Task:
    """The task of this name.

    Raises:
        ConfigError: there is none.
        MissingExtraError: it needs a package that isn't installed.
    """
    if name not in TASKS:
        raise ConfigError(f"there is no task {name!r}; there are: {', '.join(TASKS)}")
    return import_module(TASKS[name]).TASK


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(import_module(_ESTIMATORS[name]), name)
    raise AttributeError(f"module 'penstock.tasks' has no attribute {name!r}")
