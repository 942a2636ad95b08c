"""What answers the messages of a stream, which are described in `stream_session`."""

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from penstock.errors import ConfigError, DataError
from penstock.runtime import Model, Stream, Traces, notes
from penstock.server.drawing import Drawing, check_upcoming, upcoming
from penstock.server.failures import as_json
from penstock.server.stream_scheduler import StreamScheduler

__all__ = ["Message", "Reader", "Reply", "StreamReader", "parsed"]

Message = str | bytes
"""JSON, or 16-bit samples."""

_TRACED = 64  # maximum steps of a traced item; each is some thousand numbers


@dataclass(frozen=True)
class Reply:
    """A reply to a message, which may have several.

    Attributes:
        text: the reply as JSON; None if none is ready yet, but more are to come.
        last: whether it is the last one to its message.
    """

    text: str | None
    last: bool


class Reader(Protocol):
    """Answers the messages of one stream, one after the other.

    Attributes:
        item: the number of items read.
    """

    item: int

    async def reply(self, message: Message, *, stop: bool = False) -> Reply:
        """Return the next reply to a message, until it was the last one, or raise instead of it.

        Args:
            message: the same until its last reply.
            stop: whether a `generate` is to end before its next item.

        Raises:
            InputError: the message is invalid; the stream does not change.
        """
        ...

    async def close(self) -> None:
        """Release what the stream holds."""
        ...


class StreamReader:
    """A `Reader` whose stream is in this process.

    Args:
        model: the model.
        scheduler: of the model's streams.
        stream: as `scheduler.open` returned it.

    Attributes:
        item: the number of items read.
    """

    def __init__(self, model: Model, scheduler: StreamScheduler, stream: Stream) -> None:
        self._model, self._scheduler, self._stream = model, scheduler, stream
        self._drawing: Drawing | None = None
        self.item = 0

    async def reply(self, message: Message, *, stop: bool = False) -> Reply:
        """Return the next reply, as `Reader` says."""
        if self._drawing is not None:
            return await self._drawn(stop)
        request = parsed(message) if isinstance(message, str) else {"push": self._samples(message)}
        if isinstance(request, dict) and "generate" in request:
            self._drawing = await self._scheduler.do(lambda: Drawing(self._stream, self._model.task, request))
            return Reply(None, last=False)
        found = await self._do(request, message)
        return Reply(found if isinstance(found, str) else as_json(found), last=True)

    async def close(self) -> None:
        """Release what the stream holds."""
        await self._scheduler.do(self._stream.close)

    async def save(self) -> bytes:
        """Return the stream's state, with the number of items."""
        state: bytes = await self._scheduler.do(lambda: self._stream.save(item=self.item))
        return state

    async def load(self, state: bytes) -> None:
        """Continue from a state; StateError if it is damaged or of another model."""
        self.item = await self._scheduler.do(lambda: _load(self._stream, state))

    async def _drawn(self, stop: bool) -> Reply:
        """Return the next item that the model draws, or that it has ended."""
        drawing, self._drawing = self._drawing, None
        assert drawing is not None
        drawn = None if stop else await self._scheduler.do(drawing.next)
        if drawn is None:
            return Reply(as_json({"item": self.item, "done": True}), last=True)
        self._drawing = drawing
        self.item += 1
        return Reply(as_json({"item": self.item, **drawn}), last=False)

    async def _do(self, request: Any, message: Message) -> dict[str, Any] | str:
        stream, scheduler = self._stream, self._scheduler
        match request:
            case {"push": item}:
                return await self._push(item, request)
            case {"stop": True}:
                return {"item": self.item, "stopped": True}
            case {"finish": True}:
                return {"item": self.item, "answer": await scheduler.finish(stream), "finished": True}
            case {"save": True}:
                return {"item": self.item, "state": base64.b64encode(await self.save()).decode()}
            case {"load": str(state)}:
                await self.load(_decoded(state))
                return {"item": self.item, "loaded": True}
            case {"reset": True}:
                await scheduler.do(stream.reset)
                self.item = 0
                return {"item": 0, "reset": True}
        raise ConfigError(
            'a message must be {"push": item}, {"generate": options}, {"stop": true}, {"finish": true}, '
            f'{{"save": true}}, {{"load": state}} or {{"reset": true}}; got {message!r:.80}'
        )

    async def _push(self, item: Any, request: Mapping[str, Any]) -> dict[str, Any] | str:
        stream, scheduler = self._stream, self._scheduler
        most = request.get("next")
        if most is not None:  # refused before the item is read
            await scheduler.do(lambda: check_upcoming(stream, most))

        def read() -> Any:
            return self._model.piece(item) if isinstance(item, str) else item

        if request.get("trace") is not True:
            found = {"answer": await scheduler.push(stream, read)}
            self.item += 1
            return await self._told(found, most)
        async with scheduler.tracing:
            prediction, traces = await scheduler.do(lambda: stream.trace(read(), most=_TRACED))
            self.item += 1
            found = await self._told({"answer": stream.as_json(prediction)}, most)
            return await asyncio.to_thread(lambda: as_json(found | {"trace": _rounded(traces)}))

    async def _told(self, found: dict[str, Any], most: Any) -> dict[str, Any]:
        """Return the reply with the item's number, and what may come next if `most` asks for it."""
        following = {} if most is None else {"next": await self._scheduler.do(lambda: upcoming(self._stream, most))}
        return {"item": self.item, **found, **following}

    def _samples(self, data: bytes) -> Any:
        if self._model.reads != "samples":
            raise DataError(
                f'a model for {self._model.task} does not read binary messages. Send {{"push": item}} as text.'
            )
        if len(data) % 2:
            raise DataError(f"a binary message must have an even number of bytes (16-bit samples); got {len(data)}")
        return np.frombuffer(data, "<i2").astype(np.int16)


def parsed(text: str) -> Any:
    """Return what JSON holds; DataError if it is none."""
    try:
        return _JSON.decode(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"a message must be JSON; got {text!r:.80}: {error}") from error


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


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)


def _decoded(state: str) -> bytes:
    try:
        return base64.b64decode(state, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"a state must be base64, as returned by save: {error}") from error
