"""One trial: a training with some options, followed epoch by epoch, that ends with a value or the reason for none."""

import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from penstock.checks import check_one_of
from penstock.errors import DataWarning, InputError

if TYPE_CHECKING:
    from penstock.tasks import Estimator
    from penstock.training import Callback, Epoch, History

__all__ = ["Data", "Job", "Outcome", "Report"]

Report = Callable[[Mapping[str, float]], bool]
"""Takes the row of an epoch, and returns whether the trial should end there."""

_OWN = "penstock.tuning"
_IN_TRIALS = {"baseline": False, "checkpoint": None, "examples": 0, "verbose": 0, "warm_start": False}


@dataclass(frozen=True)
class Data:
    """What an estimator is trained on.

    Attributes:
        method: the estimator's method that trains, "fit" or "fit_rows".
        given: its arguments by name, without the test data.
        test_name: the name of its argument for the test data.
        test: the test data; None if there is none.
    """

    method: str
    given: Mapping[str, Any]
    test_name: str
    test: Any = None

    def without_test(self) -> "Data":
        """Return the data that trials see."""
        return replace(self, test=None)

    def train(self, estimator: "Estimator", callbacks: "list[Callback]") -> None:
        """Train an estimator."""
        getattr(estimator, self.method)(**self.given, **{self.test_name: self.test}, callbacks=callbacks)


@dataclass(frozen=True)
class Outcome:
    """How a trial ended.

    Attributes:
        value: the metric on the validation data, with the weights that were kept; None if the trial did not get so far.
        failure: why it failed; empty if it did not.
        is_input: whether an error of the input, such as an invalid option, made it fail.
    """

    value: float | None = None
    failure: str = ""
    is_input: bool = False


@dataclass(frozen=True)
class Job:
    """What all trials of a search share.

    Attributes:
        estimator: the estimator, whose options a trial changes.
        data: the data, without a test part.
        metric: the name of the metric on the validation data.
    """

    estimator: "Estimator"
    data: Data
    metric: str

    def run(self, options: Mapping[str, Any], report: Report, *, speaks: bool = False) -> Outcome:
        """Train with some options.

        Args:
            options: the options of the trial.
            report: called after each epoch.
            speaks: whether the training's warnings are shown.
        """
        estimator = clone(self.estimator).set_params(**{**_IN_TRIALS, **options})
        try:
            with _quiet(logging.WARNING if speaks else logging.ERROR):
                self.data.train(estimator, [_Follower(self.metric, report)])
        except _Ended as ended:
            return Outcome(ended.value)
        except Exception as error:
            return Outcome(failure=f"{type(error).__name__}: {error}", is_input=isinstance(error, InputError))
        raise AssertionError("a training calls `on_end`")


class _Ended(Exception):  # noqa: N818  # no error: the end of a trial
    """Ends a training before the model is measured, which a trial has no use for."""

    def __init__(self, value: float | None) -> None:
        super().__init__()
        self.value = value


class _Follower:
    """A callback that reports each epoch, and ends the trial."""

    def __init__(self, metric: str, report: Report) -> None:
        self._metric, self._report = metric, report

    def on_start(self, epochs: int) -> None:
        """Do nothing."""

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        """Do nothing."""

    def on_epoch(self, epoch: "Epoch") -> None:
        """Report the epoch; end the trial if it should be pruned."""
        check_one_of("metric", self._metric, epoch.valid)
        if self._report(epoch.row()):
            raise _Ended(None)

    def on_end(self, history: "History") -> None:
        """End the trial with the value of the weights that were kept."""
        if history.stopped == "interrupted":
            raise KeyboardInterrupt
        if sys.exception() is None and history.best is not None:
            raise _Ended(history.best.valid[self._metric])


@contextmanager
def _quiet(level: int) -> Iterator[None]:
    """Context in which the library says nothing below a level, and of data that was already judged nothing at all."""
    known = {name for name in logging.root.manager.loggerDict if name.startswith("penstock.")}
    loggers = [logging.getLogger(name) for name in known - {_OWN} | {"penstock.training"}]  # which may come later
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(level)
    try:
        with warnings.catch_warnings():
            if level > logging.WARNING:
                warnings.simplefilter("ignore", DataWarning)
            yield
    finally:
        for logger, old in zip(loggers, before, strict=True):
            logger.setLevel(old)
