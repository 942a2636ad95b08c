"""Errors as clients receive them: {"error": {"type": ..., "message": ...}} with the matching status."""

import errno
import json
import logging
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from penstock.errors import InputError, MissingExtraError, WorkerError
from penstock.server.logs import log
from penstock.server.request_queue import BusyError

__all__ = ["RequestError", "as_json", "body_of", "error_response", "failure_of"]


class RequestError(Exception):
    """A request that cannot be served.

    Args:
        status: the HTTP status.
        kind: the type of the error, for programs.
        message: what was expected, what was given, what to do.
        headers: additional response headers.
    """

    def __init__(self, status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(status, kind, message, headers)  # all of them, so that it can be pickled
        self.status, self.kind, self.message, self.headers = status, kind, message, headers or {}

    def __str__(self) -> str:
        return self.message


def failure_of(error: Exception) -> RequestError:
    """Convert an exception to what a client is told; details of internal errors appear only in the log."""
    if isinstance(error, RequestError):
        return error
    if isinstance(error, BusyError):
        return RequestError(429, "Busy", "too many requests are waiting. Try again in a second.", {"retry-after": "1"})
    if isinstance(error, WorkerError):
        log("replicas lost", logging.ERROR, error=str(error))
        words = "the replicas that were to answer were lost. Try again in a moment."
        return RequestError(503, "WorkerError", words, {"retry-after": "1"})
    if isinstance(error, MissingExtraError):
        return RequestError(501, "MissingExtraError", f"this server can't read such a file: {error}")
    if isinstance(error, InputError):
        return RequestError(422, type(error).__name__, str(error))
    if isinstance(error, HTTPException):
        kind = {404: "NotFound", 405: "MethodNotAllowed"}.get(error.status_code, "HTTPError")
        return RequestError(error.status_code, kind, str(error.detail), dict(error.headers or {}))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        log("disk full", logging.ERROR, error=str(error))
        words = "the server's disk for uploads is full. Send the inputs as JSON, or try again later."
        return RequestError(507, "StorageError", words, {"retry-after": "60"})
    log("failed", logging.ERROR, error=f"{type(error).__name__}: {error}")
    logging.getLogger("penstock.server").debug("traceback", exc_info=error)
    return RequestError(500, "InternalError", "internal server error; see the server's log")


def body_of(failure: RequestError) -> dict[str, Any]:
    """Return the body of the response, for JSON."""
    return {"error": {"type": failure.kind, "message": failure.message}}


def error_response(failure: RequestError) -> Response:
    """Return the failure as an HTTP response."""
    return Response(as_json(body_of(failure)), failure.status, failure.headers, "application/json")


def as_json(value: Any) -> str:
    """Encode as standard JSON: NaN and infinity become null, half a surrogate pair is escaped."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(_finite(value))
    except ValueError:
        return json.dumps(_finite(value), ensure_ascii=False)
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
