"""What every recurrent layer on NumPy arrays is and takes, whoever computes it: sizes, parameters, arguments."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.cells import Cell
from penstock.engine.arrays import dense
from penstock.errors import ConfigError, DtypeError, LengthsError, ShapeError

__all__ = ["Described", "State"]

State = tuple[np.ndarray, ...]
"""A layer's states, each (directions, batch, size)."""


class Described:
    """A layer that knows its cell, sizes and parameters, and checks what it is called with.

    Whoever computes fills in `loaded`, `take` and `sweep`. Not an ABC: the compiled layer has another metaclass.

    Attributes:
        cell, options: the declaration, and all its options.
        input_size, hidden_size, output_size: features of a step, units, outputs of one direction.
        directions: 1, or 2 if bidirectional.
        state_sizes: the last axis of each state.
        parameter_shapes: name to shape; those of the reverse direction end in `_reverse`.
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
            ConfigError: an option that the cell lacks, a size below 1.
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
        """How many states the cell has."""
        return len(self.state_sizes)

    @property
    def loaded(self) -> bool:
        """Whether the layer has parameters."""
        raise NotImplementedError

    def load(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Take these parameters (names as in `parameter_names`, shapes as in `parameter_shapes`), copied.

        What happens to the arrays later is not seen: load them again.

        Raises:
            ShapeError: one is missing or has another shape.
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
        """Make ready what computes with the parameters, given in the order of `parameter_names`; copied."""
        raise NotImplementedError

    def sweep(
        self, x: np.ndarray, state: State, lengths: np.ndarray | None, batch_first: bool
    ) -> tuple[np.ndarray, State]:
        """`__call__` with arguments that are checked; no states are zeros."""
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
            state: initial states, each (directions, batch, size); zeros where not given.
            lengths: (batch,) whole numbers from 0 to time, in any order; all `time` where not given.

        Returns:
            y like x with directions * output_size features, 0 past a sequence's length, and the final states, each
            (directions, batch, size): those at each sequence's own end, the initial ones at length 0.

        Raises:
            ShapeError, DtypeError, LengthsError: what was given does not fit.
        """
        x = _floats(x, "x")
        axes = "(batch, time, input=%d)" if batch_first else "(time, batch, input=%d)"
        if x.ndim != 3 or x.shape[2] != self.input_size:
            raise ShapeError(f"x must be {axes % self.input_size}; got {x.shape}.")
        batch, steps = (x.shape[0], x.shape[1]) if batch_first else (x.shape[1], x.shape[0])
        lengths = _checked_lengths(lengths, batch, steps)
        initial = () if state is None else self._initial(state, batch)
        if not self.loaded:
            raise ConfigError("the layer has no parameters yet: call load first.")
        return self.sweep(x, initial, lengths, batch_first)

    def _initial(self, state: State, batch: int) -> State:
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
        raise DtypeError(f"{name} must be real numbers; got dtype {array.dtype}.")
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
            f"each length must be from 0 to the {steps} steps of the data; got {lengths.min()} to {lengths.max()}."
        )
    return dense(lengths, np.int64)
