"""What the operations of a graph share while they are written to ONNX: lengths, states, the order of the steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.onnx_nodes import Nodes
from penstock.network import Value

__all__ = ["StateInput", "Steps"]


@dataclass(frozen=True)
class StateInput:
    """A state that a streaming graph reads and returns.

    Attributes:
        name: the input; the output is called `<name>_after`.
        shape: (rows, None, size), (None, size) or (None,), with None for the batch.
        start: the state before the first step: zeros, or an array that broadcasts to the shape.
        dtype: float32, or int64 for a number of steps.
    """

    name: str
    shape: tuple[int | None, ...]
    start: NDArray[np.float32] | None = None
    dtype: Any = np.float32


@dataclass
class Steps:
    """The run of a graph in ONNX, over the steps of a batch; values of steps are (time, batch, size).

    Attributes:
        nodes: where operations are added.
        lengths: the value (batch,) int64 with the steps of each sequence; "" if all have `time` steps.
        streaming: whether states are inputs and outputs, so that a call continues the one before.
        portable: whether to write for runtimes that ignore sequence_lens and peepholes, as OpenVINO's CPU plugin does:
            backward directions reverse their input instead.
        batch, time: values (1,) int64.
        values: what is known of each value of the graph.
        ids: the values that are ids, as they are named in `nodes`.
        states: the states that a caller gives.
        after: the final states by the names of their outputs; shapes as in `StateInput`.
    """

    nodes: Nodes
    lengths: str
    streaming: bool
    portable: bool
    batch: str
    time: str
    values: Mapping[str, Value] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)
    states: list[StateInput] = field(default_factory=list)
    after: dict[str, tuple[str, StateInput]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._valid = ""

    @property
    def valid(self) -> str:
        """(time, batch, 1) bool: whether a step belongs to its sequence; "" if all do."""
        if self.lengths and not self._valid:
            add = self.nodes.add
            places = add("Unsqueeze", self.places, np.array([1, 2]))
            self._valid = add("Less", places, add("Unsqueeze", self.lengths, np.array([0, 2])))
        return self._valid

    @property
    def places(self) -> str:
        """(time,) int64: the numbers of the steps."""
        scalar = self.nodes.add("Squeeze", self.time, np.array([0]))
        return self.nodes.add("Range", np.int64(0), scalar, np.int64(1))

    def kept(self, mask: str = "") -> str:
        """(time, batch, 1) bool: whether a step belongs to its sequence and its mask is not 0; "" if all are kept."""
        if not mask:
            return self.valid
        there = self.nodes.add("Not", self.nodes.add("Equal", mask, np.float32(0)))
        return self.nodes.add("And", there, self.valid) if self.valid else there

    def reversed(self, x: str) -> str:
        """x (time, batch, ...) with the steps of each sequence in the opposite order."""
        lengths = self.lengths or self.nodes.add("Expand", self.time, self.batch)
        # An empty sequence is left as it is, like one of one step: ReverseSequence asks for at least 1.
        return self.nodes.add(
            "ReverseSequence", x, self.nodes.add("Max", lengths, np.int64(1)), batch_axis=1, time_axis=0
        )

    def state(self, state: StateInput) -> str:
        """Declare a state that streaming reads, and return its value."""
        self.states.append(state)
        return state.name

    def keep(self, state: StateInput, value: str) -> None:
        """Declare a final state."""
        self.after[f"{state.name}_after"] = value, state
