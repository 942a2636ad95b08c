"""How near a point is to what the machine could do: products to its multiply-adds, single rows to its memory."""

from functools import lru_cache

from penstock.bench.points import Point
from penstock.engine import limits

__all__ = ["floor_seconds"]

# From so many rows on, products are bound by multiply-adds; below, by reading the weights for each step.
_ROWS = 4


def floor_seconds(point: Point, threads: int) -> float:
    """The least seconds that this machine would need, by measurement; for a single row with all its threads' caches."""
    if point.batch >= _ROWS:
        return point.flops / _flops(threads)
    passes = point.time * (3 if point.what == "train" else 1)
    sweeps = point.layers * point.directions
    return point.batch * passes * sweeps * _read(point.recurrent_bytes, threads)


@lru_cache
def _flops(threads: int) -> float:
    return limits.flops_per_second(threads)


@lru_cache
def _read(size: int, threads: int) -> float:
    # Where one core's caches hold the weights, sharing them costs more than it gains.
    return min(limits.read_seconds(size, each) for each in range(1, threads + 1))
