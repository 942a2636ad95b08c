"""Whether an export computes what the network computes: on random sequences of different lengths, and as a stream."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.exported import NamedGraph
from penstock.convert.exporting.onnx_steps import StateInput
from penstock.convert.exporting.runtimes import Run
from penstock.errors import ConfigError
from penstock.network import Graph
from penstock.runtime.graph_scorer import GraphScorer
from penstock.sequences import Sequences

__all__ = [
    "TOLERANCE",
    "check",
    "difference",
    "padded",
    "random_sequences",
    "run_whole",
    "started",
    "states_of",
    "stream_error",
    "whole_error",
]

TOLERANCE = 1e-5
"""The largest difference from the runtime that an export may have, as a share of the output's scale: its largest
number, at least 1."""

Arrays = Mapping[str, NDArray[Any]]
_LENGTHS = (3, 0, 17, 1, 8)


def random_sequences(graph: Graph, *, seed: int = 0, lengths: tuple[int, ...] = _LENGTHS) -> dict[str, Sequences]:
    """Return sequences of different lengths for each input of a graph, from a fixed seed."""
    random = np.random.default_rng(seed)
    offsets = np.cumsum([0, *lengths])
    total = int(offsets[-1])
    return {
        name: Sequences(
            random.integers(0, value.size, total)
            if value.ids
            else random.normal(size=(total, value.size)).astype(np.float32),
            offsets,
        )
        for name, value in graph.inputs.items()
    }


def padded(sequences: Mapping[str, Sequences], *, lengths: bool = True) -> dict[str, NDArray[Any]]:
    """Return the inputs of a whole run: arrays (batch, time, ...), of at least one step, and `lengths`."""
    found = {}
    for name, each in sequences.items():
        values = each.pad().values
        values = values.astype(np.int64 if values.dtype.kind in "iu" else np.float32)
        found[name] = np.pad(values, [(0, 0), (0, max(0, 1 - values.shape[1])), *[(0, 0)] * (values.ndim - 2)])
    if lengths:
        found["lengths"] = next(iter(sequences.values())).lengths.astype(np.int64)
    return found


def run_whole(run: Run, graph: Graph, sequences: Mapping[str, Sequences]) -> dict[str, Any]:
    """Return an export's outputs for sequences, in the form of `GraphScorer.scores`."""
    first = next(iter(sequences.values()))
    found = run(padded(sequences))
    inside = np.arange(max(1, first.lengths.max(initial=0))) < first.lengths[:, None]
    return {
        name: Sequences(found[name][inside], first.offsets) if graph.values[name].steps else found[name]
        for name in graph.outputs
    }


def whole_error(run: Run, exported: NamedGraph, sequences: Mapping[str, Sequences]) -> float:
    """Return the largest difference of any output, as a share of the output's scale."""
    expected = GraphScorer(exported.graph, exported.tensors).scores(sequences)
    found = run_whole(run, exported.graph, sequences)
    return max(difference(_values(found[name]), _values(expected[name])) for name in exported.graph.outputs)


def stream_error(
    run: Run, exported: NamedGraph, states: list[StateInput], sequences: Mapping[str, Sequences], *, lengths: bool
) -> float:
    """Return the largest difference of any output after any step, fed step by step.

    Args:
        run: the streaming form.
        exported: what was exported.
        states: its states.
        sequences: what is read; without `lengths`, all of the same length.
        lengths: whether the form reads how many steps each sequence has.
    """
    scorer, graph = GraphScorer(exported.graph, exported.tensors), exported.graph
    memory, worst = scorer.memory(len(next(iter(sequences.values())))), 0.0
    held = started(states, len(next(iter(sequences.values()))))
    for inputs, counts in _single_steps(sequences):
        found = run({**inputs, **held, **({"lengths": counts} if lengths else {})})
        held = {each.name: found[f"{each.name}_after"] for each in states}
        stepped = scorer.advance(memory, {name: array.swapaxes(0, 1) for name, array in inputs.items()}, counts)
        expected = {name: array[0] for name, array in stepped.items()} | scorer.read(memory)
        for name in graph.outputs:
            own = found[name][:, 0] if graph.values[name].steps else found[name]
            there = counts > 0 if graph.values[name].steps else slice(None)
            worst = max(worst, difference(own[there], expected[name][there]))
    return worst


def states_of(made: Any) -> list[StateInput]:
    """Return the states of a streaming form, as its metadata describe them."""
    about = {each.key: each.value for each in made.metadata_props}
    return [
        StateInput(
            name,
            tuple(each["shape"]),
            None if each["start"] == 0 else np.array(each["start"], np.float32),
            np.dtype(each["dtype"]),
        )
        for name, each in json.loads(about.get("states", "{}")).items()
    ]


def started(states: list[StateInput], batch: int) -> dict[str, NDArray[Any]]:
    """Return states before the first step."""
    shapes = {each.name: tuple(batch if size is None else size for size in each.shape) for each in states}
    return {
        each.name: np.zeros(shapes[each.name], each.dtype)
        if each.start is None
        else np.broadcast_to(each.start, shapes[each.name]).astype(each.dtype)
        for each in states
    }


def check(error: float, what: str, most: float = TOLERANCE) -> float:
    """Return an error that is small enough; ConfigError says how large another one is."""
    if not error <= most:  # NaN too
        raise ConfigError(
            f"{what} computes something else than the model: it differs by {error:.2g} of the output's scale, more "
            f"than {most:g}. Nothing was written."
        )
    return error


def difference(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the largest difference, as a share of the largest expected number or of 1; infinite for other shapes."""
    if found.shape != expected.shape:
        return np.inf
    if not expected.size:
        return 0.0
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))


def _single_steps(sequences: Mapping[str, Sequences]) -> Iterator[tuple[dict[str, NDArray[Any]], NDArray[np.int64]]]:
    whole = padded(sequences)
    lengths = whole.pop("lengths")
    for step in range(next(iter(whole.values())).shape[1]):
        inputs = {name: array[:, step : step + 1] for name, array in whole.items()}
        yield inputs, np.clip(lengths - step, 0, 1)


def _values(output: Any) -> NDArray[Any]:
    return output.values if isinstance(output, Sequences) else output
