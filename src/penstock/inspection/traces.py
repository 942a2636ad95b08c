"""Traces: every gate, candidate and state of a network while it reads one input, computed by the runtime."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.folders import whole_file
from penstock.inspection.arrays import NamedArray, xarray_module
from penstock.inspection.subject import subject
from penstock.runtime.stack import Stack

__all__ = ["NetworkTrace", "trace", "trace_stack"]

DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True, eq=False)
class NetworkTrace(Mapping[str, NamedArray]):
    """Gates, candidates and states by the cell's names, such as "forget" or "h".

    Each has the axes layer, direction, step, batch and unit; batch is left out for a single sequence, and called target
    for a forecaster that reads each target by itself. The axis of a projected state is called output instead of unit.
    Place t on the axis of steps is after step t was read; the backward direction reads the steps from the end.

    Attributes:
        arrays: all of them by name.
        states: the names of the states, the output first.
    """

    arrays: Mapping[str, NamedArray]
    states: tuple[str, ...]

    @property
    def gates(self) -> tuple[str, ...]:
        """The names of the gates and candidates, in the cell's order.

        None for a cell that runs by its equations, and for rnn, whose only gate is its state.
        """
        return tuple(name for name in self.arrays if name not in self.states)

    def __getitem__(self, name: str) -> NamedArray:
        return self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __repr__(self) -> str:
        return f"NetworkTrace({', '.join(self)}; {self.arrays[self.states[0]]!r})"

    def to_xarray(self) -> Any:
        """Return an `xarray.Dataset`; MissingExtraError if xarray is not installed."""
        return xarray_module().Dataset({name: array.to_xarray() for name, array in self.arrays.items()})

    def save(self, path: str | Path) -> None:
        """Write an .npz file: each array by its name, its axes as `NAME.dims`, and coordinates as `coord.NAME`."""
        found: dict[str, NDArray[Any]] = {}
        for name, array in self.arrays.items():
            found |= {name: array.values, f"{name}.dims": np.array(array.dims)}
            found |= {f"coord.{coord}": values for coord, (_, values) in array.coords.items()}
        with whole_file(Path(path)) as new, new.open("wb") as file:  # a file, because NumPy adds an ending to names
            np.savez(file, **found)  # type: ignore[arg-type]  # the stubs take a keyword for allow_pickle


def trace(model: Any, item: Any) -> NetworkTrace:
    """Return every gate, candidate and state of a network for each step of one input, layer and direction.

    They are the runtime's: the states have the same bits as those of a prediction or a stream. PyTorch is not needed.

    Args:
        model: a loaded model, a fitted estimator, or a `runtime.Recurrence`.
        item: one input, of the kind that `predict` takes several of: a text, a signal, a recording; one series for a
            forecaster; for a `Recurrence`, x (time, input) or (time, batch, input).

    Raises:
        DataError, ShapeError, DtypeError: the input is not of the model's kind.
        ConfigError: the model cannot be inspected.

    Examples:
        >>> import numpy as np
        >>> from penstock.inspection import trace
        >>> from penstock.runtime import Recurrence
        >>> weights = {"weight_ih_l0": np.ones((12, 3)), "weight_hh_l0": np.ones((12, 4))}
        >>> found = trace(Recurrence(weights, cell="gru"), np.ones((5, 3)))
        >>> found.gates, found["update"].sizes
        (('reset', 'update', 'candidate'), {'layer': 1, 'direction': 1, 'step': 5, 'unit': 4})
    """
    found = subject(model, item)
    return trace_stack(found.stack, found.x, found.axis, found.names)


def trace_stack(
    stack: Stack, x: NDArray[np.float32], axis: tuple[str, Sequence[Any]] | None = None, names: tuple[str, ...] = ()
) -> NetworkTrace:
    """Trace layers on vectors.

    Args:
        stack: the layers.
        x: (steps, batch, input).
        axis: the name and the coordinates of the axis of the batch; None leaves it out, if there is one sequence.
        names: the names of the steps, if they have any.
    """
    values: dict[str, list[NDArray[np.float32]]] = {}
    for layer in range(stack.spec.num_layers):
        outputs = []
        for direction in range(stack.directions):
            one = stack.one_layer(layer, direction, x.shape[1])
            found = _trace_layer(one, x[::-1] if direction else x)
            for name, array in found.items():
                values.setdefault(name, []).append(array[::-1] if direction else array)
            outputs.append(values[stack.state_names[0]][-1])
        x = np.concatenate(outputs, axis=-1)
    shape = (stack.spec.num_layers, stack.directions)
    arrays = {name: np.stack(each).reshape(*shape, *each[0].shape) for name, each in values.items()}
    return NetworkTrace(
        {name: _named(array, stack, axis, names) for name, array in arrays.items()}, states=stack.state_names
    )


def _trace_layer(step: engine.StackStep, x: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return gates and states (steps, batch, size) of one layer in one direction, in the order in which it reads."""
    named, steps = None, len(x)
    for place, row in enumerate(x):
        _, (found,) = step.trace(np.ascontiguousarray(row))
        if named is None:
            named = {name: np.empty((steps, *array.shape), np.float32) for name, array in found.items()}
        for name, array in found.items():
            named[name][place] = array
    if named is None:  # no step: the names and sizes of one that is not kept
        _, (found,) = step.trace(np.zeros(step.shape, np.float32))
        named = {name: np.empty((0, *array.shape), np.float32) for name, array in found.items()}
    return named


def _named(
    array: NDArray[np.float32], stack: Stack, axis: tuple[str, Sequence[Any]] | None, names: tuple[str, ...]
) -> NamedArray:
    layers, directions, steps, _, size = array.shape
    unit = "unit" if size == stack.spec.hidden_size else "output"
    coords: dict[str, tuple[str, NDArray[Any]]] = {
        "layer": ("layer", np.arange(layers)),
        "direction": ("direction", np.array(DIRECTIONS[:directions])),
        "step": ("step", np.arange(steps)),
        unit: (unit, np.arange(size)),
    }
    if names:
        coords["name"] = ("step", np.array(names))
    if axis is None:
        return NamedArray(array[:, :, :, 0], ("layer", "direction", "step", unit), coords)
    name, places = axis
    coords[name] = (name, np.array(places))
    return NamedArray(array, ("layer", "direction", "step", name, unit), coords)
