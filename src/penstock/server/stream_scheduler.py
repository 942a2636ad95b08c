"""Schedules the streams of one model for an asyncio program; items that arrive while the engine works form a batch.

One thread owns the model's streams. In each round it takes the items that have arrived, then advances every stream that
has steps to read by one step, all in one batch (continuous batching, as in Orca, Yu et al. 2022). So an item of a
thousand steps hardly delays others, and each prediction has the bits of a stream alone. Streams that can't be pooled
read a part of their item in turn.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from penstock.runtime import Model, PooledStream, Stream

__all__ = ["StreamScheduler"]

_LAST_SECONDS = 1.0  # for the part that is computed when the scheduler stops
_TOGETHER = 1024  # streams per pass: enough for peak throughput, few enough to admit new items soon


@dataclass(eq=False, slots=True)
class Moving:
    """A stream of the pool that is reading an item.

    Attributes:
        stream: the stream.
        values: (steps, ...), the item as `Scorer.vectors` reads it, at least one step.
        read: the number of steps already read.
        future: receives the prediction.
    """

    stream: PooledStream
    values: NDArray[Any]
    read: int = 0
    future: "asyncio.Future[Any]" = field(init=False)


class StreamScheduler:
    """The streams of one model, for one event loop.

    Args:
        model: the model; its streams share one pool if possible, otherwise they run one after the other.

    Attributes:
        pool: the pool of the model's streams, to be used only inside `do`; None if they cannot be pooled.
        steps, passes: counters since the start.
        seconds: the time that the engine has computed.
        tracing: held by whoever traces an item, some thousand numbers a step: one after the other, in the order of
            asking, so that items without a trace wait for one at most.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.pool = model.scorer.pool() if model.pools else None
        self.steps = self.passes = 0
        self.seconds = 0.0
        self.tracing = asyncio.Lock()
        self._arrived: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        self._moving: deque[Moving] = deque()
        self._reading: deque[tuple[Generator[None, None, Any], asyncio.Future[Any]]] = deque()
        self._done: list[tuple[asyncio.Future[Any], Any, BaseException | None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._work, name="streams", daemon=True)

    def start(self) -> None:
        """Start the thread for the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> bool:
        """Stop the thread after the items that have arrived that somebody waits for; whether it ended in time."""
        self._arrived.put(None)
        await asyncio.to_thread(self._thread.join, _LAST_SECONDS)
        return not self._thread.is_alive()

    async def open(self) -> Stream:
        """Open a stream; ConfigError if the model cannot be streamed. Use it only through the methods here."""
        return await self.do(self._new)

    async def push(self, stream: Stream, item: Callable[[], Any]) -> dict[str, Any]:
        """Return the prediction after an item, for JSON; `item` makes the item, in the streams' thread."""
        if self.pool is None:
            return await self.do(lambda: _in_parts(stream, item))
        pooled = cast(PooledStream, stream)
        return await self.do(lambda: self._through(pooled, pooled.begin(item())))

    async def finish(self, stream: Stream) -> dict[str, Any]:
        """Return the prediction for the whole input, for JSON."""
        if self.pool is None:
            return await self.do(lambda: stream.as_json(stream.finish()))
        pooled = cast(PooledStream, stream)
        return await self.do(lambda: self._through(pooled, pooled.begin_end()))

    async def do(self, work: Callable[[], Any]) -> Any:
        """Run `work` in the streams' thread and return its result."""
        assert self._loop is not None
        future = self._loop.create_future()
        self._arrived.put((work, future))
        return await future

    def _new(self) -> Stream:
        return self.model.stream() if self.pool is None else PooledStream(self.model, self.pool)

    def _through(self, stream: PooledStream, values: NDArray[Any]) -> Any:
        """Return a `Moving` for the steps that an item needs; the prediction if there are no steps."""
        return Moving(stream, values) if len(values) else stream.as_json(stream.so_far())

    def _work(self) -> None:
        going = True
        while going or self._moving or self._reading:
            going = self._take_in() and going
            if self._moving:
                self._pass()
            if self._reading:
                self._read_on()
            if self._done:
                done, self._done = self._done, []
                try:
                    assert self._loop is not None
                    self._loop.call_soon_threadsafe(_resolve, done)
                except RuntimeError:  # the loop is closed, so no caller is waiting
                    return

    def _take_in(self) -> bool:
        """Start the work that has arrived, waiting for it if there is nothing else to do; False at the end."""
        for _ in range(_TOGETHER):
            try:
                arrived = self._arrived.get(block=not self._moving and not self._reading and not self._done)
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
        if isinstance(result, Moving):
            result.future = future
            self._moving.append(result)
        elif isinstance(result, Generator):
            self._reading.append((result, future))
        else:
            self._done.append((future, result, None))

    def _pass(self) -> None:
        """Advance the first streams in the queue by one step; those with more to read go to its end."""
        # A cancelled future belongs to a closed connection.
        together = [self._moving.popleft() for _ in range(min(len(self._moving), _TOGETHER))]
        together = [moving for moving in together if not moving.future.cancelled()]
        if not together:
            return
        assert self.pool is not None
        values = np.array([moving.values[moving.read] for moving in together])
        start = perf_counter()
        try:
            outputs = self.pool.step([moving.stream.handle for moving in together], self.model.scorer.vectors(values))
        except Exception as error:
            self._done.extend((moving.future, None, error) for moving in together)
            return
        self.seconds += perf_counter() - start
        self.passes += 1
        self.steps += len(together)
        for moving, row in zip(together, outputs, strict=True):
            moving.read += 1
            if moving.read < len(moving.values):
                self._moving.append(moving)
            else:
                self._finish(moving, row)

    def _read_on(self) -> None:
        """Let the first stream that reads an item alone read a part of it; if there is more, it goes to the end."""
        parts, future = self._reading.popleft()
        if future.cancelled():
            return
        try:
            next(parts)
        except StopIteration as end:
            self._done.append((future, end.value, None))
        except BaseException as error:
            self._done.append((future, None, error))
        else:
            self._reading.append((parts, future))

    def _finish(self, moving: Moving, row: NDArray[np.float32]) -> None:
        stream = moving.stream
        try:
            self._done.append((moving.future, stream.as_json(stream.decode(row)), None))
        except Exception as error:
            self._done.append((moving.future, None, error))


def _in_parts(stream: Stream, item: Callable[[], Any]) -> Generator[None, None, dict[str, Any]]:
    """Read an item part by part; return the prediction after it, for JSON."""
    return stream.as_json((yield from stream.push_in_parts(item())))


def _resolve(done: list[tuple["asyncio.Future[Any]", Any, BaseException | None]]) -> None:
    for future, result, error in done:
        if future.cancelled():
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
