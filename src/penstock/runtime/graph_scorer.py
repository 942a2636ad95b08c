"""A graph on the engine: on whole sequences, or step by step."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from penstock.errors import ConfigError, ShapeError
from penstock.network import Graph, Node, RecurrentLayers
from penstock.pauses import pause
from penstock.runtime.operations import RUNNING, PoolRun, RecurrentRun
from penstock.runtime.stack import Stack, check_room
from penstock.sequences import Sequences

__all__ = ["GraphScorer", "Memory"]

Floats = NDArray[np.float32]
Memory = dict[str, Any]
"""What each recurrence and pool remembers, by the node's name."""

# Numbers of one value that are computed at once: some megabytes.
_NUMBERS = 1 << 20
_BATCH = 128


class GraphScorer:
    """Runs a graph; an output's bits depend on its own sequence alone, and not on how its steps are divided.

    A pickled one holds the description as JSON and the tensors as safetensors.

    Args:
        graph: the network.
        tensors: float32 arrays by the names in `graph.parameter_shapes()`.

    Raises:
        ShapeError: the tensors do not match the graph.
    """

    pools = False
    """Its streams are not advanced together."""

    def __init__(self, graph: Graph, tensors: Mapping[str, Floats]) -> None:
        for name, shape in graph.parameter_shapes().items():
            found = tensors[name].shape if name in tensors else "absent"
            if found != shape:
                raise ShapeError(f"{name} must be {shape}, from the graph's description; got {found}")
        self.graph, self._tensors = graph, tensors
        self._running = {
            node.name: RUNNING[node.operation.kind](
                node.operation, {name: tensors[f"{node.name}.{name}"] for name in node.operation.parameter_shapes()}
            )
            for node in graph.nodes
        }
        values = graph.values
        self._largest = max(value.size for value in values.values() if not value.ids)
        self._of_steps = [node for node in graph.nodes if values[node.inputs[0]].steps]
        self._of_sequences = [node for node in graph.nodes if not values[node.inputs[0]].steps]

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.graph.to_json(), safetensors.numpy.save(dict(self._tensors)))

    @property
    def recurrence(self) -> Node:
        """The one node with recurrent layers that can be looked into.

        Raises:
            ConfigError: there is none or several, or it has a mask or initial states, or reads backward alone.
        """
        nodes = [node for node in self.graph.nodes if isinstance(node.operation, RecurrentLayers)]
        if len(nodes) != 1:
            many = f"{len(nodes)} ({', '.join(node.name for node in nodes[:5])})" if nodes else "none"
            raise ConfigError(
                f"an imported network can be inspected if it has one stack of recurrent layers; got {many}"
            )
        operation = nodes[0].operation
        if operation.masked or operation.initial or operation.reverse:
            why = "masks" if operation.masked else "initial states" if operation.initial else "a reverse reading"
            raise ConfigError(f"{nodes[0].name} of the imported network has {why}, and can't be inspected")
        return nodes[0]

    @property
    def encoder(self) -> Stack:
        """The layers of `recurrence`."""
        return self._running[self.recurrence.name].stack

    def memory(self, batch: int) -> Memory:
        """Return the memory of `batch` sequences before their first step."""
        memory: Memory = {}
        for node in self.graph.nodes:
            running = self._running[node.name]
            if isinstance(running, RecurrentRun):
                memory[node.name] = running.memory(batch)
            elif isinstance(running, PoolRun):
                memory[node.name] = running.memory(batch, self.graph.values[node.name].size)
        return memory

    def reset(self, memory: Memory) -> None:
        """Set a memory back to that before the first step."""
        for name, part in memory.items():
            self._running[name].reset(part)

    def arrays(self, memory: Memory) -> dict[str, NDArray[Any]]:
        """Return the arrays of a memory by name."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, part in memory.items():
            parts = part if isinstance(part, dict) else self._running[name].arrays(part)
            arrays |= {f"{name}.{each}": array for each, array in parts.items()}
        return arrays

    def advance(
        self, memory: Memory, inputs: Mapping[str, NDArray[Any]], lengths: NDArray[np.int64] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Read the next steps of each sequence; return the outputs that have steps, (time, batch, size).

        Args:
            memory: as `memory` made it; it changes.
            inputs: by name, (time, batch, size) float32, or (time, batch) ids.
            lengths: (batch,), how many of the steps each sequence has; None for all.
        """
        values = dict(inputs)
        for node in self._of_steps:
            running, read = self._running[node.name], [values[name] for name in node.inputs]
            if isinstance(running, PoolRun):
                running.fold(memory[node.name], lengths, *read)
            elif isinstance(running, RecurrentRun):
                values[node.name] = running(memory[node.name], lengths, *read)
            else:
                values[node.name] = running(lengths, *read)
            pause()
        return {name: values[name] for name in self.graph.outputs if self.graph.values[name].steps}

    def read(self, memory: Memory) -> dict[str, NDArray[Any]]:
        """Return the outputs that have a row for each sequence, (batch, size), after the steps so far."""
        values = {name: self._running[name].read(part) for name, part in memory.items() if isinstance(part, dict)}
        for node in self._of_sequences:
            values[node.name] = self._running[node.name](None, *(values[name] for name in node.inputs))
        return {name: values[name] for name in self.graph.outputs if not self.graph.values[name].steps}

    def scores(self, inputs: Mapping[str, Sequences]) -> dict[str, Any]:
        """Return each output by name: `Sequences` of the inputs' lengths, or (sequences, size).

        Args:
            inputs: by name; all of the same lengths.
        """
        first = next(iter(inputs.values()))
        count, lengths = len(first), first.lengths
        sizes = {name: self.graph.values[name].size for name in self.graph.outputs}
        outputs = {
            name: np.empty((int(first.offsets[-1]) if self.graph.values[name].steps else count, size), np.float32)
            for name, size in sizes.items()
        }
        for chosen in self._batches(lengths):
            self._score(chosen, inputs, outputs)
        return {
            name: Sequences(array, first.offsets) if self.graph.values[name].steps else array
            for name, array in outputs.items()
        }

    def _score(self, chosen: NDArray[np.int64], inputs: Mapping[str, Sequences], outputs: Mapping[str, Floats]) -> None:
        padded = {name: each.pad(chosen).values.swapaxes(0, 1) for name, each in inputs.items()}
        first = next(iter(inputs.values()))
        lengths, start = first.lengths[chosen], first.offsets[:-1][chosen]
        memory = self.memory(len(chosen))
        for begin, end in self._spans(int(lengths.max(initial=0)), len(chosen)):
            steps = np.clip(lengths - begin, 0, end - begin)
            found = self.advance(memory, {name: array[begin:end] for name, array in padded.items()}, steps)
            pause()
            time, row = np.nonzero(np.arange(end - begin)[:, None] < steps)
            for name, array in found.items():
                outputs[name][start[row] + begin + time] = array[time, row]
        for name, array in self.read(memory).items():
            outputs[name][chosen] = array

    def _batches(self, lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Yield indices of sequences of similar lengths; few long ones together if all steps are needed at once."""
        order = np.argsort(lengths, kind="stable")
        while len(order):
            longest = int(lengths[order[:_BATCH][-1]])
            few = _BATCH if self.graph.streams else _NUMBERS // (self._largest * max(1, longest))
            chosen, order = np.split(order, [min(_BATCH, max(1, few))])
            yield chosen

    def _spans(self, longest: int, batch: int) -> Iterator[tuple[int, int]]:
        """Yield the steps that are computed together, from and to."""
        if self.graph.streams:
            span = max(1, _NUMBERS // (self._largest * batch))
        else:  # what reads backward needs all steps at once
            span = max(1, longest)
            check_room(longest, batch, self._largest)
        return ((begin, min(begin + span, longest)) for begin in range(0, longest, span))


def _unpickled(described: Mapping[str, Any], tensors: bytes) -> GraphScorer:
    """The scorer that a pickle holds; ConfigError where it has a cell that isn't registered here."""
    return GraphScorer(Graph.from_json(described), safetensors.numpy.load(tensors))
