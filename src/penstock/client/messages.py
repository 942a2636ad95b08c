"""What client and server say to each other: paths, JSON, errors."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from penstock import errors
from penstock.errors import DataError, PenstockError, ServerError

__all__ = ["error_of", "named_error", "path_of", "to_json"]


def path_of(name: str, *more: str) -> str:
    """Return the path of a model on the server."""
    return "/".join(("/v1/models", quote(name, safe=""), *more))


def to_json(value: Any) -> bytes:
    """Return a value as JSON; DataError if it is none."""
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except (TypeError, ValueError) as error:
        raise DataError(f"expected JSON values (texts, numbers and lists): {error}") from error


def error_of(status: int, body: bytes) -> PenstockError:
    """Make the error that a reply of HTTP tells."""
    try:
        return named_error(json.loads(body)["error"], status)
    except (ValueError, KeyError, TypeError, RecursionError):
        return ServerError(f"the server responded with status {status}", status)


def named_error(error: Mapping[str, str], status: int) -> PenstockError:
    """Make the error of the class that the server names, if it is an InputError; otherwise ServerError."""
    kind = getattr(errors, error["type"], None)
    if isinstance(kind, type) and issubclass(kind, errors.InputError):
        return kind(error["message"])
    return ServerError(f"{error['type']}: {error['message']}", status)
