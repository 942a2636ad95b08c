"""A point's weights and data, the same for every peer, and the right answer in float64."""

from dataclasses import dataclass

import numpy as np

from penstock.bench.points import Point
from penstock.cells import find, sweep

__all__ = ["Problem", "State", "make_problem"]

Arrays = dict[str, np.ndarray]
State = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Problem:
    """What a peer gets.

    x: (time, batch, input) float32
    weights: weight_ih, weight_hh, bias_ih, bias_hh, in PyTorch's names and layout
    lengths: (batch,) int64, falling, or None
    dy: (time, batch, hidden), what a training step's outputs receive
    """

    point: Point
    x: np.ndarray
    weights: Arrays
    lengths: np.ndarray | None
    dy: np.ndarray

    def error(self, y: np.ndarray) -> float:
        """The largest difference of outputs (time, batch, hidden) from the equations in float64."""
        cell = find(self.point.cell)
        exact = {name: array.astype(np.float64) for name, array in self.weights.items()}
        sizes = cell.state_sizes(self.point.hidden)
        start = tuple(np.zeros((self.point.batch, size)) for size in sizes)
        expected, _ = sweep(cell, self.x.astype(np.float64), start, exact, self.lengths, **cell.options)
        return float(np.abs(np.asarray(y, np.float64) - expected).max(initial=0.0))


def make_problem(point: Point) -> Problem:
    """Weights as PyTorch draws them, standard normal data; the same for a point every time."""
    draw = np.random.default_rng(0)
    bound = point.hidden**-0.5
    shapes = find(point.cell).parameter_shapes(point.input, point.hidden)
    weights = {name: draw.uniform(-bound, bound, shape).astype(np.float32) for name, shape in shapes.items()}
    x = draw.standard_normal((point.time, point.batch, point.input)).astype(np.float32)
    lengths = None
    if point.ragged:
        lengths = np.sort(draw.integers(1, point.time + 1, point.batch))[::-1].copy()
        lengths[0] = point.time
    dy = draw.standard_normal((point.time, point.batch, point.hidden)).astype(np.float32)
    return Problem(point, x, weights, lengths, dy)
