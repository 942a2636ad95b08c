"""ONNX's recurrent operators, LSTM, GRU and RNN, as recurrent layers of a graph."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.onnx_reading import Reading, attributes
from penstock.convert.importing.onnx_symbols import Axis, State, Symbol, feature
from penstock.errors import ConfigError
from penstock.network import Concatenate, Pool, Recurrent, RecurrentLayers, Slice
from penstock.runtime.layouts import Conventions, parameters_of

__all__ = ["recurrent"]

_PLAIN = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}


def recurrent(reading: Reading, node: Any) -> list[Any]:
    """Read a recurrent operator; return its outputs: Y, Y_h and of an LSTM Y_c.

    Raises:
        ConfigError: an attribute that the engine lacks, or weights that depend on the model's input.
    """
    given = {name: _text(value) for name, value in attributes(node).items()}
    layout, direction = given.get("layout", 0), given.get("direction", "forward")
    both = direction == "bidirectional"
    activation = _activation(node.op_type, given, 2 if both else 1)
    x = _input(reading, node, layout)
    _check_lengths(reading, node)
    cell = node.op_type.lower()
    arrays = {name: reading.constant(node, place) for name, place in (("W", 1), ("R", 2), ("B", 3))}
    if cell == "lstm":
        arrays["P"] = reading.constant(node, 7)
    present = {name: array for name, array in arrays.items() if array is not None}
    conventions = Conventions(reset_after=bool(given.get("linear_before_reset", 0)) if cell == "gru" else None)
    parameters, options = parameters_of([present], cell, "onnx", conventions)
    hidden = int(arrays["R"].shape[-1])
    options |= {"nonlinearity": activation} if cell == "rnn" else {}
    options |= {"peephole": True} if "P" in present else {}
    spec = Recurrent(
        cell=cell,
        input_size=x.size,
        hidden_size=hidden,
        bidirectional=both,
        bias="B" in present,
        **options,
    )
    initial = _initial(reading, node, cell, layout)
    layers = RecurrentLayers(spec, reverse=direction == "reverse", initial=bool(initial))
    tensors: dict[str, Any] = {**parameters, **initial}
    name = reading.builder.add(layers, x.name, **tensors)
    return _outputs(reading, name, x, hidden, layout, direction)


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(each) for each in value]
    return value.decode() if isinstance(value, bytes) else value


def _activation(operator: str, given: dict[str, Any], directions: int) -> str:
    """The activation of a plain RNN, "tanh" or "relu"; a check for the others."""
    if given.get("clip"):
        raise ConfigError(f"clip={given['clip']:g} is not read: the engine's gates have no limit")
    if given.get("input_forget"):
        raise ConfigError("input_forget=1 is not read: the engine's LSTM has a forget gate of its own")
    found = given.get("activations") or list(_PLAIN[operator]) * directions
    each = {
        tuple(found[start : start + len(_PLAIN[operator])]) for start in range(0, len(found), len(_PLAIN[operator]))
    }
    if operator == "RNN" and each == {("Relu",)}:
        return "relu"
    if each != {_PLAIN[operator]}:
        also = " or Relu" if operator == "RNN" else ""
        raise ConfigError(f"activations must be {', '.join(_PLAIN[operator])}{also}; got {', '.join(found)}")
    return "tanh"


def _input(reading: Reading, node: Any, layout: int) -> Symbol:
    """The input as (time, batch, features)."""
    x = reading.symbol(node, 0)
    if len(x.axes) == 3:
        x = x.transposed((1, 0, 2)) if layout else x
        kinds = [[atom.kind for atom in axis] for axis in x.axes[:2]]
        if kinds[0] == ["time"] and kinds[1] in ([], ["batch"]) and x.axes[2] == x.features and x.features:
            return x
    wanted = "(batch, time, features)" if layout else "(time, batch, features)"
    raise ConfigError(f"reads {wanted}; got the shape {x.shape}, whose axes mean something else")


def _check_lengths(reading: Reading, node: Any) -> None:
    """Lengths are an input, or all steps: a sequence has its own length here."""
    lengths = reading.given(node, 4)
    if isinstance(lengths, Symbol):
        raise ConfigError("sequence_lens must be an input of the model")
    if isinstance(lengths, np.ndarray) and lengths.size and not (lengths == reading.symbol(node, 0).shape[0]).all():
        raise ConfigError("sequence_lens must be an input of the model, or the number of steps")


def _initial(reading: Reading, node: Any, cell: str, layout: int) -> dict[str, NDArray[np.float32]]:
    """The initial states that are not 0, (directions, size) by tensor name; the same for all sequences."""
    found: dict[str, NDArray[Any] | None] = {}
    for name, place in (("h", 5), ("c", 6)) if cell == "lstm" else (("h", 5),):
        value = reading.given(node, place)
        if isinstance(value, Symbol):
            raise ConfigError(f"initial_{name} must be a constant or an input of the model")
        if value is None or isinstance(value, State):
            found[name] = None
            continue
        states = np.asarray(value).swapaxes(0, 1) if layout else np.asarray(value)
        if not (states == states[:, :1]).all():
            raise ConfigError(f"initial_{name} must be the same for all sequences")
        found[name] = states[:, 0]
    if all(array is None or not array.any() for array in found.values()):
        return {}
    known = next(array for array in found.values() if array is not None)
    return {f"initial_{name}": np.zeros_like(known) if array is None else array for name, array in found.items()}


def _outputs(reading: Reading, name: str, x: Symbol, hidden: int, layout: int, direction: str) -> list[Any]:
    """Y (time, directions, batch, hidden), Y_h (directions, batch, hidden), and a state for Y_c."""
    time, batch = x.axes[0], x.axes[1]
    both: Axis = (feature(2),) if direction == "bidirectional" else ()
    units: Axis = (feature(hidden),) if hidden > 1 else ()
    features = both + units
    y = Symbol(name, (time, both, batch, units), features)
    final = Symbol(_final(reading, name, hidden, direction), (both, batch, units), features)
    if layout:
        y, final = y.transposed((2, 0, 1, 3)), final.transposed((1, 0, 2))
    return [y, final, State(name)]


def _final(reading: Reading, name: str, hidden: int, direction: str) -> str:
    """The outputs after the last step that each direction reads: for the backward one the first."""
    add = reading.builder.add
    if direction != "bidirectional":
        return add(Pool("first" if direction == "reverse" else "last"), name)
    forward = add(Pool("last"), add(Slice(0, hidden), name))
    backward = add(Pool("first"), add(Slice(hidden, 2 * hidden), name))
    return add(Concatenate(), forward, backward)
