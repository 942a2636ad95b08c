"""What the processes of a shared training say, told where the training was started."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from penstock.distributed import MOST_LOSSES
from penstock.distributed.worker import Message
from penstock.events import say
from penstock.training import Callback, Checkpoint, Epoch, History, Job
from penstock.training.weights import restore

__all__ = ["Reception"]

_LOGGER = logging.getLogger("penstock.distributed")


class Reception:
    """Takes the messages of processes, and ends like a training in this process.

    Callbacks hear of the start, each epoch and the end once, even if processes are replaced and do steps again.

    Args:
        job: the training; its module gets the weights at the end.
        callbacks: called in this process.

    Attributes:
        failures: the errors that processes ended with.
    """

    def __init__(self, job: Job, callbacks: Sequence[Callback]) -> None:
        self.failures: list[Exception] = []
        self._job, self._callbacks = job, callbacks
        self._seen = History()
        self._has_started = False
        self._trained: tuple[History, Mapping[str, np.ndarray]] | None = None

    def take(self, message: Message) -> None:
        """Take a message as `distributed.worker` describes it."""
        kind, *values = message
        getattr(self, f"_on_{kind}")(*values)

    def finish(self, follow: Callable[[], None], checkpoint: Checkpoint) -> History:
        """Call `follow`, which passes all messages to `take`, and return the history; the module has the weights.

        Ctrl-C ends the training with the best weights that the checkpoint has.

        Raises:
            KeyboardInterrupt: Ctrl-C before the checkpoint has an epoch.
            Exception: what `follow` raises.
        """
        try:
            try:
                follow()
            except KeyboardInterrupt:
                self._interrupted(checkpoint)
            assert self._trained is not None
            self._seen, weights = self._trained
            restore(self._job.module, {name: torch.from_numpy(each) for name, each in weights.items()})
            self._job.module.eval()
            return self._seen
        finally:
            if self._has_started:
                self._tell("on_end", self._seen)

    def say_lost(self, why: str, losses: int) -> None:
        """Say that all processes start again, from the last checkpoint."""
        text = f"{why}; the training goes on from the last checkpoint (restart {losses} of {MOST_LOSSES})"
        say(_LOGGER, "worker_lost", text, level=logging.WARNING, losses=losses)

    def _interrupted(self, checkpoint: Checkpoint) -> None:
        state = checkpoint.read()
        if state is None or not state["epochs"]:
            raise KeyboardInterrupt
        epochs = [Epoch.from_row(row) for row in state["epochs"]]
        seconds = sum(epoch.seconds for epoch in epochs)
        history = History(epochs, state["best_epoch"], "interrupted", seconds)
        self._trained = history, {name: each.numpy() for name, each in state["best"].items()}

    def _on_began(self, rank: int, size: int, process: int, host: str) -> None:
        text = f"worker {rank + 1} of {size}: process {process} on {host}"
        say(_LOGGER, "worker", text, level=logging.DEBUG, rank=rank, size=size, process=process, host=host)

    def _on_log(self, record: logging.LogRecord) -> None:
        record.thread = threading.get_ident()  # so that it counts as one of this `fit`
        logger = logging.getLogger(record.name)
        if logger.isEnabledFor(record.levelno):
            logger.handle(record)

    def _on_start(self, epochs: int) -> None:
        if not self._has_started:
            self._has_started = True
            self._tell("on_start", epochs)

    def _on_step(self, *progress: Any) -> None:
        self._tell("on_step", *progress)

    def _on_epoch(self, epoch: Epoch) -> None:
        if all(epoch.epoch > other.epoch for other in self._seen.epochs):
            self._seen.epochs.append(epoch)
            self._tell("on_epoch", epoch)

    def _on_trained(self, history: History, weights: Mapping[str, np.ndarray]) -> None:
        self._trained = history, weights

    def _on_failed(self, error: Exception) -> None:
        self.failures.append(error)

    def _tell(self, what: str, *news: Any) -> None:
        for callback in self._callbacks:
            getattr(callback, what)(*news)
