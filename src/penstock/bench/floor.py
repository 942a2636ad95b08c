"""Lower bound of the time on this machine: matrix products at peak multiply-add speed, single rows at memory speed."""

from penstock.bench.points import Point
from penstock.engine import limits

__all__ = ["floor_seconds"]

# With this many rows or more, multiply-adds are the limit; with fewer, reading the weights at each step is.
_ROWS = 4


def floor_seconds(point: Point, threads: int) -> float:
    """Measure the least time in seconds that this machine needs now; for a single row, with the caches of all threads.

    The value varies between calls: clock rates fall under load, and a virtual machine's cores are shared.
    """
    if point.batch >= _ROWS:
        return point.flops / limits.flops_per_second(threads)
    # If one core's caches hold the weights, sharing them among cores costs more than it gains.
    sweep = min(limits.read_seconds(4 * point.step_weights, each) for each in range(1, threads + 1))
    others = max(0.0, point.flops - 2.0 * point.batch * point.sweeps * point.step_weights)  # with lengths, fewer steps
    return point.sweeps * sweep + others / limits.flops_per_second(threads)
