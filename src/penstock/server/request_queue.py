"""The queue of predict requests: one thread runs them, and waiting texts are combined into one batch."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import monotonic
from typing import Any

from penstock.errors import DataError, InputError
from penstock.runtime import Model

__all__ = ["TOGETHER", "BusyError", "Places", "RequestQueue"]

TOGETHER = 512
"""Texts in one batch."""
_MOST_BYTES = 64 << 20  # of an answer; an alignment is a table for each text
_PIECE_SECONDS = 0.05  # of rows that are made one by one, before other requests have their turn


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
    """Predict requests of all models, run one after the other by one thread.

    Streams have threads of their own, so a long file does not delay them.

    Args:
        places: the number of requests that may wait at once, and of large bodies that may be read at once.

    Attributes:
        places: taken by a request while it waits for its predictions.
        reading: taken by a request while its large body is read. This is separate, so that clients that send slowly do
            not block others.
    """

    def __init__(self, places: int) -> None:
        self.places, self.reading = Places(places), Places(places)
        self._thread = ThreadPoolExecutor(1, "predict")
        self._waiting: dict[Model, list[_Waiting]] = {}
        self._tasks: set[asyncio.Task[None]] = set()  # keeps references, because an unreferenced task may be collected

    async def run(self, work: Callable[[], Any]) -> Any:
        """Run `work()` in the queue's thread and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def answers(self, model: Model, inputs: Any) -> list[dict[str, Any]]:
        """Return the model's rows for these inputs; their bits do not depend on what else was in the batch."""
        if not (isinstance(inputs, list) and inputs and all(isinstance(one, str) for one in inputs)):
            return await self.run(lambda: list(model.answers(inputs)))
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if model in self._waiting:
            self._waiting[model].append((inputs, future))
        else:
            self._waiting[model] = [(inputs, future)]
            task = asyncio.create_task(self._answer_waiting(model))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def answers_in_turn(
        self, model: Model, inputs: Any, options: Mapping[str, Any], gone: Callable[[], Awaitable[bool]]
    ) -> list[dict[str, Any]] | None:
        """Return the model's rows, made between those of other requests; None if the client has `gone` meanwhile.

        Raises:
            DataError: the rows are too large for an answer.
        """
        answers: Callable[..., Iterator[dict[str, Any]]] = model.answers  # options are those of the model's task
        rows = await self.run(lambda: iter(answers(inputs, **options)))
        found: list[dict[str, Any]] = []
        size = 0
        while (more := await self.run(partial(_for_a_moment, rows))) is not None:
            found += more
            size += sum(len(json.dumps(row)) for row in more)
            if size > _MOST_BYTES:
                raise DataError(f"the answer would have more than {_MOST_BYTES} bytes. Send fewer inputs at a time.")
            if await gone():
                return None
        return found

    async def _answer_waiting(self, model: Model) -> None:
        waiting = self._waiting[model]
        try:
            while waiting:
                taken = _first(waiting)
                requests = [texts for texts, _ in taken]
                results = await self.run(partial(_answer_together, model, requests))
                for (_, future), answer in zip(taken, results, strict=True):
                    _resolve(future, answer)
        finally:
            del self._waiting[model]


_Waiting = tuple[list[str], "asyncio.Future[Any]"]


def _for_a_moment(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the rows that can be made in a short time, at least one; None if there is none."""
    end, found = monotonic() + _PIECE_SECONDS, []
    for row in rows:
        found.append(row)
        if monotonic() > end:
            break
    return found or None


def _first(waiting: list[_Waiting]) -> list[_Waiting]:
    """Remove the first request from the list, and following ones as long as their texts fit into one batch."""
    texts = count = 0
    while count < len(waiting) and (not count or texts + len(waiting[count][0]) <= TOGETHER):
        texts += len(waiting[count][0])
        count += 1
    taken = waiting[:count]
    del waiting[:count]
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
