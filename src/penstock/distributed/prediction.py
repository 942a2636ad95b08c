"""Predictions that several processes share, of this machine or of a Ray cluster."""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, Protocol

from penstock.distributed.cluster.prediction import predictors_on
from penstock.distributed.parcels import packed
from penstock.distributed.processes import predictors_here
from penstock.errors import PenstockError
from penstock.runtime import Model

__all__ = ["answers"]

_AHEAD = 2
"""Inputs for each process that are on their way; few enough for constant memory."""


class _Answer(Protocol):
    def result(self) -> bytes: ...


def answers(
    model: Model, several: Iterable[Any], settings: Mapping[str, Any], workers: int, on: str | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of `Model.answers` for each of several inputs, in their order, with the bits of one process.

    A process that is killed is replaced, and its inputs are predicted again.

    Args:
        model: the model; each process gets a copy.
        several: inputs as `Model.answers` takes them; they are read here, a few ahead of what is yielded.
        settings: options for `Model.answers`.
        workers: number of processes.
        on: address of a Ray cluster, as `check_address` takes it; None for this machine.

    Raises:
        ConfigError: the cluster can't be reached, or has too few CPUs.
        WorkerError: processes were lost more than three times.
        Exception: what reading or predicting raised, once the rows before were yielded.
    """
    content = packed(model, settings)
    opened: AbstractContextManager[Callable[[bytes], _Answer]]
    opened = predictors_here(content, workers) if on is None else predictors_on(on, content, workers)
    with opened as ask:
        waiting: deque[_Answer] = deque()
        for answer in _asked(ask, several):
            waiting.append(answer)
            if len(waiting) == _AHEAD * workers:
                yield _rows(waiting.popleft())
        while waiting:
            yield _rows(waiting.popleft())


def _asked(ask: Callable[[bytes], _Answer], several: Iterable[Any]) -> Iterator[_Answer]:
    """Ask for each; the answer to what can't be read is the error, whose turn comes after those before."""
    try:
        for inputs in several:
            yield ask(pickle.dumps(inputs))
    except PenstockError as error:
        failed: Future[bytes] = Future()
        failed.set_exception(error)
        yield failed


def _rows(answer: _Answer) -> list[dict[str, Any]]:
    found = pickle.loads(answer.result())  # noqa: S301  (of our own process)
    if isinstance(found, Exception):
        raise found
    rows: list[dict[str, Any]] = found
    return rows
