"""A client's WebSocket with its stream: each message gets a reply, in order, until one side closes.

-> {"push": item}                  <- {"item": n, "answer": {...}}
-> {"push": item, "trace": true}   <- {"item": n, "answer": {...}, "trace": [step][layer]{gate: [values]}}
-> {"push": item, "next": 10}      <- {"item": n, "answer": {...}, "next": [{"token", "probability"}, ...]}
-> {"generate": {options}}         <- {"item": n, "answer": {...}} for each item that the model draws and reads,
                                      then {"item": n, "done": true}; with "next" as above
-> {"stop": true}                  <- {"item": n, "stopped": true}, after it has ended a `generate` before it
-> {"finish": true}                <- {"item": n, "answer": {...}, "finished": true}
-> {"save": true}                  <- {"item": n, "state": "<base64>"}
-> {"load": "<base64>"}            <- {"item": n, "loaded": true}
-> {"reset": true}                 <- {"item": 0, "reset": true}
-> binary: 16-bit samples          <- {"item": n, "answer": {...}}
                                   <- {"error": {"type", "message"}} if a message is invalid or fails
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from time import perf_counter
from typing import Any

from starlette.websockets import WebSocket

from penstock.errors import DataError
from penstock.server.failures import as_json, body_of, failure_of
from penstock.server.metrics import Metrics
from penstock.server.served_model import ServedModel
from penstock.server.stream_reader import Message, Reader, Reply, parsed

__all__ = ["StreamSession"]

_AHEAD = 8  # messages that are looked at during a `generate`; others wait where the limit on waiting ones counts them


class StreamSession:
    """One client's stream.

    Args:
        socket: the accepted WebSocket.
        served: the model.
        metrics: counts messages and errors.

    Attributes:
        heard: time of the last message, by the event loop's clock.
    """

    def __init__(self, socket: WebSocket, served: ServedModel, metrics: Metrics) -> None:
        self._socket, self._served, self._metrics = socket, served, metrics
        self._seconds = metrics.item_seconds.labels(served.name)
        self._items = metrics.items.labels(served.name)
        self._ending: tuple[int, str] | None = None
        self._waits = False
        self._seen: deque[dict[str, Any]] = deque()  # messages that arrived during a `generate`
        self._task = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        self.heard = self._loop.time()

    def end(self, code: int, reason: str) -> None:
        """Reply to the messages that have arrived, then close."""
        if self._ending is None:
            self._ending = code, reason
            if self._waits and self._task is not None:
                self._task.cancel()

    async def run(self) -> tuple[int, int, str]:
        """Reply until the end; return the number of items read, the close code and the reason."""
        reader = await self._served.backend.open()
        try:
            while (message := await self._next()) is not None:
                if message["type"] == "websocket.disconnect":
                    return reader.item, message.get("code", 1005), message.get("reason") or ""
                text = message.get("text")
                await self._answer(reader, message["bytes"] if text is None else text)
        finally:
            await reader.close()
        assert self._ending is not None
        code, reason = self._ending
        await self._socket.close(code, reason)
        return reader.item, code, reason

    async def _answer(self, reader: Reader, message: Message) -> None:
        """Send the replies to a message: one, or several if the model goes on with what it has read."""
        stop = last = False
        while not last:
            start = perf_counter()
            reply = await self._reply(reader, message, stop)
            last = reply.last
            if reply.text is not None:
                await self._socket.send({"type": "websocket.send", "text": reply.text})
                self._seconds.observe(perf_counter() - start)
                self._items.inc()
            stop = not last and await self._interrupted()

    async def _reply(self, reader: Reader, message: Message, stop: bool) -> Reply:
        try:
            return await reader.reply(message, stop=stop)
        except Exception as error:
            failure = failure_of(error)
            self._metrics.errors.labels(failure.kind).inc()
            return Reply(as_json(body_of(failure)), last=True)

    async def _next(self) -> Any:
        """Return the next message; None if the session is ending and no message is left."""
        if self._seen:
            return self._seen.popleft()
        if self._ending is None:
            self._waits = True
            try:
                message = await self._socket.receive()
            except asyncio.CancelledError:
                if self._ending is None or self._task is None or self._task.uncancel():
                    raise
                return None
            finally:
                self._waits = False
            self.heard = self._loop.time()
            return message
        return await self._arrived()

    async def _arrived(self) -> Any:
        """Return a message that has arrived already, else None."""
        try:
            async with asyncio.timeout(0):  # a message that has arrived is available at once
                return await self._socket.receive()
        except TimeoutError:
            return None

    async def _interrupted(self) -> bool:
        """Whether the client has asked to stop or has gone, or the session is ending."""
        if len(self._seen) < _AHEAD and (message := await self._arrived()) is not None:
            self._seen.append(message)
            self.heard = self._loop.time()
            if message["type"] == "websocket.disconnect" or _asks_to_stop(message):
                return True
        return self._ending is not None


def _asks_to_stop(message: Mapping[str, Any]) -> bool:
    text = message.get("text") or ""
    try:
        return len(text) < 80 and parsed(text) == {"stop": True}
    except DataError:
        return False
