"""Layers that follow each other as one stack: other libraries have a layer for each, the engine runs them together."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from penstock.network import Graph, Node, Recurrent, RecurrentLayers

__all__ = ["stacked"]

Tensors = dict[str, NDArray[Any]]


def stacked(graph: Graph, tensors: Mapping[str, NDArray[Any]]) -> tuple[Graph, Tensors]:
    """Join recurrent layers of one form that read nothing but each other; the numbers stay the same, bit for bit.

    Args:
        graph, tensors: an imported network.

    Returns:
        The network with as few nodes of recurrent layers as there can be, and its tensors.
    """
    found = dict(tensors)
    while pair := _pair(graph):
        first, second = pair
        count = first.operation.layers.num_layers
        one, other = first.operation.layers, second.operation.layers
        layers = _of(one, one.input_size, count + other.num_layers)
        for name in first.operation.parameter_shapes():
            found[f"{second.name}.{name}/first"] = found.pop(f"{first.name}.{name}")
        for name in reversed(second.operation.parameter_shapes()):
            found[f"{second.name}.{_later(name, count)}"] = found.pop(f"{second.name}.{name}")
        found = {name.removesuffix("/first"): array for name, array in found.items()}
        joined = Node(second.name, replace(second.operation, layers=layers), first.inputs)
        nodes = tuple(joined if node is second else node for node in graph.nodes if node is not first)
        graph = Graph(graph.inputs, nodes, graph.outputs)
    return graph, {name: found[name] for name in graph.parameter_shapes()}


def _pair(graph: Graph) -> tuple[Node, Node] | None:
    """Two nodes that can be joined, the first reading before the second."""
    by_name = {node.name: node for node in graph.nodes}
    readers: dict[str, int] = dict.fromkeys(graph.outputs, 1)
    for node in graph.nodes:
        for name in node.inputs:
            readers[name] = readers.get(name, 0) + 1
    for second in graph.nodes:
        first = by_name.get(second.inputs[0])
        if first is not None and readers[first.name] == 1 and _plain(first) and _plain(second):
            one, other = first.operation.layers, second.operation.layers
            if _of(other, one.input_size, one.num_layers) == one:
                return first, second
    return None


def _of(spec: Recurrent, input_size: int, num_layers: int) -> Recurrent:
    """The layers with other sizes."""
    form: dict[str, Any] = {
        "cell": spec.cell,
        "hidden_size": spec.hidden_size,
        "bidirectional": spec.bidirectional,
        "bias": spec.bias,
    }
    return Recurrent(input_size=input_size, num_layers=num_layers, **form, **spec.options)


def _plain(node: Node) -> bool:
    operation = node.operation
    return isinstance(operation, RecurrentLayers) and not (operation.masked or operation.initial or operation.reverse)


def _later(name: str, count: int) -> str:
    """The name of a parameter, such as weight_ih_l0_reverse, `count` layers later."""
    head, _, tail = name.rpartition("_l")
    number, _, direction = tail.partition("_")
    return f"{head}_l{int(number) + count}{'_' * bool(direction)}{direction}"
