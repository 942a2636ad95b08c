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
import base64
import binascii
import json
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from time import perf_counter
from typing import Any

import numpy as np
from starlette.websockets import WebSocket

from penstock.errors import ConfigError, DataError
from penstock.runtime import Stream, Traces, notes
from penstock.server.drawing import Drawing, check_upcoming, upcoming
from penstock.server.failures import as_json, body_of, failure_of
from penstock.server.metrics import Metrics
from penstock.server.served_model import ServedModel

__all__ = ["StreamSession"]

_TRACED = 64  # maximum steps of a traced item; each is some thousand numbers
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
        self._item = 0
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
        stream = await self._served.scheduler.open()
        seconds = self._metrics.item_seconds.labels(self._served.name)
        items = self._metrics.items.labels(self._served.name)
        try:
            while (message := await self._next()) is not None:
                if message["type"] == "websocket.disconnect":
                    return self._item, message.get("code", 1005), message.get("reason") or ""
                start = perf_counter()
                async with aclosing(self._answers(stream, message)) as answers:
                    async for answer in answers:
                        await self._socket.send({"type": "websocket.send", "text": _text(answer)})
                        seconds.observe(perf_counter() - start)
                        items.inc()
                        start = perf_counter()
        finally:
            await self._served.scheduler.do(stream.close)
        assert self._ending is not None
        code, reason = self._ending
        await self._socket.close(code, reason)
        return self._item, code, reason

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

    async def _answers(self, stream: Stream, message: dict[str, Any]) -> AsyncGenerator[dict[str, Any] | str, None]:
        """Yield the replies to a message, some as JSON: one, or several if the model goes on with what it has read."""
        try:
            text = message.get("text")
            request = {"push": self._samples(message["bytes"])} if text is None else _parsed(text)
            if isinstance(request, dict) and "generate" in request:
                async with aclosing(self._generated(stream, request)) as answers:
                    async for answer in answers:
                        yield answer
            else:
                yield await self._do(stream, request, text)
        except Exception as error:
            failure = failure_of(error)
            self._metrics.errors.labels(failure.kind).inc()
            yield body_of(failure)

    async def _generated(self, stream: Stream, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """Yield a reply for each item that the model draws, until the last one or until the client wants no more."""
        scheduler = self._served.scheduler
        drawing = await scheduler.do(lambda: Drawing(stream, self._served.model.task, request))
        while not await self._interrupted() and (drawn := await scheduler.do(drawing.next)) is not None:
            self._item += 1
            yield {"item": self._item, **drawn}
        yield {"item": self._item, "done": True}

    async def _interrupted(self) -> bool:
        """Whether the client has asked to stop or has gone, or the session is ending."""
        if len(self._seen) < _AHEAD and (message := await self._arrived()) is not None:
            self._seen.append(message)
            self.heard = self._loop.time()
            if message["type"] == "websocket.disconnect" or _asks_to_stop(message):
                return True
        return self._ending is not None

    async def _do(self, stream: Stream, request: Any, text: str | None) -> dict[str, Any] | str:
        scheduler = self._served.scheduler
        match request:
            case {"push": item}:
                return await self._push(stream, item, request)
            case {"stop": True}:
                return {"item": self._item, "stopped": True}
            case {"finish": True}:
                return {"item": self._item, "answer": await scheduler.finish(stream), "finished": True}
            case {"save": True}:
                state = await scheduler.do(lambda: stream.save(item=self._item))
                return {"item": self._item, "state": base64.b64encode(state).decode()}
            case {"load": str(state)}:
                self._item = await scheduler.do(lambda: _load(stream, _decoded(state)))
                return {"item": self._item, "loaded": True}
            case {"reset": True}:
                await scheduler.do(stream.reset)
                self._item = 0
                return {"item": 0, "reset": True}
        raise ConfigError(
            'a message must be {"push": item}, {"generate": options}, {"stop": true}, {"finish": true}, '
            f'{{"save": true}}, {{"load": state}} or {{"reset": true}}; got {text!r:.80}'
        )

    async def _push(self, stream: Stream, item: Any, request: Mapping[str, Any]) -> dict[str, Any] | str:
        model, scheduler = self._served.model, self._served.scheduler
        most = request.get("next")
        if most is not None:  # refused before the item is read
            await scheduler.do(lambda: check_upcoming(stream, most))

        def read() -> Any:
            return model.piece(item) if isinstance(item, str) else item

        if request.get("trace") is not True:
            found = {"answer": await scheduler.push(stream, read)}
            self._item += 1
            return await self._told(stream, found, most)
        async with scheduler.tracing:
            prediction, traces = await scheduler.do(lambda: stream.trace(read(), most=_TRACED))
            self._item += 1
            found = await self._told(stream, {"answer": stream.as_json(prediction)}, most)
            return await asyncio.to_thread(lambda: as_json(found | {"trace": _rounded(traces)}))

    async def _told(self, stream: Stream, found: dict[str, Any], most: Any) -> dict[str, Any]:
        """Return the reply with the item's number, and what may come next if `most` asks for it."""
        following = {} if most is None else {"next": await self._served.scheduler.do(lambda: upcoming(stream, most))}
        return {"item": self._item, **found, **following}

    def _samples(self, data: bytes) -> Any:
        model = self._served.model
        if model.reads != "samples":
            raise DataError(f'a model for {model.task} does not read binary messages. Send {{"push": item}} as text.')
        if len(data) % 2:
            raise DataError(f"a binary message must have an even number of bytes (16-bit samples); got {len(data)}")
        return np.frombuffer(data, "<i2").astype(np.int16)


def _text(answer: dict[str, Any] | str) -> str:
    return answer if isinstance(answer, str) else as_json(answer)


def _load(stream: Stream, data: bytes) -> int:
    """Continue from a saved state; return the number of items it had read, which `penstock stream` calls `line`."""
    counters = notes(data)
    stream.load(data)
    return counters.get("item", counters.get("line", 0))


def _rounded(traces: Traces) -> list[Any]:
    """Convert to plain values: [step][layer]{name: [values]}, rounded; several rows are concatenated."""
    return [
        [
            {name: np.round(array.astype(np.float64), 4).ravel().tolist() for name, array in layer.items()}
            for layer in step
        ]
        for step in traces
    ]


def _asks_to_stop(message: Mapping[str, Any]) -> bool:
    text = message.get("text") or ""
    try:
        return len(text) < 80 and _JSON.decode(text) == {"stop": True}
    except ValueError:
        return False


def _parsed(text: str) -> Any:
    try:
        return _JSON.decode(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"a message must be JSON; got {text!r:.80}: {error}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


def _decoded(state: str) -> bytes:
    try:
        return base64.b64decode(state, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"a state must be base64, as returned by save: {error}") from error
