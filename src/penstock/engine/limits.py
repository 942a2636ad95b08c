"""Upper limits of this machine, measured with the engine's own instructions."""

import threading
import time
from collections.abc import Callable

import numpy as np

from penstock.engine._native import multiply_add, read_all

__all__ = ["flops_per_second", "read_seconds"]

_TRIES = 5


def flops_per_second(threads: int = 1) -> float:
    """Peak float32 operations per second of `threads` threads: independent fused multiply-adds, two operations each."""
    rounds = 2_000_000
    seconds = _best(threads, lambda _: multiply_add(rounds))
    return threads * multiply_add(1) * rounds / seconds


def read_seconds(size: int, threads: int = 1) -> float:
    """Seconds to read `size` bytes from cache, divided evenly among the threads."""
    floats = max(128, size // 4 // threads // 128 * 128)
    blocks = [_aligned(floats) for _ in range(threads)]
    repeats = max(1, 40_000_000 // floats)

    def read(rank: int) -> None:
        read_all(blocks[rank], repeats)

    return _best(threads, read) / repeats * (size / (4 * floats * threads))


def _aligned(floats: int) -> np.ndarray:
    buffer = np.ones(floats + 16, np.float32)
    start = -buffer.ctypes.data % 64 // 4
    return buffer[start : start + floats]


def _best(threads: int, work: Callable[[int], object]) -> float:
    """Shortest time in seconds, of several tries, in which all threads do the work once."""
    seconds = []
    for _ in range(_TRIES):
        workers = [threading.Thread(target=work, args=(rank,)) for rank in range(1, threads)]
        begin = time.perf_counter()
        for worker in workers:
            worker.start()
        work(0)
        for worker in workers:
            worker.join()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)
