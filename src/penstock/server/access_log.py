"""Middleware for every request: access check, log line, metrics."""

import logging
from time import perf_counter
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from penstock.server.access import Access, Refusal
from penstock.server.failures import RequestError, error_response
from penstock.server.logs import log
from penstock.server.metrics import Metrics

__all__ = ["AccessLog"]


class AccessLog:
    """ASGI middleware that refuses requests without access, and logs and counts all requests.

    Args:
        app: the ASGI application.
        access: decides which requests are allowed.
        metrics: counts the requests.
    """

    def __init__(self, app: ASGIApp, access: Access, metrics: Metrics) -> None:
        self._app, self._access, self._metrics = app, access, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._access.refusal(scope["path"], scope["headers"], scope.get("subprotocols", ()))
        if scope["type"] == "http":
            await self._http(scope, receive, send, refusal)
        elif refusal is None:
            await self._app(scope, receive, send)
        else:
            self._log_refusal(scope, refusal)
            await _response(refusal)(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send, refusal: Refusal | None) -> None:
        start, status = perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault("x-content-type-options", "nosniff")
            await send(message)

        try:
            if refusal is None:
                # What GET gives, whose body the protocol leaves out.
                app_scope = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
                await self._app(app_scope, receive, watched)
                scope["route"] = app_scope.get("route")
            else:
                self._log_refusal(scope, refusal)
                await _response(refusal)(scope, receive, watched)
        finally:
            seconds = perf_counter() - start
            # Label by route, not by path: a client that requests a million paths must not fill the memory.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path, _method(scope), status).inc()
            self._metrics.request_seconds.labels(path).observe(seconds)
            log("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 2))

    def _log_refusal(self, scope: Scope, refusal: Refusal) -> None:
        self._metrics.refused.labels(refusal[1].lower()).inc()
        client = (scope.get("client") or ("",))[0]
        origin = Headers(scope=scope).get("origin", "")
        log("refused", logging.WARNING, path=scope["path"], status=refusal[0], client=client, origin=origin[:80])


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE") else "other"


def _response(refusal: Refusal) -> Any:
    headers = {"www-authenticate": "Bearer"} if refusal[0] == 401 else {}
    return error_response(RequestError(*refusal, headers=headers))
