"""Streams of a server's models: one connection, and one that lasts beyond lost connections."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from penstock.client.messages import named_error, to_json
from penstock.errors import PenstockError, ServerError

__all__ = ["LastingStream", "RemoteStream"]

_AGAIN = frozenset({1001, 1006, 1011, 1012, 1013, 408, 503})
"""Codes after which reconnecting makes sense: gone, cut off, failed, restarted, full; and HTTP's for late and full."""
_Result = TypeVar("_Result")


class RemoteStream:
    """One stream of a server; concurrent calls run one after the other. Made by `Client.stream`.

    Every method raises ServerError if the connection is lost or no reply comes in time. Cancelling a call closes the
    connection too, because its reply could otherwise be taken for that of the next call.

    Attributes:
        item: the number of items read since the stream's start, also restored by `load`.
    """

    def __init__(self, socket: ClientConnection, timeout: float) -> None:
        self._socket, self._timeout, self.item = socket, timeout, 0
        self._turn = asyncio.Lock()

    async def push(self, item: Any) -> dict[str, Any]:
        """Return the prediction after this item: a text, a number or a list of numbers, or bytes of 16-bit samples.

        Raises:
            InputError: the model cannot read the item; the stream does not change.
        """
        return (await self._ask(item if isinstance(item, bytes) else {"push": item}))["answer"]

    async def trace(self, item: Any) -> tuple[dict[str, Any], list[Any]]:
        """Return the prediction, and the gates and states of each step and layer by name."""
        reply = await self._ask({"push": item, "trace": True})
        return reply["answer"], reply["trace"]

    async def generate(self, **options: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield what a language model draws after what the stream has read, token by token; the stream reads it too.

        Leaving the loop early stops the model. Other calls wait until the loop has ended.

        Args:
            options: `tokens`, the most to draw, `temperature`, `top_k`, `top_p`, `seed`.

        Raises:
            InputError: the model has no such option, or does not go on with what it reads.
        """
        async with self._turn:
            more = True
            try:
                reply = self._checked(await self._received(to_json({"generate": options})))
                while "done" not in reply:
                    yield reply["answer"]
                    reply = self._checked(await self._received())
                more = False
            except (PenstockError, asyncio.CancelledError):
                more = False
                raise
            finally:
                if more:
                    await self._stop()

    async def finish(self) -> dict[str, Any]:
        """Return the prediction for the whole input; call `reset` to start the next one."""
        return (await self._ask({"finish": True}))["answer"]

    async def save(self) -> bytes:
        """Return the stream's state, for `load` or for the model's own `stream().load`."""
        return base64.b64decode((await self._ask({"save": True}))["state"])

    async def load(self, state: bytes) -> None:
        """Continue from a saved state; StateError if it is damaged or of another model."""
        await self._ask({"load": base64.b64encode(state).decode()})

    async def reset(self) -> None:
        """Start the next input."""
        await self._ask({"reset": True})

    async def close(self) -> None:
        """Close the stream."""
        await self._socket.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    async def _ask(self, message: Mapping[str, Any] | bytes) -> dict[str, Any]:
        data = message if isinstance(message, bytes) else to_json(message)
        async with self._turn:
            return self._checked(await self._received(data, text=not isinstance(message, bytes)))

    def _checked(self, data: str | bytes) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(data)
        if "error" in reply:
            raise named_error(reply["error"], 0)
        self.item = reply["item"]
        return reply

    async def _stop(self) -> None:
        """End a `generate`: read what was drawn meanwhile, and the reply to the end."""
        reply = self._checked(await self._received(to_json({"stop": True})))
        while "stopped" not in reply:
            reply = self._checked(await self._received())

    async def _received(self, data: bytes | None = None, *, text: bool = True) -> str | bytes:
        """Return the next message, after sending `data`, if any."""
        try:
            async with asyncio.timeout(self._timeout):
                if data is not None:
                    await self._socket.send(data, text=text)
                return await self._socket.recv()
        except ConnectionClosed as closed:
            code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "cut off")
            raise ServerError(f"the stream was closed: {reason or 'without a reason'} ({code})", code) from closed
        except TimeoutError as error:
            self._socket.transport.abort()
            raise ServerError(f"no reply within {self._timeout:g} s", 1006) from error
        except asyncio.CancelledError:
            self._socket.transport.abort()
            raise


class LastingStream:
    """A stream that survives a lost connection. Made by `Client.lasting_stream`.

    It keeps the last saved state and the items since then. After a break it reconnects, loads the state and pushes the
    items again. So every item gets one prediction, bit for bit that of an unbroken stream.

    Attributes:
        reconnected: the number of reconnections; -1 before the first connection.
    """

    def __init__(
        self, opened: Callable[[bytes | None], Awaitable[RemoteStream]], *, save_every: int, patience: float
    ) -> None:
        self._open, self._every, self._patience = opened, save_every, patience
        self.reconnected = -1
        self._stream: RemoteStream | None = None
        self._state: bytes | None = None
        self._since: list[Any] = []

    @property
    def item(self) -> int:
        """Items read since the stream's start."""
        return self._stream.item if self._stream else 0

    async def push(self, item: Any) -> dict[str, Any]:
        """See `RemoteStream.push`; raises ServerError only when `patience` has run out."""
        answer = await self._lasting(lambda stream: stream.push(item))
        self._since.append(item)
        if len(self._since) >= self._every:
            self._state = await self._lasting(lambda stream: stream.save())
            self._since.clear()
        return answer

    async def finish(self) -> dict[str, Any]:
        """See `RemoteStream.finish`."""
        return await self._lasting(lambda stream: stream.finish())

    async def reset(self) -> None:
        """See `RemoteStream.reset`."""
        await self._lasting(lambda stream: stream.reset())
        self._state = None
        self._since.clear()

    async def close(self) -> None:
        """Close the stream."""
        if self._stream is not None:
            await self._stream.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _lasting(self, work: Callable[[RemoteStream], Awaitable[_Result]]) -> _Result:
        clock, wait = asyncio.get_running_loop(), 0.05
        end = clock.time() + self._patience
        while True:
            try:
                return await work(await self._connected())
            except ServerError as error:
                self._stream = None
                if error.code not in _AGAIN or clock.time() + wait > end:
                    raise
            await asyncio.sleep(wait)
            wait = min(2 * wait, 2.0)

    async def _connected(self) -> RemoteStream:
        if self._stream is None:
            stream = await self._open(self._state)
            for item in self._since:
                await stream.push(item)
            self._stream = stream
            self.reconnected += 1
        return self._stream
