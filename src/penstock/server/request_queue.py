"""The queue of predict requests: threads that compute in turns, and waiting texts combined into one batch."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from penstock.errors import InputError
from penstock.runtime import Model
from penstock.server.turns import AbandonedError, Turns, Work

__all__ = ["TOGETHER", "BusyError", "Places", "RequestQueue"]

TOGETHER = 512
"""Texts in one batch."""
# Work in progress, each in a thread with the engine's memory for it; those of the short lane may turn out to be long.
_SHORT, _LONG = 8, 4


class BusyError(Exception):
    """The maximum number of requests is already waiting."""


class Places:
    """A number of places, each taken for the duration of a with statement; BusyError if none is free."""

    def __init__(self, places: int) -> None:
        self._free = places

    def __enter__(self) -> None:
        if not self._free:
            raise BusyError
        self._free -= 1

    def __exit__(self, *error: object) -> None:
        self._free += 1


class RequestQueue:
    """Predict requests of all models, run by threads that take turns; see `turns`.

    A caller that is cancelled ends its work at the next pause. Streams have threads of their own.

    Args:
        places: the number of requests that may wait at once, and of large bodies that may be read at once.

    Attributes:
        places: taken by a request while it waits for its predictions.
        reading: taken by a request while its large body is read. This is separate, so that clients that send slowly do
            not block others.
    """

    def __init__(self, places: int) -> None:
        self.places, self.reading = Places(places), Places(places)
        self._threads = {False: ThreadPoolExecutor(_SHORT, "short"), True: ThreadPoolExecutor(_LONG, "long")}
        self._turns = Turns()
        self._waiting: dict[Model, list[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # keeps references, because an unreferenced task may be collected
        self._works: set[Work] = set()  # in threads

    async def run(self, compute: Callable[[], Any], *, long: bool = False) -> Any:
        """Return the result of `compute()`, called in a thread when it is its turn; `long` if that takes long."""
        work = Work(long)
        try:
            return await self._start(work, compute)
        finally:
            work.ended.set()

    async def answers(self, model: Model, texts: list[str]) -> list[dict[str, Any]]:
        """Return the model's rows for a few texts; their bits do not depend on what else was in the batch."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if model in self._waiting:
            self._waiting[model].append((texts, future))
        else:
            self._waiting[model] = [(texts, future)]
            self._keep(self._answer_waiting(model))
        return await future

    def idle(self) -> bool:
        """Whether no thread computes or waits for its turn."""
        return not self._works

    def _start(self, work: Work, compute: Callable[[], Any]) -> "asyncio.Future[Any]":
        def run() -> Any:
            self._works.add(work)
            try:
                return self._turns.run(work, compute)
            finally:
                self._works.discard(work)

        return asyncio.get_running_loop().run_in_executor(self._threads[work.long], run)

    def _keep(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_waiting(self, model: Model) -> None:
        """Answer what waits in batches, one at a time in the short lane."""
        waiting = self._waiting[model]
        while taken := _first(waiting):
            left = asyncio.Event()
            self._keep(self._answer(model, taken, left))
            await left.wait()
        del self._waiting[model]

    async def _answer(self, model: Model, taken: "list[_Waiting]", left: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()
        work = Work(long=False, left=partial(loop.call_soon_threadsafe, left.set))

        def end_if_abandoned(_: object) -> None:
            if all(future.done() for _, future in taken):
                work.ended.set()

        for _, future in taken:
            future.add_done_callback(end_if_abandoned)
        try:
            results = await self._start(work, partial(_answer_together, model, [texts for texts, _ in taken]))
        except AbandonedError:
            return
        for (_, future), answer in zip(taken, results, strict=True):
            _resolve(future, answer)


_Waiting = tuple[list[str], "asyncio.Future[Any]"]


def _first(waiting: list[_Waiting]) -> list[_Waiting]:
    """Remove the first request from the list, and following ones as long as their texts fit into one batch.

    Requests that nobody waits for are removed too.
    """
    taken: list[_Waiting] = []
    texts = 0
    while waiting and (not taken or texts + len(waiting[0][0]) <= TOGETHER):
        request = waiting.pop(0)
        if not request[1].done():
            taken.append(request)
            texts += len(request[0])
    return taken


def _answer_together(model: Model, requests: list[list[str]]) -> list[Any]:
    """Return, for each request, its predictions or the exception."""
    try:
        rows = list(model.answers([text for texts in requests for text in texts]))
    except Exception as error:
        if len(requests) > 1 and isinstance(error, InputError):
            return [_answer_together(model, [texts])[0] for texts in requests]
        return [error] * len(requests)
    if len(requests) == 1:
        return [rows]
    if len(rows) != sum(map(len, requests)):  # not one row for each text, so rows can't be assigned
        return [_answer_together(model, [texts])[0] for texts in requests]
    remaining = iter(rows)
    return [[next(remaining) for _ in texts] for texts in requests]


def _resolve(future: "asyncio.Future[Any]", answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)
