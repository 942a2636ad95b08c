"""Runs a server until it is stopped."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from time import perf_counter

import uvicorn

from penstock import engine
from penstock.distributed.cluster.replicas import check_cluster
from penstock.errors import ConfigError
from penstock.server.application import Service
from penstock.server.backend import Backend, local
from penstock.server.connections import limited
from penstock.server.logs import configure, log
from penstock.server.replicas import replicated
from penstock.server.request_queue import RequestQueue
from penstock.server.served_model import ServedModel, load_all
from penstock.server.settings import ServerSettings

__all__ = ["serve"]

_ARENAS = -8  # M_ARENA_MAX of malloc.h


def serve(
    folders: Sequence[str],
    settings: ServerSettings,
    *,
    replicas: int = 1,
    on: str | None = None,
    log_level: str = "info",
) -> None:
    """Serve saved models until SIGTERM or SIGINT; then finish accepted requests and return.

    Args:
        folders: folders of models, or NAME=DIR.
        settings: address, access and limits.
        replicas: processes that compute, on Ray; this one computes itself if that is 1 and `on` is None.
        on: address of a Ray cluster for them, as `check_address` takes it; None for this machine.
        log_level: debug, info, warning or error.

    Raises:
        ConfigError: two models have the same name, the server cannot listen on the address, or the cluster can't be
            reached or has too few CPUs.
        BundleError: a folder is not a usable model.
        MissingExtraError: Ray is needed, but not installed.
    """
    start = perf_counter()
    if on is not None or replicas > 1:
        check_cluster(on)
    configure(log_level)  # after Ray is imported, which sets up loggers of its own
    queue = RequestQueue(settings.max_requests)
    models = load_all(folders)
    listening = _listen(settings)
    with _backends(models, queue, settings, listening, replicas, on) as backends:
        for name, backend in backends.items():
            models[name].backend = backend
        service = Service(models, settings, queue)
        _prepare(settings)
        _run(service, start, listening)
    if not service.idle():
        # A call of the engine can't be interrupted, and Python would wait for it.
        log("abandoned", logging.WARNING)
        os._exit(0)


def _backends(
    models: Mapping[str, ServedModel],
    queue: RequestQueue,
    settings: ServerSettings,
    listening: socket.socket,
    replicas: int,
    on: str | None,
) -> AbstractContextManager[Mapping[str, Backend]]:
    """Return a context with what computes for the models."""
    loaded = {name: served.model for name, served in models.items()}
    if on is None and replicas == 1:
        return contextlib.nullcontext(local(loaded, queue))
    # A server that was killed leaves replicas on the cluster for a minute; the next one with its address replaces them.
    application = f"penstock-{socket.gethostname()}-{listening.getsockname()[1]}"
    return replicated(loaded, settings, replicas, on, application)


def _run(service: Service, start: float, listening: socket.socket) -> None:
    settings = service.settings
    http, websocket = limited(settings, service.metrics)
    config = uvicorn.Config(
        service.app,
        http=http,
        ws=websocket,
        ws_max_size=settings.max_message,
        ws_per_message_deflate=False,  # small messages gain little, and a small one could expand to a huge one
        lifespan="on",
        loop="asyncio",  # uvloop would be 10 % faster, but behaves slightly differently
        log_config=None,
        access_log=False,
        proxy_headers=False,  # otherwise a client could fake its address
        server_header=False,
    )
    server = _Server(config, service, start, listening)
    server.run(sockets=[listening])


class _Server(uvicorn.Server):
    """Uvicorn's server, which finishes accepted requests before it closes."""

    def __init__(self, config: uvicorn.Config, service: Service, start: float, listening: socket.socket) -> None:
        super().__init__(config)
        self._service, self._start, self._listening = service, start, listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and log when the server is ready."""
        await super().startup(sockets)
        host, port = self._listening.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        seconds = round(perf_counter() - self._start, 3)
        log("ready", always=True, url=url, models=list(self._service.models), seconds=seconds)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, finish what was accepted, close."""
        log("stopping", streams=len(self._service.sessions))
        loop = asyncio.get_running_loop()
        end = loop.time() + self._service.settings.grace_seconds
        for server in self.servers:
            server.close()
        await self._service.stop()
        # What is left of the grace, and a moment for the last words.
        self.config.timeout_graceful_shutdown = max(1, round(end - loop.time()))
        await super().shutdown(sockets)
        log("stopped")

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle signals without raising them again at the end, as Uvicorn does: a requested stop is not a failure."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)


def _listen(settings: ServerSettings) -> socket.socket:
    """Bind the address here and not in Uvicorn, so that an unavailable address raises a ConfigError."""
    try:
        addresses = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = addresses[0]
        with contextlib.ExitStack() as unless_bound:
            listening = unless_bound.enter_context(socket.socket(family, kind, protocol))
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            unless_bound.pop_all()
    except OSError as error:
        raise ConfigError(
            f"can't listen on {settings.host} port {settings.port}: {error.strerror}. Choose another --host or --port."
        ) from error
    listening.setblocking(False)
    return listening


def _prepare(settings: ServerSettings) -> None:
    """Configure the process for thousands of connections and fast switching between its threads."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = settings.max_connections + 256
    limit = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if limit > resource.getrlimit(resource.RLIMIT_NOFILE)[0]:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    # A thread with a reply waits this long for one that computes; Python's default is 5 ms.
    sys.setswitchinterval(0.0005)
    # The event loop needs a core too: engine threads that wait for a busy core are slower than one thread fewer.
    engine.set_num_threads(max(1, engine.get_num_threads() - 1))
    # glibc would give the threads heaps of their own, which keep what one large request has needed.
    with contextlib.suppress(AttributeError):  # another libc
        ctypes.CDLL(None).mallopt(_ARENAS, 2)
    # Loaded objects stay, so exclude them from garbage collection, which would otherwise pause the server.
    gc.collect()
    gc.freeze()
