"""The check of every import: the graph beside the source's own run, on random and on given inputs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.stacking import stacked
from penstock.errors import ConfigError
from penstock.network import Differs, Graph
from penstock.runtime import GraphModel

__all__ = ["TOLERANCE", "Oracle", "imported"]

TOLERANCE = 1e-5
"""The largest difference that is accepted, as a part of the largest output where that is above 1."""

_LENGTHS = (1, 2, 3, 7, 19)

Named = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Oracle:
    """The source's own run.

    Attributes:
        name: the library and its version.
        run: one sequence's inputs by name -> its outputs by name.
    """

    name: str
    run: Callable[[Named], Named]


@dataclass(frozen=True)
class Source:
    """What is known of where a model came from.

    Attributes:
        library: "torch", "keras" or "onnx".
        name: the file's name or the class's.
        notes: what the user should know.
        lengths: the number of steps of an input where the source fixed it.
    """

    library: str
    name: str
    notes: Iterable[str] = ()
    lengths: Mapping[str, int | None] = field(default_factory=dict)


def imported(
    graph: Graph,
    tensors: Mapping[str, NDArray[Any]],
    source: Source,
    oracle: Oracle | str,
    given: Iterable[Any] | None = None,
) -> GraphModel:
    """Return the model of a graph, after a check beside the source's own run.

    Args:
        graph, tensors: what was imported.
        source: where it came from.
        oracle: the source's run, or why there is none.
        given: inputs as for `GraphModel.predict`, which are checked too.

    Raises:
        ConfigError: an output differs from the source's by more than `TOLERANCE`.
        DataError: a given input does not fit the model.
    """
    graph, tensors = stacked(graph, tensors)
    model = GraphModel(graph, tensors)
    about: dict[str, Any] = {"from": source.library, "source": source.name, "notes": list(source.notes)}
    if isinstance(oracle, str):
        about |= {"checked": None, "not_checked": oracle}
    else:
        inputs = _random(graph, source.lengths)
        more = [model._named(item, f"input {number} of the check") for number, item in enumerate(given or [])]
        about["checked"] = {
            "against": oracle.name,
            "random_sequences": len(inputs),
            "given_sequences": len(more),
            "largest_difference": _largest(model, oracle, [*inputs, *more]),
            "tolerance": TOLERANCE,
        }
    return GraphModel(graph, tensors, metrics={"import": about})


def _largest(model: GraphModel, oracle: Oracle, inputs: list[Named]) -> float:
    """The largest difference of all outputs; ConfigError where it is above the tolerance."""
    largest = 0.0
    for item in inputs:
        (found,) = model.predict([item])
        named = found if isinstance(found, dict) else {model.network.outputs[0]: found}
        expected = oracle.run(item)
        for name, array in named.items():
            wanted = np.asarray(expected[name], np.float32)
            if wanted.shape != array.shape:
                raise ConfigError(
                    f"the imported {name} has the shape {array.shape}; {oracle.name} gives {wanted.shape}"
                )
            scale = max(1.0, float(np.abs(wanted).max(initial=0)))
            difference = float(np.abs(wanted - array).max(initial=0)) / scale
            if not difference <= TOLERANCE:
                raise ConfigError(
                    f"the imported {name} differs from that of {oracle.name} by {difference:.2g}; "
                    f"at most {TOLERANCE:g} is accepted. Please report the model's layers. "
                    "Where rounding grows from step to step, leave the comparison out: check=False, --no-check."
                )
            largest = max(largest, difference)
    return largest


def _random(graph: Graph, lengths: Mapping[str, int | None]) -> list[dict[str, NDArray[Any]]]:
    """Random sequences of several lengths, with masked steps where the graph has masks of its inputs."""
    random = np.random.default_rng(0)
    fixed = [length for length in lengths.values() if length is not None]
    masks = {
        node.inputs[0]: node.operation.value
        for node in graph.nodes
        if isinstance(node.operation, Differs) and node.inputs[0] in graph.inputs
    }
    found = []
    for length in fixed[:1] * 3 or _LENGTHS:
        item: dict[str, NDArray[Any]] = {}
        for name, value in graph.inputs.items():
            shape = (length,) if value.ids else (length, value.size)
            item[name] = random.integers(0, value.size, shape) if value.ids else random.normal(size=shape)
            if name in masks:
                hidden = random.random(length) < 0.3
                hidden[0] = False  # a mean over no step is NaN in Keras
                item[name][hidden] = masks[name]
                if value.ids:
                    item[name][0] = value.size - 1
            item[name] = item[name] if value.ids else item[name].astype(np.float32)
        found.append(item)
    return found
