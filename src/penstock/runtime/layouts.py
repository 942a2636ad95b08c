"""How libraries store a recurrent layer: names, gate orders, transposed matrices, conventions; and their conversion.

PyTorch's order is i, f, g, o for an LSTM (input, forget, candidate, output) and r, z, n for a GRU (reset, update,
candidate). `LAYOUTS` names the others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.cells import find
from penstock.checks import check_one_of
from penstock.errors import ConfigError, ShapeError
from penstock.runtime.parameters import real

__all__ = ["LAYOUTS", "Conventions", "Layout", "parameters_of"]

Floats = NDArray[np.float32]
Direction = Mapping[str, Any]
"""The arrays of one direction of one layer by the library's names."""

_ORDERS = {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}
_SAME_GATE = str.maketrans({"c": "g"}), str.maketrans({"h": "n", "a": "n", "c": "n", "u": "z"})


@dataclass(frozen=True)
class Conventions:
    """What arrays do not show.

    Attributes:
        gates: the order of the gates, a letter each: i, f, g (or c), o; r, z (or u), n (or h, c, a). None for the
            layout's.
        update_keeps: whether a GRU's update gate keeps the old state where it is 1, as in PyTorch and Keras; else it
            takes the new one. None for the layout's.
        forget_bias: what the library adds to an LSTM's forget gate beside the stored bias. None for the layout's.
        reset_after: whether a GRU's reset gate is applied after the product. None for the layout's.
    """

    gates: str | None = None
    update_keeps: bool | None = None
    forget_bias: float | None = None
    reset_after: bool | None = None


@dataclass(frozen=True)
class Layout:
    """A way to store a layer.

    Attributes:
        read: (arrays, gates) -> PyTorch's names and shapes, with the gates still in the library's order, and
            `reset_after` if the arrays show it.
        orders: the gate order by cell.
        update_keeps, forget_bias, reset_after: the library's conventions; see `Conventions`.
    """

    read: Callable[[Direction, int], dict[str, Any]]
    orders: Mapping[str, str]
    update_keeps: bool = True
    forget_bias: float = 0.0
    reset_after: bool = True


def parameters_of(
    layers: Any, cell: str, layout: str, conventions: Conventions
) -> tuple[dict[str, Floats], dict[str, Any]]:
    """Return PyTorch's parameters of a stack, and the cell's options that the layout implies.

    Args:
        layers: as in `Recurrence.from_arrays`.
        cell: "rnn", "lstm" or "gru".
        layout: a key of `LAYOUTS`.
        conventions: what differs from the layout's.

    Raises:
        ConfigError: an unknown layout or gate order, or arrays are missing or unknown.
        ShapeError, DtypeError: an array has the wrong shape or type.
    """
    check_one_of("layout", layout, LAYOUTS)
    find(cell)
    if cell not in _ORDERS:
        raise ConfigError(f"layouts are known for rnn, lstm and gru; got the cell {cell!r}")
    found, forms = dict[str, Floats](), set()
    for number, layer in enumerate(_stack(layers, layout)):
        for suffix, direction in zip(("", "_reverse"), layer, strict=False):
            where = f"layer {number}{', backward' if suffix else ''}"
            arrays, reset_after = _direction(direction, cell, LAYOUTS[layout], conventions, where)
            forms.add(reset_after)
            found |= {f"{name}_l{number}{suffix}": array for name, array in arrays.items()}
    if len(forms) > 1:
        raise ConfigError("all layers must have the same reset_after")
    return found, {"reset_after": forms.pop()} if cell == "gru" else {}


def _stack(layers: Any, layout: str) -> list[tuple[Direction, ...]]:
    """Return the directions of each layer, split from ONNX's first axis where there is one."""
    if isinstance(layers, Mapping):
        layers = [layers]
    if not layers:
        raise ConfigError("layers must hold at least one layer")
    stack = [(layer,) if isinstance(layer, Mapping) else tuple(layer) for layer in layers]
    if layout == "onnx":
        stack = [_split_directions(layer[0]) if len(layer) == 1 else layer for layer in stack]
    for number, layer in enumerate(stack):
        if not 1 <= len(layer) <= 2 or not all(isinstance(direction, Mapping) for direction in layer):
            raise ConfigError(f"layer {number} must be a mapping of arrays, or a pair of mappings: forward, backward")
    if len({len(layer) for layer in stack}) > 1:
        raise ConfigError("all layers must have the same number of directions")
    return stack


def _split_directions(arrays: Direction) -> tuple[Direction, ...]:
    directions = {np.shape(array)[0] for array in arrays.values()}
    if len(directions) != 1 or not directions <= {1, 2}:
        shapes = {name: np.shape(array) for name, array in arrays.items()}
        raise ShapeError(f"ONNX's arrays must begin with an axis of 1 or 2 directions; got {shapes}")
    return tuple({name: array[place] for name, array in arrays.items()} for place in range(directions.pop()))


def _direction(
    direction: Direction, cell: str, layout: Layout, given: Conventions, where: str
) -> tuple[dict[str, Floats], bool]:
    gates = len(_ORDERS[cell])
    try:
        arrays = layout.read(direction, gates)
    except KeyError as error:
        raise ConfigError(f"{where}: {error.args[0]} is missing; got {', '.join(map(str, direction))}") from None
    shown = arrays.pop("reset_after", None)
    chosen = given.reset_after if given.reset_after is not None else shown
    if shown not in (None, chosen):
        raise ConfigError(f"{where}: the bias's shape implies reset_after={shown}; got reset_after={chosen}")
    arrays = {name: real(array, f"{where}, {name}") for name, array in arrays.items() if array is not None}
    if flat := [name for name in ("weight_ih", "weight_hh") if arrays[name].ndim != 2]:
        raise ShapeError(f"{where}: {flat[0]} must have two axes; got shape {arrays[flat[0]].shape}")
    hidden = arrays["weight_hh"].shape[-1]
    for name, array in arrays.items():
        if name != "weight_ch" and (array.ndim == 0 or len(array) != gates * hidden):
            raise ShapeError(f"{where}: {name} must have {gates} gates of {hidden} units; got shape {array.shape}")
    order = _places(given.gates or layout.orders[cell], cell)
    result = {name: array if name == "weight_ch" else _reordered(array, order) for name, array in arrays.items()}
    if any(name.startswith("bias") for name in result):
        for name in ("bias_ih", "bias_hh"):
            result.setdefault(name, np.zeros(gates * hidden, np.float32))
    _apply(result, cell, layout, given, hidden)
    return result, bool(layout.reset_after if chosen is None else chosen)


def _apply(arrays: dict[str, Floats], cell: str, layout: Layout, given: Conventions, hidden: int) -> None:
    """Put a forget bias into the arrays, and turn an update gate that takes instead of keeping."""
    forget = layout.forget_bias if given.forget_bias is None else given.forget_bias
    if cell == "lstm" and forget:
        for name in ("bias_ih", "bias_hh"):
            arrays.setdefault(name, np.zeros(4 * hidden, np.float32))
        arrays["bias_ih"][hidden : 2 * hidden] += np.float32(forget)
    keeps = layout.update_keeps if given.update_keeps is None else given.update_keeps
    if cell == "gru" and not keeps:  # 1 - sigmoid(x) = sigmoid(-x)
        for array in arrays.values():
            array[hidden : 2 * hidden] *= -1


def _places(order: str, cell: str) -> list[int]:
    """Return where each of PyTorch's gates stands in the library's order."""
    wanted = _ORDERS[cell]
    plain = {"lstm": order.translate(_SAME_GATE[0]), "gru": order.translate(_SAME_GATE[1])}.get(cell, wanted)
    if sorted(plain) != sorted(wanted):
        raise ConfigError(f"gates of {cell} must be the letters {', '.join(wanted)} in some order; got {order!r:.40}")
    return [plain.index(gate) for gate in wanted]


def _reordered(array: Floats, places: list[int]) -> Floats:
    blocks = np.split(array, len(places))
    return np.concatenate([blocks[place] for place in places])


def _torch(arrays: Direction, gates: int) -> dict[str, Any]:
    names = ("bias_ih", "bias_hh", "weight_ch")
    _refuse_others(arrays, {"weight_ih", "weight_hh", *names})
    return {name: arrays[name] for name in ("weight_ih", "weight_hh")} | {name: arrays.get(name) for name in names}


def _keras(arrays: Direction, gates: int) -> dict[str, Any]:
    _refuse_others(arrays, {"kernel", "recurrent_kernel", "bias"})
    kernel, recurrent = np.asarray(arrays["kernel"]), np.asarray(arrays["recurrent_kernel"])
    bias = None if arrays.get("bias") is None else np.asarray(arrays["bias"])
    if kernel.ndim != 2 or recurrent.ndim != 2:
        raise ShapeError(f"kernels must have two axes; got {kernel.shape} and {recurrent.shape}")
    found: dict[str, Any] = {}
    if bias is not None and bias.shape == (2 * recurrent.shape[1],):
        # CuDNNLSTM and CuDNNGRU: two biases in a row, and each gate's matrix laid out as cuDNN reads it.
        kernel = np.hstack([gate.T.reshape(gate.shape, order="F") for gate in np.hsplit(kernel, gates)])
        recurrent = np.hstack([gate.T for gate in np.hsplit(recurrent, gates)])
        bias = bias.reshape(2, -1)
    found |= {"weight_ih": kernel.T, "weight_hh": recurrent.T}
    if bias is not None:
        found["bias_ih"] = bias[0] if bias.ndim == 2 else bias
        found["bias_hh"] = bias[1] if bias.ndim == 2 else None
        if gates == 3:
            found["reset_after"] = bias.ndim == 2
    return found


def _onnx(arrays: Direction, gates: int) -> dict[str, Any]:
    _refuse_others(arrays, {"W", "R", "B", "P"})
    found: dict[str, Any] = {"weight_ih": arrays["W"], "weight_hh": arrays["R"]}
    if arrays.get("B") is not None:
        found["bias_ih"], found["bias_hh"] = np.split(np.asarray(arrays["B"]), 2)
    if arrays.get("P") is not None:
        peephole = np.split(np.asarray(arrays["P"]), 3)
        found["weight_ch"] = np.stack([peephole[place] for place in (0, 2, 1)])  # i, o, f to i, f, o
    return found


def _flax(arrays: Direction, gates: int) -> dict[str, Any]:
    """Gates of their own (linen: ii, if, ..., hi, ...; i, h), or all in one matrix (nnx: dense_i, dense_h)."""
    if "dense_i" in arrays:
        _refuse_others(arrays, {"dense_i", "dense_h"})
        parts = {"ih": [arrays["dense_i"]], "hh": [arrays["dense_h"]]}
    else:
        letters = {4: "ifgo", 3: "rzn", 1: ("",)}[gates]
        plain = {str(name).rstrip("_"): array for name, array in arrays.items()}  # nnx writes if_ and in_
        parts = {side: [plain[side[0] + letter] for letter in letters] for side in ("ih", "hh")}
    found: dict[str, Any] = {}
    for side, dense in parts.items():
        kernels = [np.asarray(each["kernel"]).T for each in dense]
        found[f"weight_{side}"] = np.concatenate(kernels)
        if any("bias" in each for each in dense):
            biases = zip(dense, kernels, strict=True)
            found[f"bias_{side}"] = np.concatenate([each.get("bias", np.zeros(len(kernel))) for each, kernel in biases])
    return found


def _haiku(arrays: Direction, gates: int) -> dict[str, Any]:
    if gates == 3:
        _refuse_others(arrays, {"w_i", "w_h", "b"})
        return {"weight_ih": _matrix(arrays["w_i"]).T, "weight_hh": _matrix(arrays["w_h"]).T, "bias_ih": arrays["b"]}
    if gates == 4:
        _refuse_others(arrays, {"w", "b"})
        both = _matrix(arrays["w"]).T
        inputs = both.shape[1] - len(both) // 4
        return {"weight_ih": both[:, :inputs], "weight_hh": both[:, inputs:], "bias_ih": arrays["b"]}
    _refuse_others(arrays, {"input_to_hidden", "hidden_to_hidden"})
    read, kept = arrays["input_to_hidden"], arrays["hidden_to_hidden"]
    return {"weight_ih": _matrix(read["w"]).T, "weight_hh": _matrix(kept["w"]).T} | {
        "bias_ih": read.get("b"),
        "bias_hh": kept.get("b"),
    }


def _dynet(arrays: Direction, gates: int) -> dict[str, Any]:
    _refuse_others(arrays, {"Wx", "Wh", "b"})
    return {"weight_ih": arrays["Wx"], "weight_hh": arrays["Wh"], "bias_ih": arrays["b"]}


def _paddle_fluid(arrays: Direction, gates: int) -> dict[str, Any]:
    """`fluid.layers.fc` before `dynamic_gru`, whose weight holds (H, 2H) and then (H, H) in a row."""
    _refuse_others(arrays, {"fc_w", "fc_b", "gru_w", "gru_b"})
    if gates != 3:
        raise ConfigError("the layout paddle_fluid is known for gru")
    kept = _matrix(arrays["gru_w"])
    hidden = len(kept)
    flat = kept.reshape(-1)
    first, last = flat[: 2 * hidden * hidden].reshape(hidden, -1), flat[2 * hidden * hidden :].reshape(hidden, -1)
    biases = [np.ravel(arrays[name]) for name in ("fc_b", "gru_b") if arrays.get(name) is not None]
    found = {"weight_ih": _matrix(arrays["fc_w"]).T, "weight_hh": np.hstack([first, last]).T}
    return found | ({"bias_ih": np.sum(biases, axis=0)} if biases else {})


def _matrix(array: Any) -> NDArray[Any]:
    found = np.asarray(array)
    if found.ndim != 2:
        raise ShapeError(f"a weight must have two axes; got shape {found.shape}")
    return found


def _refuse_others(arrays: Direction, known: set[str]) -> None:
    if unknown := [name for name in arrays if name not in known]:
        raise ConfigError(f"this layout has the arrays {', '.join(sorted(known))}; got {unknown[0]!r:.80}")


LAYOUTS: dict[str, Layout] = {
    "torch": Layout(_torch, {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}),
    "keras": Layout(_keras, {"lstm": "ifco", "gru": "zrh", "rnn": "h"}, reset_after=False),
    "onnx": Layout(_onnx, {"lstm": "iofc", "gru": "zrh", "rnn": "h"}, reset_after=False),
    "flax": Layout(_flax, {"lstm": "ifgo", "gru": "rzn", "rnn": "h"}),
    "haiku": Layout(
        _haiku, {"lstm": "igfo", "gru": "zra", "rnn": "h"}, update_keeps=False, forget_bias=1.0, reset_after=False
    ),
    "dynet": Layout(_dynet, {"lstm": "ifog", "gru": "zrh", "rnn": "h"}, forget_bias=1.0),
    "paddle_fluid": Layout(_paddle_fluid, {"gru": "urc"}, update_keeps=False, reset_after=False),
}
"""The layouts by name; Paddle 2's layers have PyTorch's."""
