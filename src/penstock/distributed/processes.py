"""Processes of this machine that predict."""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue

from penstock.distributed import MOST_LOSSES
from penstock.distributed.predictor import Predictor
from penstock.errors import WorkerError

__all__ = ["predictors_here"]


@contextmanager
def predictors_here(content: bytes, workers: int) -> Iterator[Callable[[bytes], "Future[bytes]"]]:
    """Context with a function that has inputs predicted by one of several processes, which end with the context.

    Args:
        content: as of `Predictor`.
        workers: number of processes.
    """
    # A thread for each process, which waits for its answers: so none waits to send while its process does.
    with ThreadPoolExecutor(workers) as threads:
        processes = _Processes(content, workers)
        try:
            yield lambda inputs: threads.submit(processes.answer, inputs)
        finally:
            processes.end()


class _Processes:
    """Processes, each started when it is needed, and again when it was lost.

    Attributes:
        losses: how often one was.
    """

    def __init__(self, content: bytes, workers: int) -> None:
        self.losses = 0
        self._content, self._workers = content, workers
        self._free: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(workers):
            self._free.put(None)
        self._running: set[_Process] = set()
        self._changing = threading.Lock()
        self._ended = False

    def answer(self, inputs: bytes) -> bytes:
        """Return what a free process answers; WorkerError if processes were lost too often."""
        process = self._free.get()
        try:
            while True:
                process = process or self._started()
                try:
                    return process.answer(inputs)
                except (EOFError, OSError):
                    self._lose(process)
                    process = None
        finally:
            self._free.put(process)

    def end(self) -> None:
        """End all processes; what is still asked fails."""
        with self._changing:
            self._ended = True
            for process in self._running:
                process.end()

    def _started(self) -> "_Process":
        with self._changing:
            if self._ended:
                raise WorkerError("the prediction has ended")
            process = _Process(self._content, self._workers)
            self._running.add(process)
            return process

    def _lose(self, process: "_Process") -> None:
        with self._changing:
            self._running.discard(process)
            self.losses += 1
            if self.losses > MOST_LOSSES and not self._ended:
                raise WorkerError(
                    f"{process.lost()}, and {MOST_LOSSES} times before. Is there enough memory for {self._workers} "
                    "workers?"
                )


class _Process:
    """A process with a pipe to it."""

    def __init__(self, content: bytes, neighbours: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._end, end = context.Pipe()
        self._process: BaseProcess = context.Process(target=_predict, args=(content, neighbours, end), daemon=True)
        self._process.start()
        end.close()  # so that the pipe ends with the process

    def answer(self, inputs: bytes) -> bytes:
        """Return its answer; EOFError or OSError if it has ended."""
        self._end.send_bytes(inputs)
        return self._end.recv_bytes()

    def lost(self) -> str:
        """Say how it ended."""
        self._process.join()
        code = self._process.exitcode or 0
        return f"a worker was ended by {signal.Signals(-code).name}" if code < 0 else f"a worker ended with code {code}"

    def end(self) -> None:
        """End it."""
        self._process.kill()
        self._process.join()


def _predict(content: bytes, neighbours: int, end: Connection) -> None:
    """What a process does, until its pipe ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the process that started this one too
    predictor = Predictor(content, neighbours)
    while True:
        try:
            inputs = end.recv_bytes()
        except EOFError:
            return
        end.send_bytes(predictor(inputs))
