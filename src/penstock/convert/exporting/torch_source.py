"""A graph as the source of a PyTorch module that needs nothing of Penstock."""

import inspect
import json
import keyword
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from penstock.convert.exporting.exported import NamedGraph
from penstock.convert.exporting.torch_operations import TORCH_WRITERS, Source
from penstock.errors import ConfigError

__all__ = ["file_text", "torch_source"]


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
