"""A graph as the source of a PyTorch module that needs nothing of Penstock."""

import inspect
import json
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.exported import NamedGraph
from penstock.errors import ConfigError
from penstock.network import operations as described

__all__ = ["TORCH_WRITERS", "Source", "file_text", "layer_source", "layer_tensors", "torch_source"]

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


def torch_source(exported: NamedGraph, weights: str, parts: ModuleType, taken: set[str]) -> tuple[str, Source]:
    """Return the text of the file, and what it was made of.

    Args:
        exported: the network.
        weights: the name of the file of weights.
        parts: the module `torch_parts`, which needs PyTorch.
        taken: names that modules must not have.

    Raises:
        ConfigError: an operation or a cell has no form in PyTorch.
    """
    graph, source = exported.graph, Source()
    names = _identifiers(graph.values, taken | {*dir(parts), "lengths", "valid", "self"})
    source.ids.update(names[name] for name, value in graph.inputs.items() if value.ids)
    for node in graph.nodes:
        kind = node.operation.kind
        if kind not in TORCH_WRITERS:
            raise ConfigError(f"{node.name}: the operation {kind!r} has no form in TORCH_WRITERS yet")
        tensors = {key: exported.tensors[f"{node.name}.{key}"] for key in node.operation.parameter_shapes()}
        read = [names[each] for each in node.inputs]
        result = TORCH_WRITERS[kind](source, names[node.name], node.operation, tensors, *read)
        source.lines.append(f"{names[node.name]} = {result}")
    outputs = [names[each] for each in graph.outputs]
    # Names of an imported network may hold anything, so they stand in the source as JSON or as identifiers alone.
    pairs = ", ".join(f"{json.dumps(name)}: {value}" for name, value in zip(graph.outputs, outputs, strict=True))
    source.lines.append(f"return {outputs[0]}" if len(outputs) == 1 else f"return {{{pairs}}}")
    return _file(exported, source, names, weights, parts), source


def _file(exported: NamedGraph, source: Source, names: Mapping[str, str], weights: str, parts: ModuleType) -> str:
    graph = exported.graph
    inputs = [names[each] for each in graph.inputs]
    first = inputs[0]
    arguments = ", ".join([*(f"{name}: Tensor" for name in inputs), "lengths: Tensor | None = None"])
    result = "Tensor" if len(graph.outputs) == 1 else "dict[str, Tensor]"
    valid = "valid" in " ".join(re.findall(r"\w+", " ".join(source.lines)))
    body = [
        "if lengths is None:",
        f"    lengths = torch.full({first}.shape[:1], {first}.shape[1], device={first}.device)",
        *([f"valid = (torch.arange({first}.shape[1], device={first}.device) < lengths[:, None])[..., None]"] * valid),
        *source.lines,
    ]
    network = [
        "class Network(nn.Module):",
        '    """The network; `load` makes one with its weights."""',
        "",
        "    def __init__(self) -> None:",
        "        super().__init__()",
        *(f"        {line}" for line in source.modules),
        "",
        f"    def forward(self, {arguments}) -> {result}:",
        *(f"        {line}".rstrip() for line in [*_docstring(exported, names), *body]),
    ]
    return file_text(exported.about, source.parts, network, weights, vars(parts))


def file_text(
    about: Mapping[str, str], parts: Sequence[str], network: Sequence[str], weights: str, room: Mapping[str, Any]
) -> str:
    """Return the text of a file.

    Args:
        about: what is known of the model, see `exported.metadata`.
        parts: the names of what is copied.
        network: the lines of the class `Network`.
        weights: the name of the file of weights.
        room: what the parts are copied from, by name.
    """
    copied = [inspect.getsource(room[part]).rstrip() for part in parts]
    needed = set(re.findall(r"\w+", "\n".join(copied)))
    abstract = [each for each in ("Callable", "Sequence") if each in needed]
    labels = about.get("labels")
    return "\n".join(
        [
            f'"""A network for {about.get("task", "sequences")}, exported by Penstock {about["penstock"]}.',
            "",
            f"It needs PyTorch, and safetensors to read its weights from {weights}, which lies beside this file.",
            *_about(about),
            '"""',
            "",
            *([f"from collections.abc import {', '.join(abstract)}"] if abstract else []),
            "from pathlib import Path",
            *(["from typing import Any"] if "Any" in needed else []),
            "",
            "import torch",
            "from torch import Tensor, nn",
            "",
            f"WEIGHTS = Path(__file__).with_name({json.dumps(weights)})",
            *([f"LABELS = {_literal(json.loads(labels))}"] if labels else []),
            "",
            *(f"\n{each}\n" for each in copied),
            "",
            *network,
            "",
            "",
            _LOAD,
        ]
    )


_LOAD = '''def load(weights: str | Path = WEIGHTS) -> Network:
    """Return the network with its weights, for inference."""
    from safetensors.torch import load_file

    network = Network()
    network.load_state_dict(load_file(weights))
    return network.eval()
'''


def _literal(labels: list[Any]) -> str:
    return f"[{', '.join(json.dumps(each) if isinstance(each, str) else repr(each) for each in labels)}]"


def _about(about: Mapping[str, str]) -> list[str]:
    if "note" not in about:
        return []
    return [
        "Its inputs are numbers: what turns texts, sounds, tables or series into them is described in the model's",
        "config.json, under `features`, and is not part of this file.",
    ]


def _docstring(exported: NamedGraph, names: Mapping[str, str]) -> list[str]:
    graph = exported.graph
    read = [
        f"    {names[name]}: (batch, time) ids below {value.size}, int64"
        if value.ids
        else f"    {names[name]}: (batch, time, {value.size})"
        for name, value in graph.inputs.items()
    ]
    made = [
        f"    {names[name]}: (batch, time, {graph.values[name].size}); past a sequence's steps it means nothing"
        if graph.values[name].steps
        else f"    {names[name]}: (batch, {graph.values[name].size})"
        for name in graph.outputs
    ]
    steps = "    lengths: (batch,), the steps of each sequence; all of them if None"
    return ['"""Run whole sequences.', "", "Args:", *read, steps, "", "Returns:", *made, '"""']


def _identifiers(values: Mapping[str, Any], taken: set[str]) -> dict[str, str]:
    """A Python name for each value."""
    found: dict[str, str] = {}
    for value in values:
        name = re.sub(r"\W", "_", value) or "value"
        name = f"value_{name}" if not name.isidentifier() or keyword.iskeyword(name) else name
        while name in taken or name in found.values():
            name += "_"
        found[value] = name
    return found


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
