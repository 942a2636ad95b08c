"""What the machine could do at best: products at the speed of its multiply-adds, single rows of its memory."""

from penstock.bench.points import Point
from penstock.engine import limits

__all__ = ["floor_seconds"]

# From so many rows on, products are bound by multiply-adds; below, by reading the weights for each step.
_ROWS = 4


def floor_seconds(point: Point, threads: int) -> float:
    """The least seconds that this machine would need now, by measurement; for a single row with all threads' caches.

    Never the same twice: clocks fall under load, and a virtual machine's cores are shared.
    """
    if point.batch >= _ROWS:
        return point.flops / limits.flops_per_second(threads)
    # Where one core's caches hold the weights, sharing them costs more than it gains.
    sweep = min(limits.read_seconds(4 * point.step_weights, each) for each in range(1, threads + 1))
    others = max(0.0, point.flops - 2.0 * point.batch * point.sweeps * point.step_weights)  # with lengths, fewer steps
    return point.sweeps * sweep + others / limits.flops_per_second(threads)
