"""The engine's number of threads inside PyTorch modules: PyTorch's, unless overridden."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

__all__ = ["engine_threads", "engine_threads_of"]

_override: ContextVar[int | None] = ContextVar("engine threads", default=None)


def engine_threads() -> int:
    """Return the number of threads for the engine's next call."""
    return _override.get() or torch.get_num_threads()


@contextmanager
def engine_threads_of(threads: int) -> Iterator[None]:
    """Context manager: the engine uses this many threads, whatever PyTorch uses."""
    token = _override.set(threads)
    try:
        yield
    finally:
        _override.reset(token)
