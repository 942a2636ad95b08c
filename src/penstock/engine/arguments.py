"""Base class of recurrent layers on NumPy arrays: sizes, parameters and argument checks."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.cells import Cell
from penstock.engine.arrays import dense
from penstock.errors import ConfigError, DtypeError, LengthsError, ShapeError

__all__ = ["BaseLayer", "State"]

State = tuple[np.ndarray, ...]
"""A layer's states, each (directions, batch, size)."""


class BaseLayer:
    """A layer that knows its cell, sizes and parameters, and checks its arguments.

    Subclasses implement `loaded`, `take` and `sweep`. This is not an ABC, because the compiled layer has another
    metaclass.

    Attributes:
        cell, options: the cell's declaration, and the values of all its options.
        input_size, hidden_size, output_size: input features, hidden units, outputs of one direction.
        directions: 1, or 2 if bidirectional.
        state_sizes: size of the last axis of each state.
        parameter_shapes: name to shape; names of the reverse direction end in `_reverse`.
    """

    def describe(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        *,
        bias: bool,
        bidirectional: bool,
        options: Mapping[str, Any],
    ) -> None:
        """Set the attributes.

        Raises:
            ConfigError: the cell has no such option, or a size is below 1.
        """
        if not all(isinstance(size, int | np.integer) and size >= 1 for size in (input_size, hidden_size)):
            raise ConfigError(
                f"input_size and hidden_size must be whole numbers, 1 or more; got {input_size!r} and {hidden_size!r}."
            )
        self.cell, self.options = cell, cell.complete(options)
        self.input_size, self.hidden_size = input_size, hidden_size
        self.directions = 2 if bidirectional else 1
        shapes = cell.parameter_shapes(input_size, hidden_size, bias=bias, **self.options)
        suffixes = ("", "_reverse")[: self.directions]
        self.parameter_shapes = {name + suffix: shape for suffix in suffixes for name, shape in shapes.items()}
        self.parameter_names = tuple(self.parameter_shapes)
        self.state_sizes = cell.state_sizes(hidden_size, **self.options)
        self.output_size = self.state_sizes[0]

    @property
    def states(self) -> int:
        """Number of states of the cell."""
        return len(self.state_sizes)

    @property
    def loaded(self) -> bool:
        """Whether the layer has parameters."""
        raise NotImplementedError

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Copy these parameters (names as in `parameter_names`, shapes as in `parameter_shapes`) into the layer.

        Later changes to the arrays have no effect until they are loaded again.

        Raises:
            ShapeError: a parameter is missing or has the wrong shape.
        """
        arrays = []
        for name, shape in self.parameter_shapes.items():
            if name not in parameters:
                raise ShapeError(f"parameter {name} {shape} is missing; got {sorted(parameters)}.")
            array = dense(parameters[name], np.float32)
            if array.shape != shape:
                raise ShapeError(f"parameter {name} must be {shape}; got {array.shape}.")
            arrays.append(array)
        self.take(arrays)

    def take(self, arrays: list[np.ndarray]) -> None:
        """Copy or pack the parameters, given in the order of `parameter_names`, for computation."""
        raise NotImplementedError

    def sweep(
        self, x: np.ndarray, state: State, lengths: np.ndarray | None, batch_first: bool
    ) -> tuple[np.ndarray, State]:
        """`__call__` with checked arguments; an empty `state` means zeros."""
        raise NotImplementedError

    def __call__(
        self,
        x: np.ndarray,
        state: State | None = None,
        *,
        lengths: np.ndarray | None = None,
        batch_first: bool = False,
    ) -> tuple[np.ndarray, State]:
        """Run over whole sequences.

        Args:
            x: (time, batch, input) or, with `batch_first`, (batch, time, input); converted to float32.
            state: initial states, each (directions, batch, size); zeros by default.
            lengths: (batch,) integers from 0 to time, in any order; `time` for all by default.

        Returns:
            y, laid out like x with directions * output_size features and 0 past a sequence's length, and the final
            states, each (directions, batch, size), taken at each sequence's end; for length 0 the initial states.

        Raises:
            ShapeError, DtypeError, LengthsError: an argument has the wrong shape, type or length.
            ConfigError: the layer has no parameters yet.
        """
        x = _floats(x, "x")
        axes = "(batch, time, input=%d)" if batch_first else "(time, batch, input=%d)"
        if x.ndim != 3 or x.shape[2] != self.input_size:
            raise ShapeError(f"x must be {axes % self.input_size}; got {x.shape}.")
        batch, steps = (x.shape[0], x.shape[1]) if batch_first else (x.shape[1], x.shape[0])
        lengths = _checked_lengths(lengths, batch, steps)
        initial = () if state is None else self._checked_state(state, batch)
        if not self.loaded:
            raise ConfigError("the layer has no parameters yet: call load first.")
        return self.sweep(x, initial, lengths, batch_first)

    def _checked_state(self, state: State, batch: int) -> State:
        if len(state) != self.states:
            raise ShapeError(f"state must be a tuple of {self.states} arrays; got {len(state)}.")
        initial = tuple(_floats(array, "state") for array in state)
        for array, size in zip(initial, self.state_sizes, strict=True):
            if array.shape != (self.directions, batch, size):
                raise ShapeError(
                    f"each state must be (directions={self.directions}, batch={batch}, size={size}); got {array.shape}."
                )
        return initial


def _floats(array: np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"{name} must hold real numbers; got dtype {array.dtype}.")
    return dense(array, np.float32)


def _checked_lengths(lengths: np.ndarray | None, batch: int, steps: int) -> np.ndarray | None:
    if lengths is None:
        return None
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu" or lengths.shape != (batch,):
        raise LengthsError(
            f"lengths must be {batch} whole numbers, one for each sequence; got shape {lengths.shape}, dtype "
            f"{lengths.dtype}."
        )
    if batch and (lengths.min() < 0 or lengths.max() > steps):
        raise LengthsError(
            f"lengths must lie between 0 and the {steps} steps of x; got {lengths.min()} to {lengths.max()}."
        )
    return dense(lengths, np.int64)
