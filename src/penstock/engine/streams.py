"""Many streams of a stack of layers, any of them advanced together: their states lie in slabs of memory."""

from collections.abc import Sequence

import numpy as np

from penstock.engine._native import NativeStreams
from penstock.engine.arguments import Described
from penstock.engine.layer import Layer
from penstock.engine.step import check_stack
from penstock.engine.threads import get_num_threads
from penstock.errors import ShapeError

__all__ = ["Slabs", "Streams", "zero_slabs"]

Slabs = list[tuple[np.ndarray, ...]]
"""For each layer its states, each (streams, size) float32 and C-contiguous."""


def zero_slabs(layers: Sequence[Described], streams: int) -> Slabs:
    """The zero states of so many streams of these layers."""
    return [tuple(np.zeros((streams, size), np.float32) for size in layer.state_sizes) for layer in layers]


class Streams:
    """Advances any streams of a stack of layers by one step each. For one Python thread at a time.

    Args:
        layers: loaded layers of one direction; each reads the output of the one before it.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        check_stack(layers)
        self._layers = tuple(layers)
        self._native = NativeStreams(list(layers))
        self.input_size, self.output_size = layers[0].input_size, layers[-1].output_size

    def slabs(self, streams: int) -> Slabs:
        """Zero states for so many streams."""
        return zero_slabs(self._layers, streams)

    def step(self, places: np.ndarray, x: np.ndarray, slabs: Slabs) -> np.ndarray:
        """The last layer's outputs (n, output), and the streams' states moved on in the slabs.

        Args:
            places: (n,) int64, C-contiguous: rows of the slabs, all different. Of one that stands there twice, the new
                states are one of the two.
            x: (n, input) float32, C-contiguous.
            slabs: as `slabs` gave them.

        Raises:
            ShapeError: places, x or slabs are something else, or a place is outside the slabs.
        """
        flat = [array for states in slabs for array in states]
        try:
            return self._native.step(places, x, flat, get_num_threads())
        except (TypeError, ValueError) as error:
            raise ShapeError(f"a step of streams: {str(error).splitlines()[0]}") from None
