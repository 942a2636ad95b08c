"""What the recurrent layers of an imported network read, for inspection, where it has one stack of them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.network import Graph, Node
from penstock.runtime.graph_scorer import GraphScorer
from penstock.runtime.reading import Reading
from penstock.sequences import Sequences

__all__ = ["graph_reading"]

Item = Mapping[str, NDArray[Any]]
_MOST_LEVELS = 16  # numbers of a step that units may follow


def graph_reading(scorer: GraphScorer, tensors: Mapping[str, NDArray[Any]], item: Item) -> Reading:
    """Return a sequence as the recurrent layers read it.

    Predictions after forgetting are the outputs that have a row for the sequence; where there are none, those of the
    last step, or for layers that read backward too of the middle step.

    Args:
        scorer: the network.
        tensors: its tensors by name.
        item: the checked arrays of one sequence by the inputs' names.

    Raises:
        ConfigError: there are no such layers or several, or they have masks or initial states, or read backward alone.
    """
    graph, node = scorer.graph, scorer.recurrence
    before = _before(graph, node)
    own = {name: tensors[name] for name in before.parameter_shapes()}
    (x,) = GraphScorer(before, own).scores(_several([item])).values()
    pooled = any(not graph.values[name].steps for name in graph.outputs)
    around = node.operation.layers.bidirectional and not pooled
    return Reading(
        x=x.values[:, None],
        recall=partial(_recalled, scorer, item, around),
        around=around,
        properties=_properties(graph, item),
    )


def _before(graph: Graph, node: Node) -> Graph:
    """The part of a graph that makes what a node reads."""
    needed, kept = set(node.inputs), []
    for each in reversed(graph.nodes):
        if each.name in needed:
            needed |= set(each.inputs)
            kept.append(each)
    return Graph(graph.inputs, tuple(reversed(kept)), node.inputs)


def _recalled(scorer: GraphScorer, item: Item, around: bool, steps: Sequence[int]) -> NDArray[np.float32]:
    """See `Reading.recall`."""
    length = len(next(iter(item.values())))
    middle = length // 2
    spans = [(max(0, middle - n), middle + n + 1) if around else (length - n, length) for n in steps]
    found = scorer.scores(_several([{name: array[slice(*span)] for name, array in item.items()} for span in spans]))
    whole = [array for array in found.values() if not isinstance(array, Sequences)]
    if whole:
        return np.concatenate(whole, axis=1)
    rows = [[each[place] for each in found.values()] for place in range(len(spans))]
    places = [min(n, middle) if around else -1 for n in steps]
    return np.array(
        [
            np.concatenate([array[place] if len(array) else np.zeros(array.shape[1], np.float32) for array in row])
            for row, place in zip(rows, places, strict=True)
        ]
    )


def _several(items: Sequence[Item]) -> dict[str, Sequences]:
    return {name: Sequences.from_list([item[name] for item in items]) for name in items[0]}


def _properties(graph: Graph, item: Item) -> dict[str, NDArray[np.float64]]:
    """The position, and the numbers of each input that has few."""
    length = len(next(iter(item.values())))
    found = {"position": np.arange(length, dtype=np.float64)[:, None]}
    for name, value in graph.inputs.items():
        if not value.ids and value.size <= _MOST_LEVELS:
            levels = item[name].astype(np.float64)
            found |= {f"level of {name} {column + 1}": levels[:, column : column + 1] for column in range(value.size)}
    return found
