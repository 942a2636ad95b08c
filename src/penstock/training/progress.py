"""Who is told how a training goes; on a terminal, a bar. Without Rich, or elsewhere, there is none."""

import sys
from typing import Any, Protocol

from penstock.training.history import Epoch, History

__all__ = ["Bar", "Callback", "terminal_bar"]


class Callback(Protocol):
    """Told how a training goes."""

    def on_start(self, epochs: int) -> None:
        """Before the first step; at most `epochs` epochs follow."""
        ...

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        """After step `step` of `steps` (from 1) with `rows` sequences; `loss` is the epoch's mean so far."""
        ...

    def on_epoch(self, epoch: Epoch) -> None:
        """After an epoch and its validation."""
        ...

    def on_end(self, history: History) -> None:
        """After the last epoch, also when it ends by an error."""
        ...


def terminal_bar(title: str = "") -> "list[Callback]":
    """A `Bar` in a list, if standard error is a terminal and Rich is installed; else an empty list."""
    if not sys.stderr.isatty():
        return []
    try:
        return [Bar(title=title)]
    except ModuleNotFoundError as error:
        if error.name != "rich":
            raise
        return []


class Bar:
    """A line on standard error: epoch, loss, validation metrics, sequences per second, time left.

    Args:
        console: where to draw; a `rich.console.Console` on standard error by default.
        title: what is trained, where there is more than one training, like "teacher 1 of 3".
    """

    def __init__(self, console: Any = None, title: str = "") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            *([TextColumn(title, markup=False)] if title else []),
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]:.3f}{task.fields[valid]} · {task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
            transient=True,
        )

    def on_start(self, epochs: int) -> None:
        """Draw the bar."""
        self._epochs, self._rows = epochs, 0
        self._task = self._progress.add_task(
            "", total=None, epoch=0, epochs=epochs, loss=float("nan"), valid="", rate=0.0
        )
        self._progress.start()

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        """Move on."""
        self._rows += rows
        elapsed = self._progress.tasks[0].elapsed or 0.0
        done = (epoch - 1) * steps + step
        rate = self._rows / elapsed if elapsed else 0.0
        self._progress.update(self._task, completed=done, total=steps * self._epochs, epoch=epoch, loss=loss, rate=rate)

    def on_epoch(self, epoch: Epoch) -> None:
        """Show the validation's metrics."""
        valid = "".join(f" · validation {name} {value:.3f}" for name, value in epoch.valid.items())
        self._progress.update(self._task, valid=valid)

    def on_end(self, history: History) -> None:
        """Take the bar away."""
        self._progress.stop()
