"""Trials in processes of their own, each with one thread; the search's process alone talks to the storage."""

import multiprocessing
import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from penstock.tasks.estimator import training_module
from penstock.threads import set_num_threads
from penstock.tuning.job import Job, Outcome

__all__ = ["Trials", "run_here", "run_in_processes"]

_EPOCH, _END = "epoch", "end"


class Trials(Protocol):
    """Hands trials out, and takes what becomes of them."""

    def begin(self) -> tuple[int, Mapping[str, Any]] | None:
        """Return the number and the options of the next trial; None if there is none left."""
        ...

    def note(self, number: int, epoch: Mapping[str, float]) -> bool:
        """Note an epoch of a trial, and return whether to prune it."""
        ...

    def end(self, number: int, outcome: Outcome) -> None:
        """Note the end of a trial."""
        ...


def run_here(trials: Trials, job: Job) -> None:
    """Run the trials one after the other in this process, with all of its threads."""
    while (begun := trials.begin()) is not None:
        number, options = begun

        def report(epoch: Mapping[str, float], number: int = number) -> bool:
            return trials.note(number, epoch)

        trials.end(number, job.run(options, report, speaks=number == 0))


def run_in_processes(trials: Trials, job: Job, workers: int) -> None:
    """Run up to `workers` trials at a time. A process that ends, for example for want of memory, fails its trial alone.

    Args:
        trials: hands the trials out.
        job: pickled for each process.
        workers: the number of processes.
    """
    idle: list[_Worker] = []
    busy: dict[Connection, tuple[_Worker, int]] = {}
    try:
        while True:
            while len(busy) < workers and (begun := trials.begin()) is not None:
                worker = idle.pop() if idle else _Worker(job)
                worker.send(*begun)
                busy[worker.connection] = worker, begun[0]
            if not busy:
                return
            for connection in wait(list(busy)):
                assert isinstance(connection, Connection)
                worker, number = busy[connection]
                try:
                    kind, content = connection.recv()
                    if kind == _EPOCH:
                        connection.send(trials.note(number, content))
                        continue
                    idle.append(worker)
                except (EOFError, ConnectionError):
                    content = Outcome(failure=worker.death())
                del busy[connection]
                trials.end(number, content)
    finally:
        for worker in [*idle, *(worker for worker, _ in busy.values())]:
            worker.stop()


class _Worker:
    """A process that runs trials."""

    def __init__(self, job: Job) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would take over threads that it does not have
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, job), daemon=True)
        self._process.start()
        theirs.close()

    def send(self, number: int, options: Mapping[str, Any]) -> None:
        """Start a trial; a process that has ended is noticed when it should answer."""
        try:
            self.connection.send((number, dict(options)))
        except ConnectionError:
            self._process.join()

    def death(self) -> str:
        """Return how the process ended."""
        self._process.join()
        code = self._process.exitcode or 0
        if code >= 0:
            return f"the process of the trial ended with exit code {code}"
        name = signal.Signals(-code).name
        return f"the process of the trial was ended by {name}" + (": too little memory?" if name == "SIGKILL" else "")

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, job: Job) -> None:
    """Run the trials that come through a connection, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the search ends its processes
    training_module()  # loads PyTorch, whose threads are set too
    set_num_threads(1)

    def report(epoch: Mapping[str, float]) -> bool:
        try:
            connection.send((_EPOCH, dict(epoch)))
            return bool(connection.recv())
        except (EOFError, ConnectionError):  # the search was killed
            os._exit(1)

    while True:
        try:
            number, options = connection.recv()
            connection.send((_END, job.run(options, report, speaks=number == 0)))
        except (EOFError, ConnectionError):
            return
