"""The engine's number of threads inside PyTorch modules: PyTorch's, unless overridden."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache

import torch

__all__ = ["engine_threads", "engine_threads_of", "for_each_part"]

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


def for_each_part(function: Callable[[slice], None], total: int, size: int) -> None:
    """Call a function with the slices of `size` that cover `total`, on the engine's threads where PyTorch has only one.

    The parts do not depend on the threads; nor do the results of a function that writes only what belongs to its part.

    Args:
        function: called with each part, without gradients.
        total: number of items.
        size: number of items of a part, 1 or more.
    """

    @torch.no_grad()  # which is a setting of each thread
    def run(part: slice) -> None:
        function(part)

    parts = [slice(start, min(start + size, total)) for start in range(0, total, size)]
    threads = engine_threads() if torch.get_num_threads() == 1 and len(parts) > 1 else 1
    for _ in map(run, parts) if threads == 1 else _pool(threads).map(run, parts):
        pass


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="penstock-torch")


if hasattr(os, "register_at_fork"):  # a forked process has no threads but the one that forked
    os.register_at_fork(after_in_child=_pool.cache_clear)
