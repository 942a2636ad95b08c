"""What PyTorch's tensors are while a module is read: values of a graph with named axes, states, parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.network import GraphBuilder, Scale, Value
from penstock.network.operations import Operation

__all__ = ["Flow", "Opaque", "Reading", "States", "Zeros", "array"]


@dataclass(frozen=True)
class Flow:
    """A value of the graph.

    Attributes:
        name: its name in the graph; "" for an input whose features are not known yet.
        axes: the tensor's axes, of b (batch), t (time), f (features), p (packed time and batch), 1 (an axis of one).
        source: the name of the input that it is, while `name` is "".
    """

    name: str
    axes: str
    source: str = ""

    def axis(self, number: int) -> str:
        """The axis by its number, which may be negative."""
        if not -len(self.axes) <= number < len(self.axes):
            raise ConfigError(f"there is no axis {number} of {len(self.axes)}")
        return self.axes[number]


@dataclass(frozen=True)
class States:
    """Final outputs of layers and directions, (layers * directions, batch, size); None where they can't come in.

    Attributes:
        rows: the values.
        axes: "nbf", or after a transposition "bnf".
    """

    rows: tuple[Flow | None, ...]
    axes: str = "nbf"


class Opaque:
    """Something that is not imported: sizes, lengths, indices."""


class Zeros(Opaque):
    """A tensor of zeros."""


@dataclass
class Reading:
    """A graph in the making.

    Attributes:
        builder: the graph.
        batch_first: whether the graph's inputs have the batch axis before time.
        given: the number of features of inputs that can't be seen.
        layer: the name of what is being read.
        notes: what the user should know.
    """

    builder: GraphBuilder
    batch_first: bool
    given: Mapping[str, int] = field(default_factory=dict)
    layer: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, operation: Operation, *inputs: Flow, axes: str, **tensors: Any) -> Flow:
        """Add an operation; return its result."""
        name = self.builder.free(f"{self.layer}_{operation.kind}" if self.layer else operation.kind)
        return Flow(self.builder.add(operation, *(flow.name for flow in inputs), name=name, **tensors), axes)

    def input(self, name: str) -> Flow:
        """A tensor that the caller gives."""
        flow = Flow("", "btf" if self.batch_first else "tbf", name)
        return self.known(flow, self.given[name]) if name in self.given else flow

    def known(self, flow: Flow, size: int, *, ids: bool = False) -> Flow:
        """The value as one of so many features, or of ids; an input becomes one of the graph."""
        if flow.name:
            return flow
        if flow.source not in self.builder.inputs:
            self.builder.add_input(flow.source, Value(size, ids=ids))
        return replace(flow, name=flow.source)

    def size(self, flow: Flow) -> int:
        """The number of features."""
        if not flow.name:
            given = f"sizes={{{flow.source!r}: ...}}"
            raise ConfigError(f"{self.layer}: the size of the input {flow.source!r} is not known here. Give {given}.")
        return self.builder.value(flow.name).size

    def scaled(self, flow: Flow, scale: Any, offset: Any = 0.0) -> Flow:
        """x * scale + offset, each a number or (size,)."""
        size = self.size(flow)
        scale, offset = (np.broadcast_to(np.asarray(part, np.float64), (size,)) for part in (scale, offset))
        return self.add(Scale(size), flow, axes=flow.axes, scale=scale, offset=offset)

    def refused(self, what: str, nearest: str = "") -> ConfigError:
        """The error for something that can't come in."""
        where = f"{self.layer}: " if self.layer else ""
        return ConfigError(f"{where}{what} can't be imported" + (f": {nearest}" if nearest else ""))


def array(tensor: Any) -> NDArray[np.float32]:
    """A parameter as an array."""
    return np.ascontiguousarray(tensor.detach().float().cpu().numpy())


def same_axes(flows: Sequence[Flow]) -> str:
    """The axes of several values; ConfigError if they differ."""
    if len({flow.axes for flow in flows}) > 1:
        raise ConfigError(f"values with different axes can't be joined: {', '.join(flow.axes for flow in flows)}")
    return flows[0].axes
