"""A point's weights and data, the same for every peer, and a check against float64."""

from dataclasses import dataclass

import numpy as np

from penstock.bench.points import Point
from penstock.cells import find, sweep

__all__ = ["State", "Workload", "make_workload"]

Arrays = dict[str, np.ndarray]
State = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Workload:
    """What each peer computes with.

    Attributes:
        x: (time, batch, input) float32.
        all_weights: for each layer and each of its directions weight_ih, weight_hh, bias_ih and bias_hh, in PyTorch's
            names and layout.
        lengths: (batch,) int64, descending, or None.
        dy: (time, batch, directions * hidden), the gradient of the outputs in a training step.
    """

    point: Point
    x: np.ndarray
    all_weights: tuple[tuple[Arrays, ...], ...]
    lengths: np.ndarray | None
    dy: np.ndarray

    @property
    def weights(self) -> Arrays:
        """The weights of a single unidirectional layer.

        Raises:
            NotImplementedError: there are several layers or directions.
        """
        if self.point.layers * self.point.directions > 1:
            raise NotImplementedError("compared only on one unidirectional layer")
        return self.all_weights[0][0]

    def error(self, y: np.ndarray) -> float:
        """Return the largest difference of outputs (time, batch, directions * hidden) from the float64 equations."""
        cell = find(self.point.cell)
        start = tuple(np.zeros((self.point.batch, size)) for size in cell.state_sizes(self.point.hidden))
        expected = self.x.astype(np.float64)
        for layer in self.all_weights:
            outputs = []
            for direction, weights in enumerate(layer):
                exact_weights = {name: array.astype(np.float64) for name, array in weights.items()}
                direction_y, _ = sweep(
                    cell, expected, start, exact_weights, self.lengths, reverse=direction == 1, **cell.complete({})
                )
                outputs.append(direction_y)
            expected = np.concatenate(outputs, -1)
        return float(np.abs(np.asarray(y, np.float64) - expected).max(initial=0.0))


def make_workload(point: Point) -> Workload:
    """Make weights as PyTorch initialises them and standard normal data; deterministic for each point."""
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
