"""Who may use the server: the token that a request bears, and the page that it comes from."""

import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from penstock.server.settings import ServerSettings

__all__ = ["Access", "Refusal"]

# What a browser has to load before it can ask a person for the token, and what a supervisor asks for.
_OPEN = ("/", "/healthz", "/readyz", "/openapi.json")
_LOCAL = ("127.0.0.1", "localhost", "::1")

Headers = Iterable[tuple[bytes, bytes]]
Refusal = tuple[int, str, str]
"""HTTP status, error type, message."""


class Access:
    """Whether a request may pass.

    A page of another origin may not: browsers send its requests without asking the person in front of them. And
    without a token no request may bear a foreign name of this host, or a page whose name was made to point here
    (DNS rebinding) would pass for our own.

    Attributes:
        origins: of other pages that may.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._token = settings.token.encode() if settings.token else None
        self.origins = {origin.rstrip("/").lower() for origin in settings.origins}
        self._hosts = {*_LOCAL, settings.host} if settings.token is None else None

    def refusal(self, path: str, headers: Headers, subprotocols: Iterable[str] = ()) -> Refusal | None:
        """Why a request can't pass; None if it can.

        Args:
            path: what it asks for.
            headers: names in lower case.
            subprotocols: of a WebSocket; `bearer.<token>` among them stands for the header, which browsers can't set.
        """
        found = {name: value.decode("latin-1") for name, value in headers if name in _READ}
        host = found.get(b"host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return 421, "Forbidden", f"this server goes by {', '.join(sorted(self._hosts))}; asked for {host!r:.80}"
        origin = found.get(b"origin")
        if origin is not None and not self._is_known(origin, host):
            return 403, "Forbidden", f"pages of {origin!r:.80} may not use this server; see --allow-origin"
        if self._token is None or path in _OPEN or path.startswith("/page/"):
            return None
        if not hmac.compare_digest(_token(found.get(b"authorization", ""), subprotocols), self._token):
            return 401, "Unauthorized", "a valid token is needed: Authorization: Bearer TOKEN"
        return None

    def _is_known(self, origin: str, host: str) -> bool:
        return urlsplit(origin.lower()).netloc == host.lower() != "" or origin.lower() in self.origins


_READ = (b"host", b"origin", b"authorization")


def _name(host: str) -> str:
    """The host of a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _token(authorization: str, subprotocols: Iterable[str]) -> bytes:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return token.strip().encode("latin-1")
    offered = [name.removeprefix("bearer.") for name in subprotocols if name.startswith("bearer.")]
    return offered[0].encode("latin-1", "replace") if offered else b""
