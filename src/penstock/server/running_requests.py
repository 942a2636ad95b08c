"""Requests that are being answered: given up when the client has gone, after a deadline, and when the server stops."""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request

from penstock.server.failures import RequestError

__all__ = ["RunningRequests", "stopping"]

_AT_ONCE = 0.05  # seconds; only for longer work it is worth to watch whether the client has gone


class RunningRequests:
    """The requests of a server whose work can take long.

    Args:
        deadline_seconds: time for the work of a request, with its wait for others.
    """

    def __init__(self, deadline_seconds: float) -> None:
        self._seconds = deadline_seconds
        self._tasks: set[asyncio.Task[Any]] = set()
        self._given_up = False

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def give_up(self) -> None:
        """End all requests: their clients are told that the server stops."""
        self._given_up = True
        for task in self._tasks:
            task.cancel()

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the current task as a request.

        Raises:
            RequestError: the request was given up.
        """
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            yield
        except asyncio.CancelledError:
            if not self._given_up:
                raise
            task.uncancel()
            raise stopping() from None
        finally:
            self._tasks.discard(task)

    async def awaited(self, request: Request, answering: Coroutine[Any, Any, str]) -> str:
        """Return the answer, whose work is cancelled if it comes too late.

        Args:
            request: the request, with its body read.
            answering: makes the answer.

        Raises:
            RequestError: the deadline is over, or the client has gone.
        """
        work = asyncio.create_task(answering)
        gone: asyncio.Task[Any] | None = None
        try:
            async with asyncio.timeout(self._seconds):
                await asyncio.wait({work}, timeout=_AT_ONCE)
                if not work.done():
                    gone = asyncio.create_task(request.receive())  # type: ignore[arg-type]
                    await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            words = f"the work took more than {self._seconds:g} s. Send less at a time, or try again later."
            raise RequestError(503, "Deadline", words, {"retry-after": "1"}) from None
        finally:
            for task in filter(None, (gone, work)):
                task.cancel()
        if not work.done():
            raise RequestError(400, "Disconnected", "the client has gone")
        return work.result()


def stopping() -> RequestError:
    """Return what a client is told while the server stops."""
    return RequestError(503, "Stopping", "the server is stopping. Try again in a moment.", {"retry-after": "1"})
