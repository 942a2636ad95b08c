"""Where the server listens, who may use it, and how much of it."""

import ipaddress
import math
from dataclasses import dataclass

from penstock.errors import ConfigError

__all__ = ["ServerSettings"]


@dataclass(frozen=True)
class ServerSettings:
    """What `penstock serve` can be told.

    host, port: where it listens; port 0 takes a free one
    token: what every request must bear; None only where no other machine can reach the server
    origins: of pages, like https://example.org, that may use it beside its own
    max_body: bytes of a request
    max_message: bytes of a WebSocket message
    max_streams: open at once, over all models
    max_waiting: messages of one stream that may wait for their answers
    max_requests: that may wait for their answers at once, and bodies beyond 64 KiB that may be read at once
    max_connections: at once, with those that have asked for nothing yet
    idle_seconds: without a message, after which a stream is closed
    slow_seconds: for a request to arrive, and for answers to be taken
    grace_seconds: to answer what was accepted, after the order to stop
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
    grace_seconds: float = 10.0

    def __post_init__(self) -> None:
        for name in ("max_body", "max_message", "max_streams", "max_waiting", "max_requests", "max_connections"):
            if (value := getattr(self, name)) < 1:
                raise ConfigError(f"{name} must be at least 1; got {value}")
        for name in ("idle_seconds", "slow_seconds", "grace_seconds"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise ConfigError(f"{name} must be above 0, and finite; got {value}")
        if not 0 <= self.port < 65536:
            raise ConfigError(f"port must be 0 to 65535; got {self.port}")
        if self.token is not None and (not self.token.isascii() or len(self.token.split()) != 1):
            raise ConfigError("the token must be ASCII characters without spaces, at least one")
        if self.token is None and not self.local:
            raise ConfigError(
                f"{self.host} can be reached from other machines, so a token is needed: "
                "give --token, or listen on 127.0.0.1."
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
