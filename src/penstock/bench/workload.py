"""A point's weights and data, the same for every peer, and the right answer in float64."""

from dataclasses import dataclass

import numpy as np

from penstock.bench.points import Point
from penstock.cells import find, sweep

__all__ = ["State", "Workload", "make_workload"]

Arrays = dict[str, np.ndarray]
State = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Workload:
    """What a peer gets.

    x: (time, batch, input) float32
    all_weights: for each layer and, in it, each direction: weight_ih, weight_hh, bias_ih, bias_hh, in PyTorch's names
        and layout
    lengths: (batch,) int64, falling, or None
    dy: (time, batch, directions * hidden), what a training step's outputs receive
    """

    point: Point
    x: np.ndarray
    all_weights: tuple[tuple[Arrays, ...], ...]
    lengths: np.ndarray | None
    dy: np.ndarray

    @property
    def weights(self) -> Arrays:
        """Those of the only layer and direction.

        Raises:
            NotImplementedError: there are more.
        """
        if self.point.layers * self.point.directions > 1:
            raise NotImplementedError("compared on one layer of one direction only")
        return self.all_weights[0][0]

    def error(self, y: np.ndarray) -> float:
        """The largest difference of outputs (time, batch, directions * hidden) from the equations in float64."""
        cell = find(self.point.cell)
        start = tuple(np.zeros((self.point.batch, size)) for size in cell.state_sizes(self.point.hidden))
        expected = self.x.astype(np.float64)
        for layer in self.all_weights:
            outputs = []
            for direction, weights in enumerate(layer):
                exact = {name: array.astype(np.float64) for name, array in weights.items()}
                found, _ = sweep(
                    cell, expected, start, exact, self.lengths, reverse=direction == 1, **cell.complete({})
                )
                outputs.append(found)
            expected = np.concatenate(outputs, -1)
        return float(np.abs(np.asarray(y, np.float64) - expected).max(initial=0.0))


def make_workload(point: Point) -> Workload:
    """Weights as PyTorch draws them, standard normal data; the same for a point every time."""
    draw = np.random.default_rng(0)
    bound = point.hidden**-0.5
    cell = find(point.cell)
    weights = tuple(
        tuple(
            {
                name: draw.uniform(-bound, bound, shape).astype(np.float32)
                for name, shape in cell.parameter_shapes(read, point.hidden).items()
            }
            for _ in range(point.directions)
        )
        for read in point.inputs
    )
    x = draw.standard_normal((point.time, point.batch, point.input)).astype(np.float32)
    lengths = None
    if point.ragged:
        lengths = np.sort(draw.integers(1, point.time + 1, point.batch))[::-1].copy()
        lengths[0] = point.time
    dy = draw.standard_normal((point.time, point.batch, point.directions * point.hidden)).astype(np.float32)
    return Workload(point, x, weights, lengths, dy)
