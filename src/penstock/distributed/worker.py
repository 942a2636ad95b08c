"""What each process of a shared training does, and what it tells the process that started it."""

import logging
import os
import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler
from typing import Any

import numpy as np

from penstock import engine
from penstock.errors import ConfigError
from penstock.training import Epoch, History, Job, Strategy, random_scope

__all__ = ["Message", "Send", "level", "pickled", "work"]

Message = tuple[Any, ...]
"""A kind and its values: "began", "log", "start", "step", "epoch", "trained" or "failed"."""
Send = Callable[[Message], None]

_LIBRARY, _TRAINING = "penstock", "penstock.training"


def work(job: Job, strategy: Strategy, send: Send, *, level: int, neighbours: int) -> None:
    """Take this process's part in a training.

    Each sends that it began, and the first one log records, the progress for callbacks, and at last its history and
    weights.

    Args:
        job: this process's own copy.
        strategy: this process's place among the others.
        send: sends a message to the process that started the training.
        level: the least level of log records to send.
        neighbours: processes of this training on this machine, which share its cores.
    """
    send(("began", strategy.rank, strategy.size, os.getpid(), socket.gethostname()))
    engine.set_num_threads(max(1, engine.get_num_threads() // neighbours))
    # Other numbers in each process: equal ones would drop out the same places of the rows that they share.
    seed, own = np.random.SeedSequence([job.seed, strategy.rank]).generate_state(2).tolist()
    generator = getattr(job.objective, "generator", None)
    if generator is not None:
        generator.manual_seed(own)
    with _logged(strategy.rank, send, level), random_scope(seed):
        history = job.run([_Told(send)] if strategy.rank == 0 else [], strategy)
    if strategy.rank == 0:
        send(("trained", history, {name: each.numpy() for name, each in job.module.state_dict().items()}))


def pickled(job: Job) -> bytes:
    """Return a job as bytes for other processes.

    Raises:
        ConfigError: it holds something that can't be copied, such as a function made inside another one.
    """
    try:
        return pickle.dumps(job)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ConfigError(f"this training can't be sent to workers: {error}. Train with workers=1.") from error


def level() -> int:
    """Return the least level of log records that somebody here reads."""
    return logging.getLogger(_TRAINING).getEffectiveLevel()


class _Told:
    """A callback that sends the progress on; the end is known where the training was started."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def on_start(self, epochs: int) -> None:
        self._send(("start", epochs))

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        self._send(("step", epoch, step, steps, rows, loss))

    def on_epoch(self, epoch: Epoch) -> None:
        self._send(("epoch", epoch))

    def on_end(self, history: History) -> None:
        pass


class _Records(QueueHandler):
    """Sends log records on."""

    def enqueue(self, record: logging.LogRecord) -> None:
        self.queue(("log", record))  # type: ignore[operator]


@contextmanager
def _logged(rank: int, send: Send, level: int) -> Iterator[None]:
    """Context in which the library's log records are sent by the first process, and dropped by the others."""
    logger = logging.getLogger(_LIBRARY)
    handler = _Records(send) if rank == 0 else logging.NullHandler()  # type: ignore[arg-type]
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.level, logger.propagate = before
