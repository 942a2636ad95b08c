"""A training that processes on the machines of a Ray cluster share, by Ray Train.

The first process sends its messages and its checkpoints to an actor on the head
node, where this process fetches them: the cluster needs no folder that all of its machines share.
"""

import logging
import pickle
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from penstock.distributed import MOST_LOSSES
from penstock.distributed.cluster.connection import HEAD, check_cpus, connected, imported
from penstock.distributed.parcels import packed, unpacked
from penstock.distributed.reception import Reception
from penstock.distributed.strategy import Group
from penstock.distributed.worker import Message, level, pickled, work
from penstock.errors import BundleError, PenstockError, WorkerError
from penstock.events import say
from penstock.training import Callback, Checkpoint, History, Job

__all__ = ["train_on"]

_LOGGER = logging.getLogger("penstock.distributed")

_BETWEEN = 0.2
"""Seconds between two looks at the messages."""


def train_on(address: str, job: Job, workers: int, callbacks: Sequence[Callback] = ()) -> History:
    """Train with processes of a cluster; the job's module gets the weights.

    A process that is killed, or whose machine is, is replaced: all start again from the last checkpoint.

    Args:
        address: of the cluster, as `check_address` takes it.
        job: the training; its checkpoint is written here.
        workers: number of processes, as far as possible on different machines, each of which takes one CPU of Ray's.
        callbacks: called in this process.

    Raises:
        ConfigError: the cluster can't be reached, or has too few CPUs.
        WorkerError: processes were lost more than three times.
        KeyboardInterrupt: as `Trainer.fit`.
        Exception: what a process raised.
    """
    ray = imported()
    with TemporaryDirectory(prefix="penstock-") as folder:
        checkpoint = job.checkpoint or Checkpoint(Path(folder) / "checkpoint", "")
        reception = Reception(job, callbacks)
        with checkpoint.alone(), connected(ray, address):
            check_cpus(ray, workers)
            post = ray.remote(_Post).options(num_cpus=0, resources=HEAD).remote(checkpoint.content())
            parcel = packed(pickled(replace(job, checkpoint=None)), _settings(checkpoint))
            train = ray.remote(_train).options(num_cpus=0, resources=HEAD, max_retries=0)
            # In a list, as Ray would send the parcel itself to the task, which only passes them on.
            running = train.remote([ray.put(parcel)], post, workers, level())
            try:
                return reception.finish(lambda: _follow(ray, running, post, reception, checkpoint), checkpoint)
            finally:
                ray.cancel(running, force=True)
                ray.kill(post)


def _follow(ray: Any, running: Any, post: Any, reception: Reception, checkpoint: Checkpoint) -> None:
    """Take all messages and checkpoints until the training has ended."""
    number = 0
    done: list[Any] = []
    while not done:
        done, _ = ray.wait([running], timeout=_BETWEEN)
        several, newest = ray.get(post.take.remote())
        if newest != number:
            number = newest
            _write(checkpoint, ray.get(post.kept.remote()))
        for message in several:
            reception.take(pickle.loads(message))  # noqa: S301  (of our own process)
        if reception.failures:
            raise reception.failures[0]
    try:
        ray.get(running)
    except ray.exceptions.RayError as error:
        raise WorkerError(f"workers were lost more than {MOST_LOSSES} times: {error}") from error


def _write(checkpoint: Checkpoint, content: bytes) -> None:
    try:
        checkpoint.put(content)
    except BundleError as error:  # as in `Trainer`
        say(_LOGGER, "checkpoint", f"{error}. Training goes on without it.", level=logging.WARNING)


class _Post:
    """An actor on the head node, to which the first process sends what this process fetches."""

    def __init__(self, checkpoint: bytes | None) -> None:
        self._messages: list[bytes] = []
        self._checkpoint, self._number = checkpoint, 0

    def put(self, messages: list[bytes]) -> None:
        """Add messages."""
        self._messages += messages

    def take(self) -> tuple[list[bytes], int]:
        """Return the messages since the last call, and how many checkpoints there have been."""
        messages, self._messages = self._messages, []
        return messages, self._number

    def keep(self, checkpoint: bytes) -> None:
        """Replace the checkpoint."""
        self._checkpoint, self._number = checkpoint, self._number + 1

    def kept(self) -> bytes | None:
        """Return the last checkpoint."""
        return self._checkpoint


class _Posted(Group):
    """A group whose checkpoint outlives the machine of its first process."""

    def __init__(self, post: Any) -> None:
        super().__init__()
        self._post = post

    def save(self, checkpoint: Checkpoint, state: Mapping[str, Any]) -> None:
        """Write the state, and send it to the post."""
        super().save(checkpoint, state)
        if self.rank == 0:
            imported().get(self._post.keep.remote(checkpoint.path.read_bytes()))

    def load(self, checkpoint: Checkpoint) -> dict[str, Any] | None:
        """Read the state that the post has."""
        if self.rank == 0 and (content := imported().get(self._post.kept.remote())) is not None:
            checkpoint.put(content)
        return super().load(checkpoint)


class _Outbox:
    """Sends messages to the post: the steps of a moment together, and all before it returns from others."""

    def __init__(self, post: Any) -> None:
        self._post, self._sent = post, time.monotonic()
        self._messages: list[bytes] = []

    def send(self, message: Message) -> None:
        self._messages.append(pickle.dumps(message))
        if message[0] != "step" or time.monotonic() - self._sent >= _BETWEEN:
            imported().get(self._post.put.remote(self._messages))
            self._messages, self._sent = [], time.monotonic()


def _train(content: list[Any], post: Any, workers: int, least: int) -> None:
    """Let Ray Train start and replace the processes; runs on the head node."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    with TemporaryDirectory(prefix="penstock-") as folder:
        TorchTrainer(
            _process,
            train_loop_config={"content": content, "post": post, "least": least},
            torch_config=TorchConfig(backend="gloo"),
            scaling_config=ScalingConfig(num_workers=workers, placement_strategy="SPREAD"),
            run_config=RunConfig(storage_path=folder, failure_config=FailureConfig(max_failures=MOST_LOSSES)),
        ).fit()


def _process(config: Mapping[str, Any]) -> None:
    """What a process does; errors of Penstock's end the training, others and lost processes start it again."""
    from ray.train import get_context

    outbox = _Outbox(config["post"])
    try:
        content, settings = unpacked(imported().get(config["content"][0]))
        with TemporaryDirectory(prefix="penstock-") as folder:
            job = pickle.loads(content)  # noqa: S301  (of the process that started this one)
            job = replace(job, checkpoint=Checkpoint(Path(folder) / "checkpoint", **settings))
            neighbours = get_context().get_local_world_size()
            work(job, _Posted(config["post"]), outbox.send, level=config["least"], neighbours=neighbours)
    except PenstockError as error:
        outbox.send(("failed", error))


def _settings(checkpoint: Checkpoint) -> dict[str, Any]:
    return {name: getattr(checkpoint, name) for name in ("key", "every_steps", "every_seconds")}
