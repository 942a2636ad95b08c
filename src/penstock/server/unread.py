"""Replies that clients do not read: they are waited for as long as they are taken, and bounded over all clients."""

import asyncio
from collections.abc import Callable

__all__ = ["Unread"]

_MOST = 256 << 20  # bytes


class Unread:
    """The connections whose clients read more slowly than they are answered.

    One that takes nothing for some seconds is cut. Where all hold more than `most` bytes together, those are cut that
    have taken nothing for the longest time.

    Args:
        seconds: the time without a byte taken.
        cut: called for each connection that is cut.
        most: bytes over all connections, of which one may always have more.
    """

    def __init__(self, seconds: float, cut: Callable[[], None], *, most: int = _MOST) -> None:
        self._seconds, self._told, self._most = seconds, cut, most
        self._bytes = 0
        # What they held at the last look; whoever has taken nothing for the longest time comes first.
        self._held: dict[asyncio.Transport, tuple[int, asyncio.TimerHandle]] = {}

    def add(self, transport: asyncio.Transport) -> None:
        """Watch a connection that has not sent what it should."""
        size = transport.get_write_buffer_size()
        timer = asyncio.get_running_loop().call_later(self._seconds, self._look, transport)
        self._held[transport] = size, timer
        self._bytes += size
        while self._bytes > self._most and len(self._held) > 1:
            self._cut(next(iter(self._held)))

    def discard(self, transport: asyncio.Transport) -> None:
        """Watch a connection no longer: it is read again, or lost."""
        size, timer = self._held.pop(transport, (0, None))
        self._bytes -= size
        if timer is not None:
            timer.cancel()

    def _look(self, transport: asyncio.Transport) -> None:
        before, _ = self._held[transport]
        if transport.get_write_buffer_size() < before:
            self.discard(transport)
            self.add(transport)
        else:
            self._cut(transport)

    def _cut(self, transport: asyncio.Transport) -> None:
        self.discard(transport)
        self._told()
        transport.abort()  # without a reason, which would not be read either
