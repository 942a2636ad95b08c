"""Description of a network as a graph: operations on named values. The form of networks that come from elsewhere.

A `Network` has three parts, which training knows how to build; a `Graph` joins operations in any order, without
training. Import makes graphs from other libraries' models; export reads any network as a graph.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.errors import ConfigError, ShapeError
from penstock.network.encoder import MOST_LAYERS
from penstock.network.kinds import Wiring
from penstock.network.operations import OPERATIONS, Operation, RecurrentLayers, Reverse, Value
from penstock.network.spelling import check_names, identity, read, spell

__all__ = ["Graph", "GraphBuilder", "Node"]

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Node:
    """An operation in a graph.

    Attributes:
        name: the name of its result; its tensors are called `<name>.<tensor>`.
        operation: one of `operations.OPERATIONS`.
        inputs: the names of what it reads: inputs of the graph, or earlier nodes.
    """

    name: str
    operation: Any
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """A network as operations on named values, in the order in which they run.

    All inputs have the same steps, and every value has one row for each step, or one for each sequence.

    Attributes:
        inputs: what a caller gives, by name.
        nodes: the operations.
        outputs: the names of the values that a caller gets.

    Raises:
        ConfigError: a name is unknown or stands twice, or a value does not fit the operation that reads it.
    """

    inputs: Mapping[str, Value]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.inputs or not self.outputs:
            raise ConfigError("a graph needs at least one input and one output")
        recurrences = (node.operation for node in self.nodes if isinstance(node.operation, RecurrentLayers))
        if (layers := sum(each.layers.num_layers for each in recurrences)) > MOST_LAYERS:
            raise ConfigError(f"a graph may have at most {MOST_LAYERS} recurrent layers; got {layers}")
        if unknown := [name for name in self.outputs if name not in self.values]:
            raise ConfigError(f"output {unknown[0]!r} is no value of the graph; its values: {', '.join(self.values)}")
        if without := [name for name, value in self.inputs.items() if not value.steps]:
            raise ConfigError(f"input {without[0]!r} must have one row for each step")

    @cached_property
    def values(self) -> dict[str, Value]:
        """What is known of each value by name: the inputs, then the nodes' results."""
        values = dict(self.inputs)
        for node in self.nodes:
            if node.name in values:
                raise ConfigError(f"two values of a graph are called {node.name!r}")
            if unknown := [name for name in node.inputs if name not in values]:
                raise ConfigError(f"{node.name}: input {unknown[0]!r} is not among the values before it")
            try:
                values[node.name] = node.operation.result(*(values[name] for name in node.inputs))
            except ConfigError as error:
                raise ConfigError(f"{node.name}: {error}") from None
        return values

    @property
    def wiring(self) -> Wiring:
        """What runs the graph."""
        return _WIRING

    @property
    def streams(self) -> bool:
        """Whether every operation reads the steps in their order, so that the graph can run step by step."""
        return not self.backward

    @property
    def backward(self) -> list[str]:
        """The names of the nodes that read later steps before earlier ones."""
        return [
            node.name
            for node in self.nodes
            if isinstance(node.operation, Reverse)
            or (isinstance(node.operation, RecurrentLayers) and not node.operation.forward)
        ]

    def parameter_shapes(self) -> Shapes:
        """Shapes of all tensors by name, `<node>.<tensor>`."""
        return {
            f"{node.name}.{name}": tuple(shape)
            for node in self.nodes
            for name, shape in node.operation.parameter_shapes().items()
        }

    def to_json(self) -> dict[str, Any]:
        """The description as plain values."""
        return self._described(spell)

    def identity(self) -> dict[str, Any]:
        """Values that identify this graph in fingerprints."""
        return self._described(identity)

    @classmethod
    def from_json(cls, data: Any) -> "Graph":
        """Read a graph from the result of `to_json`; ConfigError says what is wrong."""
        try:
            check_names("a graph", data, required=_PARTS, known=_PARTS)
            inputs = {str(name): Value(**value) for name, value in data["inputs"].items()}
            nodes = tuple(_node(described) for described in data["nodes"])
            outputs = tuple(map(str, data["outputs"]))
        except (TypeError, AttributeError) as error:
            raise ConfigError(f"a graph's description is damaged: {error}") from error
        return cls(inputs, nodes, outputs)

    def _described(self, described: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        nodes = [
            {"name": node.name, "kind": node.operation.kind, "inputs": list(node.inputs)}
            | {"options": described(node.operation)}
            for node in self.nodes
        ]
        inputs = {name: value._asdict() for name, value in self.inputs.items()}
        return {"inputs": inputs, "nodes": nodes, "outputs": list(self.outputs)}


_WIRING = Wiring(name="graph", torch=None, runtime="penstock.runtime.graph_scorer:GraphScorer")
_PARTS = {"inputs", "nodes", "outputs"}


def _node(data: Mapping[str, Any]) -> Node:
    known = {"name", "kind", "inputs", "options"}
    check_names("a node", data, required=known, known=known)
    kind = data["kind"]
    if not isinstance(kind, str) or kind not in OPERATIONS:
        raise ConfigError(
            f"a node's kind must be one of {', '.join(OPERATIONS)}; got {kind!r:.80}. "
            "If a newer Penstock wrote it, upgrade: pip install --upgrade penstock"
        )
    operation = read(OPERATIONS[kind], data["options"], f"node of kind {kind!r}")
    return Node(str(data["name"]), operation, tuple(map(str, data["inputs"])))


class GraphBuilder:
    """Makes a graph and its tensors, operation by operation.

    Examples:
        >>> import numpy as np
        >>> from penstock.network import Dense, GraphBuilder, Pointwise, Value
        >>> builder = GraphBuilder({"x": Value(3)})
        >>> scores = builder.add(Dense(3, 2), "x", weight=np.ones((2, 3)), bias=np.zeros(2))
        >>> graph, tensors = builder.build(builder.add(Pointwise("softmax"), scores))
        >>> graph.outputs, sorted(tensors)
        (('pointwise',), ['dense.bias', 'dense.weight'])
    """

    def __init__(self, inputs: Mapping[str, Value] | None = None) -> None:
        self._inputs, self._nodes = dict(inputs or {}), list[Node]()
        self._tensors: dict[str, NDArray[np.float32]] = {}

    @property
    def inputs(self) -> Mapping[str, Value]:
        """The graph's inputs so far."""
        return self._inputs

    @property
    def tensors(self) -> Mapping[str, NDArray[np.float32]]:
        """The tensors so far, by `<node>.<tensor>`."""
        return self._tensors

    def add_input(self, name: str, value: Value) -> str:
        """Add an input, whose name must be free, and return its name."""
        self._inputs[name] = value
        return name

    def add(self, operation: Operation, *inputs: str, name: str | None = None, **tensors: ArrayLike) -> str:
        """Add an operation and return the name of its result.

        Args:
            operation: what to do.
            inputs: names of values, as the constructor or earlier calls named them.
            name: the name of the result; by default the operation's kind, numbered if it is taken.
            tensors: the operation's tensors by name; they become float32.

        Raises:
            ShapeError: a tensor is missing, is one too many, or has the wrong shape.
        """
        name = name or self.free(operation.kind)
        shapes = operation.parameter_shapes()
        found = {key: np.ascontiguousarray(array, np.float32) for key, array in tensors.items()}
        if {key: array.shape for key, array in found.items()} != {key: tuple(shape) for key, shape in shapes.items()}:
            given = {key: array.shape for key, array in found.items()}
            raise ShapeError(f"{name}: tensors must be {shapes}; got {given}")
        self._nodes.append(Node(name, operation, inputs))
        self._tensors |= {f"{name}.{key}": array for key, array in found.items()}
        return name

    def value(self, name: str) -> Value:
        """What is known of a value so far; ConfigError if the graph so far does not fit together."""
        return Graph(self._inputs, tuple(self._nodes), (name,)).values[name]

    def rename(self, name: str, new: str) -> None:
        """Give an operation's result another name; ConfigError if that is taken, or there is no such operation."""
        if new in self._taken() or name not in {node.name for node in self._nodes}:
            raise ConfigError(f"{name!r} can't be renamed to {new!r}: one is taken, or the other no operation's")
        self._nodes = [
            replace(
                node,
                name=new if node.name == name else node.name,
                inputs=tuple(new if each == name else each for each in node.inputs),
            )
            for node in self._nodes
        ]
        moved = {key: key.removeprefix(f"{name}.") for key in self._tensors if key.startswith(f"{name}.")}
        self._tensors |= {f"{new}.{tensor}": self._tensors.pop(key) for key, tensor in moved.items()}

    def build(self, *outputs: str) -> tuple[Graph, dict[str, NDArray[np.float32]]]:
        """Return the graph with these outputs and what they need, and its tensors.

        Raises:
            ConfigError: it does not fit together.
        """
        needed = set(outputs)
        for node in reversed(self._nodes):
            needed |= set(node.inputs) if node.name in needed else set()
        graph = Graph(self._inputs, tuple(node for node in self._nodes if node.name in needed), outputs)
        return graph, {name: self._tensors[name] for name in graph.parameter_shapes()}

    def free(self, name: str) -> str:
        """Return the name, numbered if it is taken."""
        taken = self._taken()
        numbered = (name if number == 1 else f"{name}_{number}" for number in count(1))
        return next(each for each in numbered if each not in taken)

    def _taken(self) -> set[str]:
        return {*self._inputs, *(node.name for node in self._nodes)}
