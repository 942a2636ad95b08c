"""A training that several processes of this machine share."""

import multiprocessing
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from torch import distributed

from penstock.distributed import MOST_LOSSES
from penstock.distributed.reception import Reception
from penstock.distributed.strategy import Group
from penstock.distributed.worker import Message, level, pickled, work
from penstock.errors import PenstockError, WorkerError
from penstock.training import Callback, Checkpoint, History, Job

__all__ = ["train_here"]

_PATIENCE = 10.0
"""Seconds that other processes have to end, once one has."""
_LOG_LEVEL = "TORCH_CPP_LOG_LEVEL"
_LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


def train_here(job: Job, workers: int, callbacks: Sequence[Callback] = ()) -> History:
    """Train with processes of this machine; the job's module gets the weights.

    A process that is killed is replaced: all start again from the last checkpoint.

    Raises:
        WorkerError: processes were killed more than three times, or did not begin.
        KeyboardInterrupt: as `Trainer.fit`.
        Exception: what a process raised.
    """
    with TemporaryDirectory(prefix="penstock-") as name:
        folder = Path(name)
        job = replace(job, checkpoint=job.checkpoint or Checkpoint(folder / "checkpoint", ""))
        (folder / "job").write_bytes(pickled(job))
        reception = Reception(job, callbacks)
        assert job.checkpoint is not None
        return reception.finish(lambda: _follow(folder, workers, reception), job.checkpoint)


def _follow(folder: Path, workers: int, reception: Reception) -> None:
    """Start processes until a group of them ends without a loss."""
    for losses in range(MOST_LOSSES + 1):
        reception.failures.clear()
        group = _Processes(folder, workers, losses)
        try:
            group.follow(reception)
        finally:
            group.kill()
        lost = group.lost()
        if not lost:
            break
        if losses == MOST_LOSSES:
            raise WorkerError(f"{lost}, and {MOST_LOSSES} times before. Is there enough memory for {workers} workers?")
        reception.say_lost(lost, losses + 1)
    if reception.failures:  # the first one's own error, not that of those who waited for it
        raise min(reception.failures, key=lambda error: "gloo" in str(error))
    if group.codes != [0] * workers:
        raise WorkerError(
            "a worker did not begin. In a script, call fit below `if __name__ == '__main__':`, as each worker reads "
            "the script too."
        )


class _Processes:
    """Processes that share a training, and the pipes that their messages come through."""

    def __init__(self, folder: Path, workers: int, number: int) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would have the engine's threads as they happen to stand
        self.codes: list[int | None] = []
        self._processes: list[BaseProcess] = []
        self._pipes: list[Connection] = []
        for rank in range(workers):
            pipe, end = context.Pipe(duplex=False)
            process = context.Process(
                target=_process, args=(folder, number, rank, workers, level(), end), name=f"worker {rank}", daemon=True
            )
            self._pipes.append(pipe)
            self._processes.append(process)
            with _errors_only():
                process.start()
            end.close()  # so that the pipe ends with the process

    def follow(self, reception: Reception) -> None:
        """Take all messages, until every process has ended, or one has and the others keep waiting for it."""
        until = None
        while self._pipes:
            left = None if until is None else max(until - time.monotonic(), 0)
            ready = wait(self._pipes, left)
            if not ready:
                return
            for pipe in ready:
                assert isinstance(pipe, Connection)
                try:
                    message: Message = pickle.loads(pipe.recv_bytes())  # noqa: S301  (of our own process)
                except EOFError:
                    self._pipes.remove(pipe)
                    until = until or time.monotonic() + _PATIENCE
                else:
                    reception.take(message)

    def kill(self) -> None:
        """End the processes that are left, and note how all ended."""
        for process in self._processes:
            process.join(0.1 if self._pipes else _PATIENCE)
            self.codes.append(process.exitcode)
            process.kill()
        for process in self._processes:
            process.join()
        for pipe in self._pipes:
            pipe.close()

    def lost(self) -> str:
        """Say which process a signal ended; empty if none was."""
        for rank, code in enumerate(self.codes):
            if code is not None and code < 0:
                return f"worker {rank + 1} was ended by {signal.Signals(-code).name}"
        return ""


@contextmanager
def _errors_only() -> Iterator[None]:
    """Context whose processes hear of PyTorch's C++ part only errors.

    DistributedDataParallel would warn of `find_unused_parameters`, which an adaptive softmax needs, in each training.
    """
    if _LOG_LEVEL in os.environ:
        yield
        return
    os.environ[_LOG_LEVEL] = "ERROR"
    try:
        yield
    finally:
        del os.environ[_LOG_LEVEL]


def _process(folder: Path, number: int, rank: int, size: int, least: int, end: Connection) -> None:
    """What a process does."""

    def send(message: Message) -> None:
        end.send_bytes(pickle.dumps(message))

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the process that started this one too
    os.environ.setdefault("GLOO_SOCKET_IFNAME", _LOOPBACK)
    try:
        distributed.init_process_group("gloo", f"file://{folder}/meeting{number}", rank=rank, world_size=size)
        job = pickle.loads((folder / "job").read_bytes())  # noqa: S301  (in a folder of our own)
        work(job, Group(), send, level=least, neighbours=size)
    except Exception as error:
        if not isinstance(error, PenstockError):
            error.add_note(f"In worker {rank + 1} of {size}:\n{traceback.format_exc()}")
        send(("failed", error))
        sys.exit(1)
    distributed.destroy_process_group()
