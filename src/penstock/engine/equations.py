"""NumPy layers that evaluate a cell's equations, for cells without kernels in the engine.

They are slow but keep the engine's guarantees: the bits of a sequence's result do not depend on other sequences, on
padding, or on whether it is computed whole or step by step.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from penstock.cells import Zoneout, find, sweep
from penstock.engine.arguments import BaseLayer, State
from penstock.engine.exact import Exact
from penstock.engine.step import StackStep, Trace, check_stack, named_states
from penstock.engine.streams import Slabs, zero_slabs
from penstock.errors import ShapeError

__all__ = ["EquationLayer", "EquationStep", "EquationStreams"]


class EquationLayer(BaseLayer):
    """One recurrent layer computed by its cell's equations; errors as in `engine.Layer`.

    Args:
        cell: a name in `penstock.cells.CELLS`.
        input_size, hidden_size, bias, bidirectional, options: as in `engine.Layer`.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import EquationLayer
        >>> layer = EquationLayer("gru", 3, 4)
        >>> layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
        >>> y, states = layer(np.ones((10, 2, 3), np.float32))  # steps, sequences, features
        >>> y.shape
        (10, 2, 4)
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool = True,
        bidirectional: bool = False,
        **options: Any,
    ) -> None:
        self.describe(find(cell), input_size, hidden_size, bias=bias, bidirectional=bidirectional, options=options)
        self._cell = replace(self.cell, step=self._step)
        self._directions: list[dict[str, Exact]] = []

    @property
    def loaded(self) -> bool:
        """Whether the layer has parameters."""
        return bool(self._directions)

    def take(self, arrays: list[np.ndarray]) -> None:
        """Copy the parameters, given in the order of `parameter_names`."""
        arrays = [array.copy() for array in arrays]
        count = len(arrays) // self.directions
        names = self.parameter_names[:count]
        self._directions = [
            dict(zip(names, map(Exact.weight, arrays[k : k + count]), strict=True))
            for k in range(0, len(arrays), count)
        ]

    def advance(self, x: np.ndarray, state: State) -> State:
        """One step of the first direction: x (batch, input), states (batch, size) -> the new states."""
        new = self._step(x, state, self._directions[0], **self.options)
        shares = self.cell.zoneout(self.options)
        return Zoneout(shares)(state, new) if shares else new

    def sweep(
        self, x: np.ndarray, state: State, lengths: np.ndarray | None, batch_first: bool
    ) -> tuple[np.ndarray, State]:
        """`__call__` with checked arguments."""
        x = x.swapaxes(0, 1) if batch_first else x
        outputs, finals = [], []
        for direction, parameters in enumerate(self._directions):
            start = tuple(each[direction] for each in state) or None
            y, final = sweep(self._cell, x, start, parameters, lengths, reverse=direction == 1, **self.options)
            outputs.append(np.asarray(y))
            finals.append(final)
        joined = np.concatenate(outputs, axis=-1)
        y = np.ascontiguousarray(joined.swapaxes(0, 1) if batch_first else joined)
        return y, tuple(np.stack([np.asarray(one) for one in each]) for each in zip(*finals, strict=True))

    def _step(self, x: np.ndarray, state: State, parameters: dict[str, Exact], **options: Any) -> State:
        new = self.cell.step(x.view(Exact), tuple(each.view(Exact) for each in state), parameters, **options)
        return tuple(each.view(np.ndarray) for each in new)


class EquationStep(StackStep):
    """Advances `batch` streams of a stack of equation layers together, like `engine.Step`."""

    def __init__(self, layers: Sequence[EquationLayer], batch: int = 1) -> None:
        super().__init__(layers, batch)
        self._layers = tuple(layers)
        self.state = zero_slabs(layers, batch)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (batch, input) float32 -> the last layer's output (batch, size), a view of its state.

        The next step overwrites it: copy what you keep.

        Raises:
            ShapeError: x has the wrong shape or is not float32.
        """
        if getattr(x, "shape", None) != self.shape or x.dtype != np.float32:
            raise ShapeError(self.expected(x))
        for layer, states in zip(self._layers, self.state, strict=True):
            for state, new in zip(states, layer.advance(x, states), strict=True):
                state[...] = new
            x = states[0]
        return x

    def trace(self, x: np.ndarray) -> tuple[np.ndarray, list[Trace]]:
        """Take a step; also return copies of each layer's states by name. Equations do not expose their gates."""
        y = self(x)
        return y, [named_states(layer, states) for layer, states in zip(self._layers, self.state, strict=True)]


class EquationStreams:
    """Advances any subset of the streams of a stack of equation layers by one step each, like `engine.Streams`.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import EquationLayer, EquationStreams
        >>> layer = EquationLayer("gru", 3, 4)
        >>> layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
        >>> streams = EquationStreams([layer])
        >>> streams.step(np.array([5, 0]), np.ones((2, 3), np.float32), streams.slabs(8)).shape
        (2, 4)
    """

    def __init__(self, layers: Sequence[EquationLayer]) -> None:
        check_stack(layers)
        self.layers = tuple(layers)
        self.input_size, self.output_size = layers[0].input_size, layers[-1].output_size

    def slabs(self, streams: int) -> Slabs:
        """Return zero states for `streams` streams."""
        return zero_slabs(self.layers, streams)

    def step(self, places: np.ndarray, x: np.ndarray, slabs: Slabs) -> np.ndarray:
        """Advance the streams at `places`: update their states in `slabs`, return the last layer's outputs."""
        for layer, states in zip(self.layers, slabs, strict=True):
            new = layer.advance(x, tuple(state[places] for state in states))
            for state, rows in zip(states, new, strict=True):
                state[places] = rows
            x = new[0]
        return x
