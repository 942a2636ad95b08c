"""Copies of an object in processes on the machines of a Ray cluster, which Ray Serve watches and replaces."""

import asyncio
import os
import pickle
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from penstock import engine
from penstock.distributed import MOST_LOSSES
from penstock.distributed.cluster.connection import (
    check_address,
    check_cpus,
    connected,
    imported,
    machines,
    refusing,
)
from penstock.distributed.cluster.lease import leased
from penstock.distributed.parcels import unpacked
from penstock.errors import PenstockError, WorkerError

__all__ = ["Replicas", "check_cluster", "replicas_on"]

_ROUTER = "ray.serve.experimental.consistent_hash_router:ConsistentHashRouter"
_STORE = 256 << 20
"""Bytes for what is on its way between processes, where Ray is started here; what is more goes to the disk."""
_GRACE = 2.0
"""Seconds for a replica that is to end."""
_BETWEEN = 0.5
"""Seconds after a loss, in which Ray notices it."""


def check_cluster(address: str | None) -> None:
    """Check that Ray Serve is installed, and that something answers at the address of a cluster, if there is one.

    Raises:
        MissingExtraError: it is not installed.
        ConfigError: as `check_address`.
    """
    imported("serve")
    if address is not None:
        check_address(address)


@contextmanager
def replicas_on(address: str | None, name: str, content: bytes, replicas: int, most: int) -> Iterator["Replicas"]:
    """Context with copies of an object, which end with it, or after this process was killed: see `lease`.

    Args:
        address: of the cluster, as `check_address` takes it; None starts one on this machine, which ends with the
            context too.
        name: of the application in Ray Serve; one that has it already is replaced.
        content: a class and its arguments, as of `parcels.packed`; its methods are coroutines.
        replicas: number of copies, as far as possible on different machines, each of which takes one CPU of Ray's.
        most: the most calls that one of them answers at once.

    Raises:
        ConfigError: the cluster can't be reached or has too few CPUs, or a copy can't be made.
    """
    ray, asked = imported(), Replicas()
    with _cluster(ray, address, replicas):
        check_cpus(ray, replicas, "replicas")
        neighbours = -(-replicas // machines(ray))

        def deploy() -> None:
            asked.handle = _deployed(name, content, replicas, neighbours, most)

        if address is None:  # they end with Ray
            deploy()
            yield asked
        else:
            with leased(name, deploy):
                yield asked


class Replicas:
    """Asks one of the copies.

    Attributes:
        handle: of the deployment.
    """

    handle: Any

    async def ask(self, method: str, *arguments: Any, pinned: str = "") -> Any:
        """Return what a method returns, or raise what it raises, in one of the copies.

        If the copy is lost meanwhile, another one is asked the same.

        Args:
            method: its name.
            arguments: of the method.
            pinned: as long as there are the same copies, the same one answers all calls with the same words here.

        Raises:
            WorkerError: copies were lost more than three times.
        """
        call = pickle.dumps((method, arguments))
        gone = imported().exceptions.RayError, imported("serve.exceptions").RayServeException
        for losses in range(MOST_LOSSES + 1):
            if losses:
                await asyncio.sleep(_BETWEEN)
            try:
                found = pickle.loads(await self._asked(call, pinned))  # noqa: S301  (of our own process)
            except imported().exceptions.RayTaskError:
                raise
            except gone as error:
                lost = error
                continue
            if isinstance(found, Exception):
                raise found
            return found
        raise WorkerError(f"replicas were lost more than {MOST_LOSSES} times: {lost!s:.200}") from lost

    async def _asked(self, call: bytes, pinned: str) -> bytes:
        response = self.handle.options(session_id=pinned).remote(call)
        try:
            found: bytes = await response
        except asyncio.CancelledError:
            response.cancel()
            raise
        return found


class _Replica:
    """A copy, in a process of its own."""

    def __init__(self, content: bytes, neighbours: int) -> None:
        engine.set_num_threads(max(1, engine.get_num_threads() // neighbours))
        kind, arguments = unpacked(content)
        self._copy = kind(*arguments)

    async def __call__(self, call: bytes) -> bytes:
        method, arguments = pickle.loads(call)  # noqa: S301  (of the process that started this one)
        try:
            return pickle.dumps(await getattr(self._copy, method)(*arguments))
        except Exception as error:
            if not isinstance(error, PenstockError):
                error.add_note(f"In a replica on {socket.gethostname()}:\n{traceback.format_exc()}")
            return pickle.dumps(error)


@contextmanager
def _cluster(ray: Any, address: str | None, replicas: int) -> Iterator[None]:
    """Context with a connection to the cluster, or to one on this machine."""
    if address is not None:
        with connected(ray, address, configure_logging=False):
            yield
        return
    # Read by Ray as it starts: it reports nothing to its makers, and replicas are served as this process is.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")
    options = {"num_cpus": replicas, "include_dashboard": False, "object_store_memory": _STORE}
    with connected(ray, "local", configure_logging=False, **options):
        yield


def _deployed(name: str, content: bytes, replicas: int, neighbours: int, most: int) -> Any:
    """Return the handle of the copies once they run."""
    serve = imported("serve")
    with refusing("Ray Serve does not start"):
        serve.start(proxy_location="Disabled", logging_config={"log_level": "WARNING", "enable_access_log": False})
    deployment = serve.deployment(
        _Replica,
        name="replica",
        num_replicas=replicas,
        ray_actor_options={"num_cpus": 1},
        max_ongoing_requests=most,
        max_constructor_retry_count=1,
        graceful_shutdown_timeout_s=_GRACE,
        request_router_config={"request_router_class": _ROUTER},
    )
    with refusing("the replicas do not start"):
        return serve.run(deployment.bind(content, neighbours), name=name, route_prefix=None)
