"""Predictions that processes on the machines of a Ray cluster share, by Ray Data.

Inputs go to an actor on the head node, and rows come back by it: files are read and written here, and the cluster needs
no folder that all of its machines share. Ray Data runs on the head node, so that it works through any address. It
passes the inputs to processes, keeps the order, holds few at a time, and replaces what is lost.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from penstock.distributed import MOST_LOSSES
from penstock.distributed.cluster.connection import HEAD, check_cpus, connected, imported, machines
from penstock.distributed.predictor import Predictor
from penstock.errors import WorkerError

__all__ = ["predictors_on"]

_SECONDS = 1.0
"""Time to wait for an answer, until the next look whether the prediction still goes on."""


@contextmanager
def predictors_on(address: str, content: bytes, workers: int) -> Iterator[Callable[[bytes], "_Answer"]]:
    """Context with a function that has inputs predicted by processes of a cluster, which end with the context.

    Args:
        address: of the cluster, as `check_address` takes it.
        content: as of `Predictor`.
        workers: number of processes, as far as possible on different machines, each of which takes one CPU of Ray's.

    Raises:
        ConfigError: the cluster can't be reached, or has too few CPUs.
    """
    ray = imported()
    with connected(ray, address):
        check_cpus(ray, workers)
        post = ray.remote(_Post).options(num_cpus=0, resources=HEAD).remote()
        predict = ray.remote(_predict).options(num_cpus=0, resources=HEAD, max_retries=0)
        running = predict.remote(post, content, workers, -(-workers // machines(ray)))
        try:
            yield _Sender(ray, post, running)
        finally:
            ray.cancel(running, force=True)
            ray.kill(post)


class _Sender:
    """Sends inputs to the post, and fetches answers from it."""

    def __init__(self, ray: Any, post: Any, running: Any) -> None:
        self._ray, self._post, self._running = ray, post, running
        self._sent = 0
        self._arrived: dict[int, bytes] = {}

    def __call__(self, inputs: bytes) -> "_Answer":
        number, self._sent = self._sent, self._sent + 1
        self._got(self._post.give.remote(inputs))
        return _Answer(self, number)

    def fetched(self, number: int) -> bytes:
        """Return an answer once it is there; WorkerError if it can't come any more."""
        while number not in self._arrived:
            ended, _ = self._ray.wait([self._running], timeout=0)
            self._arrived |= self._got(self._post.take.remote())
            if ended and number not in self._arrived:
                self._got(self._running)
        return self._arrived.pop(number)

    def _got(self, reference: Any) -> Any:
        try:
            return self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            raise WorkerError(f"the cluster can't go on, as after {MOST_LOSSES} losses of a worker: {error}") from error


class _Answer:
    """An answer that comes."""

    def __init__(self, sender: _Sender, number: int) -> None:
        self._sender, self._number = sender, number

    def result(self) -> bytes:
        """Wait for it, and return it."""
        return self._sender.fetched(self._number)


class _Post:
    """An actor on the head node that has the inputs until they are answered, and the answers until they are fetched."""

    def __init__(self) -> None:
        self._given = 0
        self._inputs: dict[int, bytes] = {}
        self._answers: dict[int, bytes] = {}
        self._changed = asyncio.Condition()

    async def give(self, inputs: bytes) -> None:
        """Add inputs, which get the next number."""
        async with self._changed:
            self._inputs[self._given] = inputs
            self._given += 1
            self._changed.notify_all()

    async def inputs(self, number: int) -> bytes:
        """Return the inputs of a number once they are there; nothing if they were answered, as nobody asks again."""
        async with self._changed:
            await self._changed.wait_for(lambda: number < self._given)
            return self._inputs.get(number, b"")

    async def answer(self, number: int, rows: bytes) -> None:
        """Add the answer to the inputs of a number."""
        async with self._changed:
            if self._inputs.pop(number, None) is not None:
                self._answers[number] = rows
                self._changed.notify_all()

    async def take(self) -> dict[int, bytes]:
        """Return the answers since the last call, by number; none if none comes in a moment."""
        async with self._changed:
            try:
                async with asyncio.timeout(_SECONDS):
                    await self._changed.wait_for(lambda: self._answers)
            except TimeoutError:
                return {}
            answers, self._answers = self._answers, {}
            return answers


class _Batches:
    """Predicts the batches of Ray Data, each of one row: inputs with their number."""

    def __init__(self, content: bytes, neighbours: int) -> None:
        self._predictor = Predictor(content, neighbours)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"number": batch["number"], "rows": [self._predictor(bytes(batch["inputs"][0]))]}


def _predict(post: Any, content: bytes, workers: int, neighbours: int) -> None:
    """Let Ray Data predict what the post gets, until this is cancelled; runs on the head node."""
    from ray.data import DataContext, read_datasource

    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # else inputs wait until there are many
    predicted = read_datasource(
        _posted(post), override_num_blocks=1, num_cpus=0, ray_remote_args={"resources": HEAD}
    ).map_batches(
        _Batches,
        batch_size=None,
        concurrency=workers,
        num_cpus=1,
        fn_constructor_args=(content, neighbours),
        max_restarts=MOST_LOSSES,
    )
    for batch in predicted.iter_batches(batch_size=1, prefetch_batches=0, batch_format="pyarrow"):
        imported().get(post.answer.remote(batch["number"][0].as_py(), batch["rows"][0].as_py()))


def _posted(post: Any) -> Any:
    """Return what the post gets as a source of Ray Data: one task on the head node, which reads on and on.

    If it has to read again, it gives the same blocks.
    """
    from pyarrow import table
    from ray.data import Datasource, ReadTask
    from ray.data.block import BlockMetadata

    def read() -> Iterator[Any]:
        number = 0
        while True:
            yield table({"number": [number], "inputs": [imported().get(post.inputs.remote(number))]})
            number += 1

    class Posted(Datasource):
        def get_read_tasks(self, *_: Any, **__: Any) -> list[Any]:
            unknown = BlockMetadata(num_rows=None, size_bytes=None, input_files=None, exec_stats=None)
            return [ReadTask(read, unknown)]

        def estimate_inmemory_data_size(self) -> int | None:
            return None

    return Posted()
