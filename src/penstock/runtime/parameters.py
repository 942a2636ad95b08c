"""Inference of a recurrent layer's description (sizes, layers, directions, options) from PyTorch parameters."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.cells import CELLS, find
from penstock.errors import ConfigError, DtypeError, ShapeError
from penstock.network import Recurrent

Parameters = Mapping[str, NDArray[np.float32]]

_PARAMETER = re.compile(r"((?:weight|bias)_[a-z]{2})(?:_l(\d+)(_reverse)?)?")
_FIRST = ("weight_ih_l0", "weight_ih")


def is_parameter(name: str) -> bool:
    """Whether `name` has the form of a PyTorch parameter of a recurrent layer or cell."""
    return _PARAMETER.fullmatch(name) is not None


def in_stack(name: str) -> str:
    """Return a parameter's name within a stack: names of a single cell, such as weight_ih, get the suffix _l0."""
    return name if _parts(name)[2] else f"{name}_l0"


def number_of_layer(name: str) -> int:
    """Return the layer's number: 1 for weight_ih_l1_reverse."""
    return int(_parts(name)[2])


def _parts(name: str) -> re.Match[str]:
    parts = _PARAMETER.fullmatch(name)
    assert parts, name  # callers have checked `is_parameter`
    return parts


def real(values: ArrayLike, name: str) -> NDArray[np.float32]:
    """Return real numbers of any type as C-contiguous float32.

    Raises:
        DtypeError: the values are not real numbers; the message calls them `name`.
        ShapeError: the values are nested lists of different lengths.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ShapeError(f"{name} must be an array; got lists of different lengths. Pad them.") from error
    if array.dtype.kind not in "fiub":
        raise DtypeError(f"{name} must hold real numbers; got {array.dtype}")
    return np.asarray(array, np.float32, order="C")


def check_prefix(names: Sequence[str], prefix: str) -> None:
    """Check that there is a recurrent layer's first weight under the prefix.

    Raises:
        ConfigError: there is none; the message lists the prefixes that have one.
    """
    if any(prefix + first in names for first in _FIRST):
        return
    prefixes = {name.removesuffix(first) for name in names for first in _FIRST if name.endswith(first)}
    listed = ", ".join(map(repr, sorted(prefixes)))
    raise ConfigError(
        f"{prefix}weight_ih_l0 is missing: there is no recurrent layer under the prefix {prefix!r}. "
        + (f"Prefixes found: {listed}." if prefixes else "The file holds no recurrent layer.")
    )


def infer(parameters: Parameters, cell: str, options: dict[str, Any]) -> Recurrent:
    """Infer the description of the stack of these parameters, and check that every parameter matches it.

    Raises:
        ConfigError: an unknown cell or option, or parameters that are missing, surplus or of another cell.
        ShapeError: the parameters' shapes do not match each other.
    """
    declaration = find(cell)
    hidden_size = _hidden_size(parameters, cell)
    layers = {
        "num_layers": 1 + max(number_of_layer(name) for name in parameters),
        "bidirectional": any(name.endswith("_reverse") for name in parameters),
        "bias": any(name.startswith("bias") for name in parameters),
    }
    first = {name.removesuffix("_l0"): array for name, array in parameters.items() if name.endswith("_l0")}
    inferred: dict[str, Any] = layers | declaration.shown(first)
    for name in inferred.keys() & options.keys():
        if inferred[name] != options[name]:
            raise ConfigError(
                f"{name}={options[name]!r} does not match the parameters, which imply {inferred[name]!r}. Leave it out."
            )
    declaration.complete({name: value for name, value in options.items() if name not in layers})
    spec = Recurrent(
        cell=cell,
        input_size=parameters["weight_ih_l0"].shape[1],
        hidden_size=hidden_size,
        **(inferred | options),
    )
    _check(parameters, spec)
    return spec


def _hidden_size(parameters: Parameters, cell: str) -> int:
    if missing := [name for name in ("weight_ih_l0", "weight_hh_l0") if name not in parameters]:
        got = ", ".join(parameters) or "no parameters of a recurrent layer"
        raise ConfigError(f"{' and '.join(missing)} missing; got {got}")
    outputs = _output_weight(parameters, cell)
    for name in ("weight_ih_l0", "weight_hh_l0", outputs):
        if name in parameters and (parameters[name].ndim != 2 or 0 in parameters[name].shape):
            raise ShapeError(f"{name} must have two axes, none empty; got {parameters[name].shape}")
    weight, hidden = parameters["weight_hh_l0"], parameters[outputs].shape[1]
    gates = len(find(cell).gates)
    if len(weight) != gates * hidden:
        fitting = [name for name, other in CELLS.items() if len(weight) == len(other.gates) * hidden]
        raise ConfigError(
            f"the parameters are not of the cell {cell!r}, which has {gates} gate{'s' * (gates > 1)}: "
            f"weight_hh_l0 is {weight.shape}, that is {len(weight) / hidden:g} gates of {hidden} units."
            + (f" The cell {fitting[0]!r} has that many gates." if fitting else "")
        )
    return hidden


def _output_weight(parameters: Parameters, cell: str) -> str:
    """Name the matrix whose columns are the hidden units: the projection if there is one, otherwise weight_hh_l0."""
    sized = [f"{option.parameter}_l0" for option in find(cell).options.values() if option.below_hidden_size]
    return next((name for name in sized if name in parameters), "weight_hh_l0")


def _check(parameters: Parameters, spec: Recurrent) -> None:
    expected = spec.parameter_shapes()
    if missing := [name for name in expected if name not in parameters]:
        raise ConfigError(f"{', '.join(missing)} missing; got {', '.join(parameters)}")
    if surplus := [name for name in parameters if name not in expected]:
        raise ConfigError(f"the cell {spec.cell!r} has no {', '.join(surplus)}. Check the cell and its options.")
    for name, shape in expected.items():
        if parameters[name].shape != shape:
            first = parameters["weight_ih_l0"].shape
            raise ShapeError(f"{name} must be {shape} to match weight_ih_l0 {first}; got {parameters[name].shape}")
