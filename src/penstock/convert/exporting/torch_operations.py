"""Each operation of a graph as an expression of PyTorch, and what it adds to the source of a module."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.network import operations as described

__all__ = ["TORCH_WRITERS", "Source", "layer_source", "layer_tensors"]

Tensors = Mapping[str, NDArray[Any]]

_NEEDS = {
    "LookBack": ("Stack",),
    "Recurrent": ("reversed_steps", "run_steps", "advance", "over_time"),
    "Zoneout": ("advance",),
    "ResetBeforeGRU": (),
    "PeepholeLSTM": (),
}
"""What parts need of other parts."""


@dataclass
class Source:
    """The source as it is written.

    Attributes:
        modules: lines of the constructor.
        lines: lines of `forward`.
        tensors: the state_dict.
        parts: names of what is copied from `torch_parts`.
        ids: names of values that are ids.
    """

    modules: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def use(self, part: str) -> str:
        """Have a part copied, with those that it needs; return its name."""
        for each in (*_NEEDS.get(part, ()), part):
            if each not in self.parts:
                self.parts.append(each)
        return part

    def module(self, name: str, made: str, tensors: Tensors) -> str:
        """Add a module to the constructor; return how `forward` calls it."""
        self.modules.append(f"self.{name} = {made}")
        self.tensors |= {f"{name}.{key}": np.ascontiguousarray(array) for key, array in tensors.items()}
        return f"self.{name}"


def _kept(mask: str) -> str:
    return f"valid & ({mask} != 0)" if mask else "valid"


def _lookup(source: Source, name: str, operation: described.Lookup, tensors: Tensors, ids: str) -> str:
    made = f"nn.Embedding({operation.vocabulary_size}, {operation.size})"
    return f"{source.module(name, made, tensors)}({ids})"


def _dense(source: Source, name: str, operation: described.Dense, tensors: Tensors, x: str) -> str:
    bias = "" if operation.bias else ", bias=False"
    called = source.module(name, f"nn.Linear({operation.inputs}, {operation.outputs}{bias})", tensors)
    if operation.blocks == 1:
        return f"{called}({x})"
    return f"{called}({x}.unflatten(-1, ({operation.blocks}, {operation.inputs}))).flatten(-2)"


def _scale(source: Source, name: str, operation: described.Scale, tensors: Tensors, x: str) -> str:
    made = f"{source.use('Scale')}({operation.size})"
    return f"{source.module(name, made, tensors)}({x})"


def _pointwise(source: Source, name: str, operation: described.Pointwise, tensors: Tensors, x: str) -> str:
    return FUNCTIONS[operation.function].format(x=x, **dict(operation.constants))


def _pool(source: Source, name: str, operation: described.Pool, tensors: Tensors, x: str, mask: str = "") -> str:
    return f"{source.use(f'pool_{operation.over}')}({x}, {_kept(mask)})"


def _differs(source: Source, name: str, operation: described.Differs, tensors: Tensors, x: str) -> str:
    differs = f"({x} != {operation.value!r})"
    return f"{differs}[..., None].float()" if x in source.ids else f"{differs}.any(-1, keepdim=True).float()"


def _recurrence(
    source: Source, name: str, operation: described.RecurrentLayers, tensors: Tensors, x: str, mask: str = ""
) -> str:
    spec = operation.layers
    layer = layer_source(source, spec)
    states = list(spec.declaration.state_sizes(spec.hidden_size, **spec.options))
    sizes = [spec.layer_input_size(number) for number in range(spec.num_layers)]
    directions = 2 if spec.bidirectional else 1
    more = f", directions={directions}" * (directions == 2) + ", initial=True" * operation.initial
    made = f"{source.use('Recurrent')}({layer}, {sizes}, {states}{more})"
    named = _recurrent_tensors(operation, tensors)
    called = source.module(name, made, named)
    kept = "" if not mask else f", {_kept(mask)}"
    if not operation.reverse:
        result = f"{called}({x}, lengths{kept})"
    else:
        kept = kept and f", reversed_steps({kept[2:]}, lengths)"
        result = f"reversed_steps({called}(reversed_steps({x}, lengths), lengths{kept}), lengths)"
    if mask and operation.at_masked == "zero":
        return f"torch.where({_kept(mask)}, {result}, 0.0)"
    return result


def layer_source(source: Source, spec: Any) -> str:
    """What makes one layer in one direction, as a function of its input's size."""
    options = _without_zoneout(spec)
    shares = spec.declaration.zoneout(spec.options)
    bias = "" if spec.bias else ", bias=False"
    projected = f", proj_size={options['proj_size']}" if options.get("proj_size") else ""
    if spec.declaration.is_torch(options):
        more = f", nonlinearity={options['nonlinearity']!r}" if options.get("nonlinearity", "tanh") != "tanh" else ""
        made = f"nn.{spec.cell.upper()}(size, {spec.hidden_size}, batch_first=True{bias}{projected}{more})"
    elif spec.cell in ("gru", "lstm"):
        own = source.use("ResetBeforeGRU" if spec.cell == "gru" else "PeepholeLSTM")
        made = f"{own}(size, {spec.hidden_size}{bias}{projected})"
    else:
        raise ConfigError(
            f"the cell {spec.cell!r} is not of PyTorch, and its equations are not copied into a file. "
            "Export it to ONNX, which holds them."
        )
    return f"lambda size: {source.use('Zoneout')}({made}, {list(shares)})" if shares else f"lambda size: {made}"


def _without_zoneout(spec: Any) -> dict[str, Any]:
    return dict(spec.options) | ({"zoneout": 0.0} if spec.declaration.zoneout(spec.options) else {})


def _recurrent_tensors(operation: described.RecurrentLayers, tensors: Tensors) -> dict[str, NDArray[Any]]:
    """The tensors of layers by the names of `torch_parts.Recurrent`."""
    spec, found = operation.layers, dict[str, NDArray[Any]]()
    for layer in range(spec.num_layers):
        for place, suffix in enumerate(("", "_reverse")[: 2 if spec.bidirectional else 1]):
            ending = f"_l{layer}{suffix}"
            own = {key.removesuffix(ending): array for key, array in tensors.items() if key.endswith(ending)}
            found |= {f"layers.{layer}.{place}.{key}": array for key, array in layer_tensors(spec, own).items()}
    initial = [tensors[f"initial_{state}"] for state in spec.declaration.states] if operation.initial else []
    return found | {f"initial.{place}": array for place, array in enumerate(initial)}


def layer_tensors(spec: Any, own: Tensors) -> dict[str, NDArray[Any]]:
    """The tensors of one layer in one direction by the names of what `layer_source` makes."""
    if spec.declaration.is_torch(_without_zoneout(spec)):
        named = {f"{key}_l0": array for key, array in own.items()}
    else:
        named = (_reset_before if spec.cell == "gru" else _peephole)(own)
    inside = "layer." if spec.declaration.zoneout(spec.options) else ""
    return {f"{inside}{key}": array for key, array in named.items()}


def _reset_before(own: Tensors) -> dict[str, NDArray[Any]]:
    gates = 2 * own["weight_hh"].shape[1]
    found = {}
    for key in ("weight", "bias"):
        if f"{key}_ih" in own:
            found[f"ih.{key}"] = own[f"{key}_ih"]
            found[f"gates.{key}"], found[f"candidate.{key}"] = own[f"{key}_hh"][:gates], own[f"{key}_hh"][gates:]
    return found


def _peephole(own: Tensors) -> dict[str, NDArray[Any]]:
    names = {"weight_ih": "ih.weight", "weight_hh": "hh.weight", "bias_ih": "ih.bias", "bias_hh": "hh.bias"}
    names |= {"weight_ch": "peepholes", "weight_hr": "projection.weight"}
    return {names[key]: array for key, array in own.items()}


def _standardize(source: Source, name: str, operation: described.Standardize, tensors: Tensors, x: str) -> str:
    return f"{source.use('standardize')}({x}, {operation.epsilon!r})"


TORCH_WRITERS: dict[str, Callable[..., str]] = {
    "add": lambda source, name, operation, tensors, *inputs: " + ".join(inputs),
    "concatenate": lambda source, name, operation, tensors, *inputs: f"torch.cat([{', '.join(inputs)}], -1)",
    "dense": _dense,
    "differs": _differs,
    "lookup": _lookup,
    "multiply": lambda source, name, operation, tensors, *inputs: " * ".join(inputs),
    "pointwise": _pointwise,
    "pool": _pool,
    "recurrence": _recurrence,
    "reverse": lambda source, name, operation, tensors, x: f"{source.use('reversed_steps')}({x}, lengths)",
    "scale": _scale,
    "slice": lambda source, name, operation, tensors, x: f"{x}[..., {operation.start} : {operation.stop}]",
    "standardize": _standardize,
}
"""What writes each kind of operation, as an expression of its inputs."""

FUNCTIONS = {
    "abs": "{x}.abs()",
    "clip": "{x}.clamp({low}, {high})",
    "elu": "nn.functional.elu({x}, {alpha})",
    "exp": "{x}.exp()",
    "gelu": "nn.functional.gelu({x})",
    "gelu_tanh": 'nn.functional.gelu({x}, approximate="tanh")',
    "hard_sigmoid": "({slope} * {x} + {offset}).clamp(0, 1)",
    "leaky_relu": "nn.functional.leaky_relu({x}, {slope})",
    "log": "{x}.log()",
    "log_softmax": "{x}.log_softmax(-1)",
    "relu": "{x}.relu()",
    "selu": "nn.functional.selu({x})",
    "sigmoid": "{x}.sigmoid()",
    "silu": "nn.functional.silu({x})",
    "softmax": "{x}.softmax(-1)",
    "softplus": "nn.functional.softplus({x})",
    "softsign": "nn.functional.softsign({x})",
    "sqrt": "{x}.sqrt()",
    "tanh": "{x}.tanh()",
}
"""The functions of `Pointwise` in PyTorch."""
