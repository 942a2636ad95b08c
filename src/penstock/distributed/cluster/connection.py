"""Connections to a Ray cluster."""

import logging
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from penstock.errors import ConfigError, MissingExtraError, PenstockError

__all__ = ["HEAD", "check_address", "check_cpus", "connected", "imported", "machines", "refusing"]

HEAD = {"node:__internal_head__": 0.001}
"""What a task asks for to run on the head node."""

_CLIENT_PORT = 10001
_WORDS = 600
"""Characters of an error of Ray's."""
_TRIES = 3
"""Times that a cluster is joined if it fails as it starts."""
_SECONDS = 5.0
"""Time that a cluster has to answer at its address."""


def check_address(address: str) -> None:
    """Check that Ray is installed and that something answers at an address, as Ray's servers do.

    Ray itself would try for minutes.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: nothing answers, or something else, or it is no address.
    """
    imported()
    if address == "auto":
        return
    parts = urlsplit(address if "://" in address else f"ray-address://{address}")
    try:
        host, port = parts.hostname, parts.port or (_CLIENT_PORT if parts.scheme == "ray" else None)
    except ValueError:
        host, port = None, None
    if parts.scheme not in ("ray", "ray-address") or not host or not port:
        raise ConfigError(f'on must be "ray://HOST:10001", "HOST:6379" or "auto"; got {address!r:.100}')
    try:
        with socket.create_connection((host, port), timeout=_SECONDS) as connection:
            greeted = os.environ.get("RAY_USE_TLS") or _greeted(connection)
    except OSError as error:
        raise ConfigError(
            f"no Ray cluster answers at {address}: {error.strerror or error}. `ray start --head` on {host} starts one."
        ) from error
    if not greeted:
        raise ConfigError(
            f"what answers at {address} is no Ray cluster. The usual ports are 6379, "
            "and 10001 with ray://. `ray start --head` prints the address."
        )


def _greeted(connection: socket.socket) -> bool:
    """Whether a server answers the first bytes of HTTP/2, which gRPC and so Ray speaks, with its settings."""
    settings = 4
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, settings, 0, 0, 0, 0, 0]))
    head = b""
    while len(head) < 9 and (more := connection.recv(9 - len(head))):
        head += more
    return len(head) == 9 and head[3] == settings


def check_cpus(ray: Any, workers: int, what: str = "workers") -> None:
    """Check that the cluster has a CPU for each worker; ConfigError, which names the option `what`, if it has not."""
    cpus = ray.cluster_resources().get("CPU", 0)
    if cpus < workers:
        raise ConfigError(f"{what} must be at most the cluster's CPUs, {cpus:g}; got {workers}")


def machines(ray: Any) -> int:
    """Return how many machines of the cluster have CPUs."""
    return sum("CPU" in node["Resources"] for node in ray.nodes() if node["Alive"])


@contextmanager
def connected(ray: Any, address: str, **options: Any) -> Iterator[None]:
    """Context with a connection to the cluster; one that the program has already is used, and left open.

    Args:
        ray: the module.
        address: as `check_address` takes it, or "local" for a cluster that is started, and ends with the context.
        options: for `ray.init`.

    Raises:
        ConfigError: the cluster can't be joined or started.
    """
    if ray.is_initialized():
        yield
        return
    failed = "Ray does not start" if address == "local" else f"the Ray cluster at {address} can't be joined"
    with refusing(failed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"ray\.")  # it says the same once more in its error
        _join(ray, address, log_to_driver=False, logging_level=logging.WARNING, **options)
    try:
        yield
    finally:
        ray.shutdown()


def _join(ray: Any, *arguments: Any, **options: Any) -> None:
    """Call `ray.init`; again if the process that Ray starts for a client ended at once, as now and then one does."""
    for tries in range(_TRIES):
        try:
            ray.init(*arguments, **options)
            return
        except ConnectionAbortedError:
            ray.shutdown()
            if tries == _TRIES - 1:
                raise


@contextmanager
def refusing(what: str) -> Iterator[None]:
    """Raise ConfigError, which begins with `what`, in place of whatever Ray raises: it has no base of its errors."""
    try:
        yield
    except PenstockError:
        raise
    except Exception as error:
        lines = [line for line in str(error).splitlines() if line.strip()]
        if any("Traceback (most recent call last)" in line for line in lines):  # of another process
            lines = lines[-1:]
        words = " ".join(" ".join(lines).split()) or type(error).__name__
        if len(words) > _WORDS:
            words = f"... {words[-_WORDS:]}"
        raise ConfigError(f"{what}: {words}{_hint(words)}") from error


def _hint(words: str) -> str:
    """Return what to do about an error that Ray tells in other words."""
    if "connection timeout" in words or "RAY_AUTH" in words or "uthenticat" in words:
        return (
            ". If the cluster asks for a token, set RAY_AUTH_MODE=token, with the token of its head node in "
            "~/.ray/auth_token or RAY_AUTH_TOKEN."
        )
    return ""


def imported(part: str = "") -> Any:
    """Return the module `ray`, or a part of it; MissingExtraError if it is not installed."""
    try:
        return import_module(f"ray.{part}" if part else "ray")
    except ModuleNotFoundError as error:
        raise MissingExtraError("work on a Ray cluster needs Ray: pip install 'penstock[ray]'") from error
