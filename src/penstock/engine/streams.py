"""Many streams of a stack of layers, whose states lie in shared arrays; any subset advances together."""

from collections.abc import Sequence

import numpy as np

from penstock.engine._native import NativeStreams
from penstock.engine.arguments import BaseLayer
from penstock.engine.layer import Layer
from penstock.engine.step import check_stack
from penstock.engine.threads import get_num_threads
from penstock.errors import ShapeError

__all__ = ["Slabs", "Streams", "zero_slabs"]

Slabs = list[tuple[np.ndarray, ...]]
"""The states of each layer, each (streams, size), float32 and C-contiguous."""


def zero_slabs(layers: Sequence[BaseLayer], streams: int) -> Slabs:
    """Return zero states of these layers for `streams` streams."""
    return [tuple(np.zeros((streams, size), np.float32) for size in layer.state_sizes) for layer in layers]


class Streams:
    """Advances any subset of the streams of a stack of layers by one step each. Not thread-safe.

    Args:
        layers: unidirectional layers with parameters; each reads the output of the layer before it.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import Layer, Streams
        >>> layer = Layer("gru", 3, 4)
        >>> layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
        >>> streams = Streams([layer])
        >>> places, x = np.array([5, 0]), np.ones((2, 3), np.float32)
        >>> streams.step(places, x, streams.slabs(8)).shape  # two of eight streams
        (2, 4)
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        check_stack(layers)
        self._layers = tuple(layers)
        self._native = NativeStreams(list(layers))
        self.input_size, self.output_size = layers[0].input_size, layers[-1].output_size

    def slabs(self, streams: int) -> Slabs:
        """Return zero states for `streams` streams."""
        return zero_slabs(self._layers, streams)

    def step(self, places: np.ndarray, x: np.ndarray, slabs: Slabs) -> np.ndarray:
        """Advance the streams at `places`: update their states in `slabs`, return the last layer's outputs (n, output).

        Args:
            places: (n,) int64, C-contiguous: row numbers in the slabs, all different. If one occurs twice, either of
                its two new states is kept.
            x: (n, input) float32, C-contiguous.
            slabs: arrays from `slabs`.

        Raises:
            ShapeError: places, x or slabs have the wrong shape or type, or a place is outside the slabs.
        """
        flat = [array for states in slabs for array in states]
        try:
            return self._native.step(places, x, flat, get_num_threads())
        except (TypeError, ValueError) as error:
            raise ShapeError(f"a step of streams: {str(error).splitlines()[0]}") from None
