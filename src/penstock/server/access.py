"""Access control: a request's bearer token, and the origin of the page that sent it."""

import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from penstock.server.settings import ServerSettings

__all__ = ["Access", "Refusal"]

# Needed before a person can enter the token, or by a supervisor.
_OPEN = ("/", "/healthz", "/readyz", "/openapi.json")
_LOCAL = ("127.0.0.1", "localhost", "::1")

Headers = Iterable[tuple[bytes, bytes]]
Refusal = tuple[int, str, str]
"""HTTP status, error type, message."""


class Access:
    """Checks whether a request is allowed.

    Pages of other origins are refused, because browsers send their requests without asking the user. Without a token,
    requests that use another name for this host are refused too; otherwise a page whose DNS name was changed to point
    here (DNS rebinding) would pass as our own.

    Attributes:
        origins: other origins whose pages are allowed.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self._token = settings.token.encode() if settings.token else None
        self.origins = {origin.rstrip("/").lower() for origin in settings.origins}
        self._hosts = {*_LOCAL, settings.host} if settings.token is None else None

    def refusal(self, path: str, headers: Headers, subprotocols: Iterable[str] = ()) -> Refusal | None:
        """Return why a request is refused; None if it is allowed.

        Args:
            path: the request's path.
            headers: header names in lower case, and values.
            subprotocols: of a WebSocket; `bearer.<token>` replaces the header, which browsers cannot set.
        """
        given = [(name, value.decode("latin-1")) for name, value in headers if name in _READ]
        found = dict(given)
        if len(found) < len(given):
            return 400, "BadRequest", "host, origin and authorization may stand once in a request"
        host = found.get(b"host")  # HTTP/1.0 may have none; a browser, whose pages this is about, always has
        if self._hosts is not None and host is not None and _name(host) not in self._hosts:
            names = ", ".join(sorted(self._hosts))
            words = f"without a token this server answers only to {names}; got {host!r:.80}."
            return 421, "Forbidden", f"{words} Call it so, or set a token."
        origin = found.get(b"origin")
        if origin is not None and not self._is_known(origin, host):
            return 403, "Forbidden", f"pages of {origin!r:.80} may not use this server; see --allow-origin"
        if self._token is None or path in _OPEN or path.startswith("/page/"):
            return None
        if not hmac.compare_digest(_token(found.get(b"authorization", ""), subprotocols), self._token):
            return 401, "Unauthorized", "a valid bearer token is required: Authorization: Bearer TOKEN"
        return None

    def _is_known(self, origin: str, host: str | None) -> bool:
        return urlsplit(origin.lower()).netloc == (host or "").lower() != "" or origin.lower() in self.origins


_READ = (b"host", b"origin", b"authorization")


def _name(host: str) -> str:
    """Return the host of a Host header, without the port."""
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
