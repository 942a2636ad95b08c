"""How many threads the engine uses inside PyTorch modules: as many as PyTorch, unless it is told otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

__all__ = ["engine_threads", "engine_threads_of"]

_told: ContextVar[int | None] = ContextVar("engine threads", default=None)


def engine_threads() -> int:
    """The threads of the engine's next call."""
    return _told.get() or torch.get_num_threads()


@contextmanager
def engine_threads_of(threads: int) -> Iterator[None]:
    """Inside, the engine uses this many threads, whatever PyTorch uses."""
    token = _told.set(threads)
    try:
        yield
    finally:
        _told.reset(token)
