"""Values for processes on other machines, which must have the same version of Penstock."""

import pickle
import socket
from typing import Any

from penstock import __version__
from penstock.errors import ConfigError

__all__ = ["packed", "unpacked"]


def packed(*values: Any) -> bytes:
    """Return values as bytes, with the version of Penstock."""
    return pickle.dumps((__version__, pickle.dumps(values)))


def unpacked(content: bytes) -> Any:
    """Return the values; ConfigError if another version packed them."""
    version, values = pickle.loads(content)  # noqa: S301  (of the process that started this one)
    if version != __version__:
        raise ConfigError(f"{socket.gethostname()} has Penstock {__version__}; it needs {version}, as here")
    return pickle.loads(values)  # noqa: S301
