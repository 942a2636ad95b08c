"""Progress of a training: callbacks, and messages of the logger `penstock.training`."""

import logging
import math
import time
from typing import Any, Protocol

from penstock.events import Steps, duration, peak_mb, say
from penstock.training.history import Epoch, History
from penstock.training.recipe import Recipe

__all__ = ["Callback", "TrainingLog"]

_LOGGER = logging.getLogger("penstock.training")
# When an estimate is made, and of how long a training it is worth a line.
_FIRST_STEPS, _FIRST_SECONDS, _LONG_SECONDS = 8, 5.0, 60.0


class Callback(Protocol):
    """Receives the progress of a training."""

    def on_start(self, epochs: int) -> None:
        """Called before the first step; at most `epochs` epochs follow."""
        ...

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        """Called after step `step` of `steps` (from 1), of `rows` rows; `loss` is the epoch's mean so far."""
        ...

    def on_epoch(self, epoch: Epoch) -> None:
        """Called after an epoch and its validation."""
        ...

    def on_end(self, history: History) -> None:
        """Called after the last epoch, even if an error ends the training."""
        ...


class TrainingLog:
    """Logs a line when a training starts, for each epoch and when it stops, and progress in between.

    Args:
        history: the history of the training.
        recipe: the settings of the training.
        title: the name of the training if there are several, such as "teacher 1 of 3".
    """

    def __init__(self, history: History, recipe: Recipe, title: str = "") -> None:
        self._history, self._recipe, self._title = history, recipe, title
        self._prefix = f"{title}: " if title else ""

    def on_start(self, epochs: int) -> None:
        """Log the start."""
        self._steps = Steps(_LOGGER, self._title or "training", None, "batches")
        self._began, self._rows, self._own, self._estimated = time.perf_counter(), 0, 0, False
        self._before = sum(epoch.seconds for epoch in self._history.epochs)
        patience, stops = self._recipe.patience, self._recipe.keep == "best"
        until = f", until {patience} in a row bring no lower validation loss" if stops and patience < epochs else ""
        limit = self._recipe.max_seconds
        within = "" if limit is None else f" and about {duration(limit)}"
        done = f"; {len(self._history.epochs)} are done" if self._history.epochs else ""
        say(
            _LOGGER,
            "training",
            f"{self._prefix or 'training: '}at most {epochs} epochs{within}{until}{done}",
            stage=self._title,
            epochs=epochs,
            patience=patience,
            max_seconds=limit,
            epochs_done=len(self._history.epochs),
        )

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        """Log an estimate after the first steps of a long training, and the progress from time to time."""
        epochs = self._recipe.epochs
        self._rows += rows
        self._own += 1
        total, done = steps * epochs, (epoch - 1) * steps + step
        limit = math.inf if self._recipe.max_seconds is None else self._recipe.max_seconds - self._before
        # Measured in this process: batches, and validations once an epoch has ended.
        elapsed = time.perf_counter() - self._began
        if not self._estimated and self._own >= _FIRST_STEPS and elapsed >= _FIRST_SECONDS:
            self._estimate(elapsed / self._own * steps, min(elapsed / self._own * (total - done), limit))
        if not self._steps.enabled:
            return
        rate = f"{self._rows / elapsed:,.0f} rows/s"
        self._steps.total = total
        self._steps.advance(
            done - self._steps.done,
            detail=f"epoch {epoch}/{epochs}, batch {step}/{steps}, loss {short(loss)}, {rate}",
            seconds_left=min(elapsed / self._own * (total - done), max(limit - elapsed, 0.0)),
        )

    def _estimate(self, epoch: float, left: float) -> None:
        """Log how long an epoch and the rest take at the speed so far, in seconds, if it is long."""
        self._estimated = True
        if left >= _LONG_SECONDS:
            say(
                _LOGGER,
                "estimate",
                f"{self._prefix}estimate: {duration(epoch)} an epoch, at most {duration(left)} left, without "
                f"validations; {peak_mb():,.0f} MB of memory so far",
                stage=self._title,
                epoch_seconds=epoch,
                seconds_left=left,
                peak_mb=peak_mb(),
            )

    def on_epoch(self, epoch: Epoch) -> None:
        """Log the results of an epoch."""
        epochs, before = self._recipe.epochs, [each.valid["loss"] for each in self._history.epochs[: epoch.epoch - 1]]
        best = all(epoch.valid["loss"] < loss for loss in before)
        valid = ", ".join(f"{name} {short(value)}" for name, value in epoch.valid.items())
        seconds = f"{epoch.seconds:.1f} s" if epoch.seconds < 60 else duration(epoch.seconds)
        row: dict[str, Any] = epoch.row()
        say(
            _LOGGER,
            "epoch",
            f"{self._prefix}epoch {epoch.epoch:>{len(str(epochs))}}/{epochs}: train loss {short(epoch.train_loss)}, "
            f"validation {valid}, {seconds}{', best so far' if best else ''}",
            stage=self._title,
            epochs=epochs,
            **row,
            best=best,
        )

    def on_end(self, history: History) -> None:
        """Remove the progress bar, if there is one."""
        self._steps.end()

    def on_stop(self) -> None:
        """Log why the training stopped, and which weights were kept."""
        history = self._history
        best, last = history.best, len(history.epochs)
        assert best is not None
        why = {
            "finished": f"stopped after epoch {last}, the last one",
            "no improvement": f"stopped after epoch {last}: no lower validation loss in {self._recipe.patience} epochs",
            "time": f"stopped at epoch {last}: the time limit of {duration(self._recipe.max_seconds or 0)} has passed",
            "interrupted": f"stopped in epoch {last + 1} by Ctrl-C",
        }[history.stopped]
        say(
            _LOGGER,
            "stopped",
            f"{self._prefix}{why}; kept epoch {best.epoch}, validation loss {short(best.valid['loss'])}",
            stage=self._title,
            reason=history.stopped,
            epochs_done=last,
            best_epoch=best.epoch,
            seconds=history.seconds,
        )


def short(value: float) -> str:
    """Format a loss or metric."""
    return f"{value:.3f}" if 0.01 <= abs(value) < 1000 or not value else f"{value:.3g}"
