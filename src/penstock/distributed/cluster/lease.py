"""A lease of an application of Ray Serve: it ends by itself once the process that renews the lease is gone."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from penstock.distributed.cluster.connection import HEAD, imported, refusing
from penstock.errors import ConfigError
from penstock.events import say

__all__ = ["end", "leased"]

_LOGGER = logging.getLogger("penstock.distributed")

SECONDS = 60.0
"""Time after which an application ends whose lease was not renewed."""
BETWEEN = 5.0
"""Seconds between two renewals."""
_NAMESPACE = "penstock"


@contextmanager
def leased(name: str, deploy: Callable[[], None]) -> Iterator[None]:
    """Context with an application of Ray Serve, which ends with it, or `SECONDS` after this process was killed.

    Args:
        name: of the application; a lease of one that has it already is replaced.
        deploy: starts it. It is called again, in another thread, if the lease has lapsed while this process lives, as
            after it was suspended.

    Raises:
        ConfigError: the lease can't be made, or what `deploy` raises.
    """
    ended = threading.Event()
    arguments = _made(name), name, deploy, ended
    renewing = threading.Thread(target=_renew, args=arguments, name="lease", daemon=True)
    renewing.start()
    try:
        deploy()
        yield
    finally:
        ended.set()
        renewing.join()
        end(name)
        _kill(name)


def end(name: str) -> None:
    """Delete an application, if it is there, and end Ray Serve if nothing else runs on it.

    Raises:
        ConfigError: Ray can't.
    """
    serve = imported("serve")
    with refusing(f"the application {name} can't be ended"):
        if name in serve.status().applications:
            serve.delete(name)
        status = serve.status()
        if not status.applications and not status.proxies:
            serve.shutdown()


def _renew(lease: Any, name: str, deploy: Callable[[], None], ended: threading.Event) -> None:
    """Renew the lease until the context ends."""
    ray = imported()
    while not ended.wait(BETWEEN):
        try:
            ray.get(lease.renew.remote(), timeout=SECONDS)
        except ray.exceptions.ActorDiedError:
            say(_LOGGER, "lease", f"the lease of {name} has lapsed; its replicas start again", level=logging.WARNING)
            try:
                lease = _made(name)
                deploy()
            except ConfigError as error:
                say(_LOGGER, "lease", f"the replicas of {name} do not start again: {error}", level=logging.WARNING)
        except ray.exceptions.RayError as error:
            say(_LOGGER, "lease", f"the lease of {name} was not renewed: {error!s:.200}", level=logging.WARNING)


def _made(name: str) -> Any:
    """Return a new lease, in the place of one that is left by a process that was killed."""
    with refusing("the cluster takes no lease for the replicas"):
        _kill(name)
        options = {"num_cpus": 0, "resources": HEAD, "lifetime": "detached", "max_concurrency": 2}
        ray = imported()
        lease = ray.remote(_Lease).options(name=_of(name), namespace=_NAMESPACE, **options).remote(name, SECONDS)
        ray.get(lease.renew.remote())
        return lease


def _kill(name: str) -> None:
    ray = imported()
    try:
        lease = ray.get_actor(_of(name), namespace=_NAMESPACE)
    except ValueError:  # there is none
        return
    ray.kill(lease)


def _of(name: str) -> str:
    return f"{name}-lease"


class _Lease:
    """An actor on the head node, which outlives the process that made it, and ends the application.

    Args:
        name: of the application.
        seconds: as `SECONDS`.
    """

    def __init__(self, name: str, seconds: float) -> None:
        self._name, self._seconds, self._renewed = name, seconds, time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def renew(self) -> None:
        """Begin the time anew."""
        self._renewed = time.monotonic()

    def _watch(self) -> None:
        while (left := self._renewed + self._seconds - time.monotonic()) > 0:
            time.sleep(left)
        try:
            end(self._name)
        finally:
            _kill(self._name)
