"""One recurrent layer of the engine, in one or two directions, on whole sequences."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from penstock.cells import find
from penstock.engine._native import NativeLayer
from penstock.engine.arrays import dense
from penstock.engine.threads import get_num_threads
from penstock.errors import ConfigError, DtypeError, LengthsError, ShapeError

__all__ = ["Layer"]

# The order of CellKind in cpp/include/penstock/kernels.hpp, and what tells the kinds of a cell apart.
_KINDS = (("rnn", "tanh"), ("rnn", "relu"), ("lstm", False), ("lstm", True), ("gru", True), ("gru", False))
_KIND_OPTIONS = {"rnn": ("nonlinearity",), "lstm": ("peephole",), "gru": ("reset_after",)}


class Layer(NativeLayer):
    """One recurrent layer: packed weights and runs over whole sequences, in float32.

    Args:
        cell: a name in `penstock.cells`: "rnn", "lstm", "gru".
        input_size, hidden_size: features of a step, units of the state.
        bias: whether `bias_ih` and `bias_hh` exist.
        bidirectional: a second direction that reads each sequence from its end.
        options: the cell's: nonlinearity, peephole, proj_size, reset_after.

    Raises:
        ConfigError: an unknown cell, an option it lacks, a size below 1.
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
        declared = find(cell)
        options = declared.complete(options)
        if not all(isinstance(size, int | np.integer) and size >= 1 for size in (input_size, hidden_size)):
            raise ConfigError(
                f"input_size and hidden_size must be whole numbers, 1 or more; got {input_size!r} and {hidden_size!r}."
            )
        directions = 2 if bidirectional else 1
        kind = _KINDS.index((cell, *(options[name] for name in _KIND_OPTIONS[cell])))
        super().__init__(kind, input_size, hidden_size, options.get("proj_size", 0), bias, directions)
        shapes = declared.parameter_shapes(input_size, hidden_size, bias=bias, **options)
        suffixes = ("", "_reverse")[:directions]
        self.parameter_shapes = {name + suffix: shape for suffix in suffixes for name, shape in shapes.items()}
        self.parameter_names = tuple(self.parameter_shapes)
        self.state_sizes = declared.state_sizes(hidden_size, **options)
        self.gates = declared.gates
        self.input_size, self.hidden_size = input_size, hidden_size
        self.output_size = self.state_sizes[0]  # of one direction
        self.directions = directions

    @property
    def states(self) -> int:
        """How many states the cell has: h, and for an LSTM also c."""
        return len(self.state_sizes)

    @property
    def loaded(self) -> bool:
        """Whether the layer has parameters."""
        return self.packed

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
        self.load_arrays(arrays)

    def __call__(
        self,
        x: np.ndarray,
        state: tuple[np.ndarray, ...] | None = None,
        *,
        lengths: np.ndarray | None = None,
        batch_first: bool = False,
    ) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
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
        initial = self._initial(state, batch)
        if not self.loaded:
            raise ConfigError("the layer has no parameters yet: call load first.")
        y, *final = self.run(x, batch_first, lengths, initial, get_num_threads())
        return y, tuple(final)

    def _initial(self, state: tuple[np.ndarray, ...] | None, batch: int) -> tuple[np.ndarray, ...]:
        if state is None:
            return ()
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
