"""Streams of one model for an asyncio program: what arrives while the engine is at work makes its next batch.

One thread owns the model's streams. In each round it takes in what has arrived, then moves every stream that has steps
to read on by one of them, all together (continuous batching, as in Orca, Yu et al. 2022). An item of a thousand steps
so delays no other by more than its share, and each answer is, bit for bit, that of a stream alone.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime import Model

__all__ = ["Front", "Steps"]

_TOGETHER = 1024  # streams moved in one pass: large enough for the engine's peak, short enough to take in others soon


@dataclass(eq=False, slots=True)
class Steps:
    """What a stream of the pool has yet to read of an item.

    stream: its handle
    values: (steps, ...), features as `Scorer.vectors` reads them, at least one step
    answer: makes the answer of the head's outputs (outputs,) after the last step
    read: how many steps have been read
    """

    stream: int
    values: NDArray[Any]
    answer: Callable[[NDArray[np.float32]], Any]
    read: int = 0
    future: "asyncio.Future[Any]" = field(init=False)


class Front:
    """One model's streams, for one event loop.

    Args:
        model: its sequence streams share one pool; others work one after the other in the same thread.

    Attributes:
        pool: of the model's streams, to be touched inside `do` only; None where they can't be pooled.
        steps, passes: counted since the start.
        seconds: for which the engine was at work.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.pool = model.scorer.pool() if model.pools else None
        self.steps = self.passes = 0
        self.seconds = 0.0
        self._arrived: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._moving: deque[Steps] = deque()
        self._done: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, name="streams", daemon=True)

    def start(self) -> None:
        """Begin to work for the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """End the thread, after what has arrived."""
        self._arrived.put(None)
        await asyncio.to_thread(self._thread.join)

    async def do(self, work: Callable[[], Any]) -> Any:
        """What `work` returns, called in the thread of the streams; where it returns `Steps`, their answer."""
        assert self._loop is not None
        future = self._loop.create_future()
        self._arrived.put((work, future))
        return await future

    def _work(self) -> None:
        going = True
        while going or self._moving:
            going = self._take_in() and going
            if self._moving:
                self._pass()
            if self._done:
                done, self._done = self._done, []
                try:
                    assert self._loop is not None
                    self._loop.call_soon_threadsafe(_resolve, done)
                except RuntimeError:  # the loop has closed: nobody waits any more
                    return

    def _take_in(self) -> bool:
        """Begin what has arrived, waiting for it where nothing else is to be done; False if it is the end."""
        for _ in range(_TOGETHER):
            try:
                arrived = self._arrived.get(block=not self._moving and not self._done)
            except Empty:
                return True
            if arrived is None:
                return False
            self._begin(*arrived)
        return True

    def _begin(self, work: Callable[[], Any], future: "asyncio.Future[Any]") -> None:
        try:
            result = work()
        except BaseException as error:
            self._done.append((future, None, error))
            return
        if isinstance(result, Steps):
            result.future = future
            self._moving.append(result)
        else:
            self._done.append((future, result, None))

    def _pass(self) -> None:
        """One step for those whose turn it is; who has more to read goes to the end of the line."""
        # A caller that has gone (its connection closed) waits for nothing.
        together = [self._moving.popleft() for _ in range(min(len(self._moving), _TOGETHER))]
        together = [steps for steps in together if not steps.future.cancelled()]
        if not together:
            return
        assert self.pool is not None
        values = np.array([steps.values[steps.read] for steps in together])
        start = perf_counter()
        try:
            outputs = self.pool.step([steps.stream for steps in together], self.model.scorer.vectors(values))
        except Exception as error:
            self._done.extend((steps.future, None, error) for steps in together)
            return
        self.seconds += perf_counter() - start
        self.passes += 1
        self.steps += len(together)
        for steps, row in zip(together, outputs, strict=True):
            steps.read += 1
            if steps.read < len(steps.values):
                self._moving.append(steps)
            else:
                self._finish(steps, row)

    def _finish(self, steps: Steps, row: NDArray[np.float32]) -> None:
        try:
            self._done.append((steps.future, steps.answer(row), None))
        except Exception as error:
            self._done.append((steps.future, None, error))


def _resolve(done: list[tuple["asyncio.Future[Any]", Any, BaseException | None]]) -> None:
    for future, result, error in done:
        if future.cancelled():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
