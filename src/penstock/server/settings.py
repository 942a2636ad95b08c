"""Settings of the server: address, access and limits."""

import ipaddress
import math
from dataclasses import dataclass
from urllib.parse import urlsplit

from penstock.errors import ConfigError

__all__ = ["ServerSettings"]


@dataclass(frozen=True)
class ServerSettings:
    """Settings of `penstock serve`.

    Attributes:
        host, port: the address to listen on; port 0 chooses a free one.
        token: bearer token that every request needs; None only if other machines cannot reach the server.
        origins: other origins, such as https://example.org, whose pages may use the server.
        max_body: maximum bytes of a request.
        max_message: maximum bytes of a WebSocket message.
        max_streams: maximum open streams, over all models.
        max_waiting: maximum messages of one stream that wait for replies.
        max_requests: maximum requests that wait for responses, and bodies above 64 KiB that are read at once.
        max_connections: maximum open connections, including idle ones.
        idle_seconds: time without a message after which a stream is closed.
        slow_seconds: time for a request to arrive, and for replies to be read.
        deadline_seconds: time for the work of a request, with its wait for others; then it is given up.
        grace_seconds: time to finish accepted requests when stopping.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    token: str | None = None
    origins: tuple[str, ...] = ()
    max_body: int = 16 << 20
    max_message: int = 128 << 10
    max_streams: int = 10_000
    max_waiting: int = 256
    max_requests: int = 64
    max_connections: int = 12_000
    idle_seconds: float = 600.0
    slow_seconds: float = 10.0
    deadline_seconds: float = 60.0
    grace_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name in ("max_body", "max_message", "max_streams", "max_waiting", "max_requests", "max_connections"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"{name} must be at least 1; got {value}")
        for name in ("idle_seconds", "slow_seconds", "deadline_seconds", "grace_seconds"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise ConfigError(f"{name} must be above 0 and finite; got {value}")
        for origin in self.origins:
            parts = urlsplit(origin.rstrip("/"))
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or "*" in origin:
                raise ConfigError(
                    f"an origin must be a page's scheme and host, such as https://example.org; got {origin!r:.80}. "
                    "Name each that may use the server."
                )
        if not 0 <= self.port < 65536:
            raise ConfigError(f"port must be 0 to 65535; got {self.port}")
        if self.token is not None and (not self.token.isascii() or len(self.token.split()) != 1):
            raise ConfigError("the token must be one or more ASCII characters without spaces")
        if self.token is None and not self.local:
            raise ConfigError(
                f"other machines can reach {self.host}, so a token is needed: "
                "set PENSTOCK_TOKEN, or listen on 127.0.0.1."
            )

    @property
    def local(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:  # some other name
            return False
