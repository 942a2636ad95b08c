"""What the command line and the report know of a task: one table of functions, filled in by the task's own file."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """A task from its files to its report.

    name: the word after `penstock train`
    summary: one line for people
    read: (path, **columns) -> the rows of a file, those unfit for use dropped and counted
    estimator: scikit-learn style, with fit, save, metrics_; the arguments of its constructor are the task's options
    network: (estimator, features, classes) -> the network's description
    loss: (estimator, data, generator) -> what the training loop minimises, a `training.Objective`
    metrics: (probabilities, truth) -> figures under scikit-learn's names
    baseline: (data, ...) -> what the network must beat, as arrays, and its settings
    report: metrics.json's content -> one HTML page
    """

    name: str
    summary: str
    read: Callable[..., Any]
    estimator: type
    network: Callable[..., Any]
    loss: Callable[..., Any]
    metrics: Callable[..., dict[str, float]]
    baseline: Callable[..., Any]
    report: Callable[[Mapping[str, Any]], str]
