"""Connection limits that Uvicorn lacks: on the number of connections, on slow clients, and on floods."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from penstock.server.metrics import Metrics
from penstock.server.settings import ServerSettings
from penstock.server.unread import Unread

__all__ = ["limited"]

_HEAD = 64 << 10  # bytes of a request's URL and headers
_LINGER = 1.0  # seconds
_SLICE = 4096  # bytes of WebSocket data, in frames of six bytes or more, that are parsed at once


def limited(
    settings: ServerSettings, metrics: Metrics
) -> tuple[type[HttpToolsProtocol], type[WebSocketsSansIOProtocol]]:
    """Return Uvicorn's protocols for HTTP and WebSockets with the settings' limits."""
    unread = Unread(settings.slow_seconds, metrics.refused.labels("unread").inc)
    members: dict[str, Any] = {"settings": settings, "metrics": metrics, "unread": unread}
    return type("Http", (_Http,), members), type("WebSocket", (_WebSocket,), members)


class _Http(HttpToolsProtocol):
    """HTTP connections, with limits on their number, on the time and size of request heads, and on unread answers."""

    settings: ClassVar[ServerSettings]
    metrics: ClassVar[Metrics]
    unread: ClassVar[Unread]
    _slow: asyncio.TimerHandle | None = None
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.settings.max_connections:
            self._refuse("connections", "503 Service Unavailable", "too many connections. Try again in a second.")
            return
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        self.unread.discard(self.transport)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.unread.add(self.transport)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.unread.discard(self.transport)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        self._wait_for_head()
        # Uvicorn reads on after each response, and so accepts thousands of requests for each one that it has handled.
        if len(self.pipeline) >= self.settings.max_waiting:
            words = (
                f"more than {self.settings.max_waiting} requests of one connection are waiting: await their responses."
            )
            self._refuse("flood", "429 Too Many Requests", words)
            raise ValueError(words)  # makes httptools stop parsing

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name + value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_is_there()
        super().on_headers_complete()

    def _wait_for_head(self) -> None:
        if self._slow is None:
            self._slow = self.loop.call_later(self.settings.slow_seconds, self._too_slow)

    def _head_is_there(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _too_slow(self) -> None:
        self._slow = None
        self._refuse("slow", "408 Request Timeout", "the request did not arrive in time.")

    def _count(self, some: bytes) -> None:
        self._head += len(some)
        if self._head > _HEAD:
            raise ValueError("the request's head is too large")  # httptools makes it a 400

    def _refuse(self, reason: str, status: str, message: str) -> None:
        self.metrics.refused.labels(reason).inc()
        if not self.transport.is_closing():
            body = f'{{"error": {{"type": "Refused", "message": "{message}"}}}}'
            head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(f"{head}connection: close\r\n\r\n{body}".encode())
            self.transport.close()


class _WebSocket(WebSocketsSansIOProtocol):
    """WebSocket connections, with limits on waiting messages and on unread replies."""

    settings: ClassVar[ServerSettings]
    metrics: ClassVar[Metrics]
    unread: ClassVar[Unread]
    _bytes = 0
    _failed = False
    _alone = 0  # frames that completed no message, since `_second`
    _second = 0.0

    def send_receive_event_to_app(self) -> None:
        """Handle a received message: queue it if there is room."""
        size = sum(map(len, self.frames))
        self._alone = 0
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self._fail("utf8", 1007, "a text message must be UTF-8")
            return
        super().send_receive_event_to_app()
        self._bytes += size
        if self.close_sent:
            return
        if self.queue.qsize() > self.settings.max_waiting:
            self._fail(
                "flood", 1008, f"more than {self.settings.max_waiting} messages are waiting: await their replies"
            )
        elif self.read_paused and self._bytes < self.settings.max_message:
            # Uvicorn would stop reading until this message is handled, so a flooding client would never get an error.
            self.read_paused = False
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """Receive a message; see Uvicorn."""
        message = await super().receive()
        if self.queue.empty():
            self._bytes = 0
        return message

    def pause_writing(self) -> None:
        """The client does not read what we send: give it some time."""
        super().pause_writing()
        self.unread.add(self.transport)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        self.unread.discard(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed; see Uvicorn."""
        self.unread.discard(self.transport)
        super().connection_lost(exc)

    def handle_cont(self, event: Frame) -> None:
        """Keep a fragment of a message; empty fragments add no size, but still take memory and time."""
        if event.fin or not self._too_many():
            super().handle_cont(event)

    def handle_ping(self) -> None:
        """Reply to a ping, unless the client does not read: the replies would accumulate."""
        if not self._too_many() and self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_pong(self, event: Frame) -> None:
        """Handle a pong; see Uvicorn."""
        if not self._too_many():
            super().handle_pong(event)

    def _too_many(self) -> bool:
        """Whether one more frame without a message exceeds the limit: per second, as many as messages may wait."""
        if self.close_sent:
            return True
        if self.loop.time() > self._second + 1:
            self._second, self._alone = self.loop.time(), 0
        self._alone += 1
        if self._alone > self.settings.max_waiting:
            self._fail("flood", 1008, f"more than {self.settings.max_waiting} frames without a message in a second")
        return self._failed

    def data_received(self, data: bytes) -> None:
        """Handle received bytes in slices, so that a flood is detected early; discard what follows a failure."""
        for start in range(0, len(data), _SLICE):
            if not self._failed:
                super().data_received(data[start : start + _SLICE])

    def handle_parser_exception(self) -> None:
        """Send the client the reason, and keep reading for a moment: closing at once could discard it (TCP reset)."""
        self._failed = True
        close = self.conn.close_sent
        code, reason = (close.code, close.reason) if close else (1002, "")
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.close_timer = self.loop.call_later(_LINGER, self.transport.close)
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _fail(self, reason: str, code: int, words: str) -> None:
        self.metrics.refused.labels(reason).inc()
        while not self.queue.empty():
            self.queue.get_nowait()
        self.conn.fail(code, words)
        self.handle_parser_exception()


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
