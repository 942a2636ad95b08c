"""Argument checks for cells: whether array shapes match each other. Values are never read."""

from collections.abc import Mapping
from typing import Any

from penstock.cells.arithmetic import namespace
from penstock.cells.declaration import Array, Cell
from penstock.errors import ConfigError, DtypeError, ShapeError


def check_parameters(cell: Cell, parameters: Mapping[str, Array], **options: Any) -> tuple[int, int]:
    """Check that all parameters exist and have matching shapes; return (input_size, hidden_size).

    Raises:
        ConfigError: a parameter is missing, or the options do not use one.
        ShapeError: a parameter has the wrong shape.
    """
    if missing := [name for name in ("weight_ih", "weight_hh") if name not in parameters]:
        raise ConfigError(f"{cell.name} needs {' and '.join(missing)}; got {', '.join(parameters) or 'none'}.")
    gates, shape = len(cell.gates), _shape("weight_ih", parameters["weight_ih"])
    if len(shape) != 2 or shape[0] % gates:
        raise ShapeError(f"weight_ih must be ({gates} * hidden, input) for {cell.name}; got {shape}. Transpose it?")
    hidden_size, input_size = shape[0] // gates, shape[1]
    expected = cell.parameter_shapes(input_size, hidden_size, **options)
    if missing := [name for name in expected if name not in parameters and not name.startswith("bias")]:
        raise ConfigError(f"{cell.name} with {options} needs {', '.join(missing)}; got {', '.join(parameters)}.")
    if surplus := [name for name in parameters if name not in expected]:
        raise ConfigError(f"{cell.name} with {options} has no {', '.join(surplus)}. Leave it out, or set its option.")
    for name, array in parameters.items():
        if _shape(name, array) != expected[name]:
            raise ShapeError(
                f"{name} must be {expected[name]} ({cell.name} with input={input_size}, hidden={hidden_size}, from"
                f" weight_ih {shape}); got {_shape(name, array)}."
            )
    return input_size, hidden_size


def check_input(x: Array, input_size: int, *, over_time: bool = False) -> tuple[int, ...]:
    """Check x and return its batch axes: those before `input` in (..., input), or (batch,) in (time, batch, input).

    Raises:
        ShapeError: x has the wrong shape.
        DtypeError: x does not hold floating-point numbers.
    """
    shape = _shape("x", x)
    if not shape or shape[-1] != input_size or (over_time and len(shape) != 3):
        axes = "time, batch" if over_time else "..."
        raise ShapeError(f"x must be ({axes}, input={input_size}); got {shape}. weight_ih takes {input_size} inputs.")
    if not namespace(x).isdtype(x.dtype, "real floating"):
        raise DtypeError(f"x must hold floating-point numbers; got {x.dtype}. Convert it first.")
    return shape[1:-1] if over_time else shape[:-1]


def check_state(cell: Cell, state: tuple[Array, ...], batch: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    """Check that each state has the shape (*batch, size).

    Raises:
        ShapeError: a state is missing or has the wrong shape.
    """
    if len(state) != len(cell.states):
        raise ShapeError(f"the state of {cell.name} must be ({', '.join(cell.states)}); got {len(state)} arrays.")
    for name, array, size in zip(cell.states, state, sizes, strict=True):
        if _shape(name, array) != (*batch, size):
            raise ShapeError(
                f"{name} must be {(*batch, size)}, the batch axes of x followed by the state's size {size};"
                f" got {_shape(name, array)}."
            )


def _shape(name: str, array: Array) -> tuple[int, ...]:
    if not hasattr(array, "shape"):
        raise ShapeError(f"{name} must be a NumPy array or a PyTorch tensor; got {type(array).__name__}. Convert it.")
    return tuple(array.shape)
