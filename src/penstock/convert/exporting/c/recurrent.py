"""Recurrent layers in C: the products, then the cell's function."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.c.source import Source, identifier
from penstock.convert.exporting.c.tables import Matrix
from penstock.errors import ConfigError
from penstock.network import Node, Recurrent

__all__ = ["recurrent_layers"]

Floats = NDArray[np.float32]


class _Layer:
    """One layer of a stack: its tables, and its states in C."""

    def __init__(self, source: Source, node: Node, number: int, prefix: str) -> None:
        spec: Recurrent = node.operation.layers
        self.source, self.spec = source, spec
        self.name = f"{prefix}_l{number}"
        self.size, self.inputs = spec.hidden_size, spec.layer_input_size(number)
        self.output = spec.output_size
        shapes = spec.declaration.parameter_shapes(self.inputs, spec.hidden_size, bias=spec.bias, **spec.options)
        self.arrays = {name: source.tensors[f"{node.name}.{name}_l{number}"] for name in shapes}
        sizes = spec.declaration.state_sizes(spec.hidden_size, **spec.options)
        self.states, self.sizes = list[str](), sizes
        for state, size in zip(spec.declaration.states, sizes, strict=True):
            name = f"{self.name}_{state}"
            source.state[name] = size
            self.states.append(f"state->{name}")
            if node.operation.initial:
                initial = source.tables.vector(
                    f"{name}_initial", source.tensors[f"{node.name}.initial_{state}"][number]
                )
                source.initial.append(f"copy(state->{name}, {initial}, {size});")

    def bias(self, *names: str) -> Floats:
        """The sum of these biases, zeros where the layer has none."""
        rows = len(self.arrays["weight_ih"])
        return np.sum([self.arrays.get(name, np.zeros(rows)) for name in names], axis=0).astype(np.float32)

    def vector(self, name: str, values: Floats) -> str:
        """Add a table."""
        return self.source.tables.vector(f"{self.name}_{name}", values)

    def matrix(self, name: str) -> Matrix:
        """Add the table of a weight."""
        return self.source.tables.matrix(f"{self.name}_{name}", self.arrays[name])

    @contextmanager
    def zoneout(self) -> Iterator[None]:
        """After the statements that follow, keep a share of each state from before them: zoneout's expectation."""
        shares = self.spec.declaration.zoneout(self.spec.options)
        kept = [
            (f"before_{place}", state, size, share)
            for place, (state, size, share) in enumerate(zip(self.states, self.sizes, shares, strict=False))
            if share
        ]
        places = {name: self.scratch(name, size) for name, _, size, _ in kept}
        self.source.say(*(f"copy({places[name]}, {state}, {size});" for name, state, size, _ in kept))
        yield
        for name, state, size, share in kept:
            change = f"{share:.9e}f * (({places[name]})[i] - {state}[i])"
            self.source.say(f"for (size_t i = 0; i < {size}; ++i)\n    {state}[i] += {change};")
        self.done(*places)

    def scratch(self, name: str, size: int) -> str:
        """Scratch memory until `done`."""
        return self.source.take(f"{self.name}.{name}", size)

    def done(self, *names: str) -> None:
        """Release scratch memory."""
        for name in names:
            self.source.free(f"{self.name}.{name}")


def recurrent_layers(source: Source, node: Node, x: str) -> str:
    """Add the statements of a stack of layers; return the place of its output, a state.

    Raises:
        ConfigError: the cell, or one of its options, has no C here.
    """
    spec = node.operation.layers
    if spec.cell not in _CELLS:
        raise ConfigError(f"{node.name}: the cell {spec.cell!r} has no C here; {', '.join(_CELLS)} have.")
    translate, options = _CELLS[spec.cell]
    if unknown := {name for name, value in spec.options.items() if name not in {*options, "zoneout"} and value}:
        raise ConfigError(f"{node.name}: {spec.cell} with {', '.join(sorted(unknown))} has no C here")
    for number in range(spec.num_layers):
        layer = _Layer(source, node, number, identifier(node.name))
        with layer.zoneout():
            translate(layer, x, spec.options)
        x = layer.states[0]
    return x


def _rnn(layer: _Layer, x: str, options: Any) -> None:
    (h,), size = layer.states, layer.size
    gates = layer.scratch("gates", size)
    layer.source.say(f"copy({gates}, {layer.vector('bias', layer.bias('bias_ih', 'bias_hh'))}, {size});")
    layer.source.add_product(gates, layer.matrix("weight_ih"), x)
    layer.source.add_product(gates, layer.matrix("weight_hh"), h)
    value = f"({gates})[i]"
    function = f"tanhf({value})" if options["nonlinearity"] == "tanh" else f"{value} > 0.0f ? {value} : 0.0f"
    layer.source.say(f"for (size_t i = 0; i < {size}; ++i)\n    {h}[i] = {function};")
    layer.done("gates")


def _lstm(layer: _Layer, x: str, options: Any) -> None:
    (h, c), size = layer.states, layer.size
    gates = layer.scratch("gates", 4 * size)
    layer.source.say(f"copy({gates}, {layer.vector('bias', layer.bias('bias_ih', 'bias_hh'))}, {4 * size});")
    layer.source.add_product(gates, layer.matrix("weight_ih"), x)
    layer.source.add_product(gates, layer.matrix("weight_hh"), h)
    # The output goes over the gates of the input, which are read before it is written.
    out = gates if options["proj_size"] else h
    if options["peephole"]:
        peephole = layer.vector("peephole", layer.arrays["weight_ch"])
        layer.source.say(f"lstm_peephole({out}, {c}, {gates}, {peephole}, {size});")
    else:
        layer.source.say(f"lstm({out}, {c}, {gates}, {size});")
    if options["proj_size"]:
        layer.source.say(f"clear({h}, {layer.output});")
        layer.source.add_product(h, layer.matrix("weight_hr"), out)
    layer.done("gates")


def _gru(layer: _Layer, x: str, options: Any) -> None:
    (h,), size = layer.states, layer.size
    gates = layer.scratch("gates", 3 * size)
    together = layer.bias("bias_ih", "bias_hh")
    if not options["reset_after"]:
        layer.source.say(f"copy({gates}, {layer.vector('bias', together)}, {3 * size});")
        layer.source.add_product(gates, layer.matrix("weight_ih"), x)
        state = layer.matrix("weight_hh")
        layer.source.add_product(gates, state.part(0, 2 * size), h)
        layer.source.say(f"gru_reset({gates}, {h}, {size});")
        layer.source.add_product(f"{gates} + {2 * size}", state.part(2 * size, size), gates)
        layer.source.say(f"gru_update({h}, {gates}, {size});")
        layer.done("gates")
        return
    together[2 * size :] = layer.bias("bias_ih")[2 * size :]
    own = np.zeros_like(together)
    own[2 * size :] = layer.bias("bias_hh")[2 * size :]
    from_state = layer.scratch("from_state", 3 * size)
    layer.source.say(f"copy({gates}, {layer.vector('bias', together)}, {3 * size});")
    layer.source.add_product(gates, layer.matrix("weight_ih"), x)
    layer.source.say(f"copy({from_state}, {layer.vector('bias_hh', own)}, {3 * size});")
    layer.source.add_product(from_state, layer.matrix("weight_hh"), h)
    layer.source.say(f"gru({h}, {gates}, {from_state}, {size});")
    layer.done("gates", "from_state")


_CELLS: dict[str, tuple[Callable[[_Layer, str, Any], None], set[str]]] = {
    "gru": (_gru, {"reset_after"}),
    "lstm": (_lstm, {"peephole", "proj_size"}),
    "rnn": (_rnn, {"nonlinearity"}),
}
"""For each cell, what adds its statements, and the options that it knows."""
