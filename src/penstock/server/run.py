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
from collections.abc import Iterator, Sequence
from time import perf_counter

import uvicorn

from penstock import engine
from penstock.errors import ConfigError
from penstock.server.application import Service
from penstock.server.connections import limited
from penstock.server.logs import configure, log
from penstock.server.request_queue import RequestQueue
from penstock.server.served_model import load_all
from penstock.server.settings import ServerSettings

__all__ = ["serve"]

_ARENAS = -8  # M_ARENA_MAX of malloc.h


def serve(folders: Sequence[str], settings: ServerSettings, *, log_level: str = "info") -> None:
    """Serve saved models until SIGTERM or SIGINT; then finish accepted requests and return.

    Args:
        folders: folders of models, or NAME=DIR.
        settings: address, access and limits.
        log_level: debug, info, warning or error.

    Raises:
        ConfigError: two models have the same name, or the server cannot listen on the address.
        BundleError: a folder is not a usable model.
    """
    start = perf_counter()
    configure(log_level)
    queue = RequestQueue(settings.max_requests)
    service = Service(load_all(folders, queue), settings, queue)
    listening = _listen(settings)
    _prepare(settings)
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
    if not service.idle():
        # A call of the engine can't be interrupted, and Python would wait for it.
        log("abandoned", logging.WARNING)
        os._exit(0)


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
