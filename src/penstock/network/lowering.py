"""Networks of three parts as graphs, for export."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.network.graph import Graph, GraphBuilder
from penstock.network.heads import ClassHead, RegressionHead
from penstock.network.inputs import Embedding
from penstock.network.kinds import POOLED, STEPWISE
from penstock.network.network import Network
from penstock.network.operations import (
    Concatenate,
    Dense,
    Lookup,
    Pointwise,
    Pool,
    RecurrentLayers,
    Scale,
    Slice,
    Value,
)

__all__ = ["graph_of"]

_POOLS = {"max": ("max",), "mean": ("mean",), "mean_max": ("mean", "max")}


def graph_of(network: Network | Graph, tensors: Mapping[str, NDArray[Any]]) -> tuple[Graph, dict[str, NDArray[Any]]]:
    """Return a network as a graph, with its tensors under the graph's names.

    The input is called `ids` or `x`; the output is `probabilities`, `prediction`, or for steps `scores`.

    Raises:
        ConfigError: the network's wiring is neither pooled nor stepwise.
    """
    if isinstance(network, Graph):
        return network, dict(tensors)
    if network.wiring not in (POOLED, STEPWISE):
        raise ConfigError(f"a network with the wiring {network.wiring.name!r} has no graph")
    parts: dict[str, dict[str, NDArray[Any]]] = {"inputs": {}, "encoder": {}, "head": {}}
    for name, array in tensors.items():
        part, _, own = name.partition(".")
        parts[part][own] = array
    if isinstance(network.inputs, Embedding):
        builder = GraphBuilder({"ids": Value(network.inputs.vocabulary_size, ids=True)})
        lookup = Lookup(network.inputs.vocabulary_size, network.inputs.size)
        x = builder.add(lookup, "ids", name="embedding", **parts["inputs"])
    else:
        builder, x = GraphBuilder({"x": Value(network.inputs.size)}), "x"
    y = builder.add(RecurrentLayers(network.encoder), x, name="encoder", **parts["encoder"])
    return builder.build(_head(builder, y, network, parts["head"]))


def _head(builder: GraphBuilder, y: str, network: Network, tensors: dict[str, NDArray[Any]]) -> str:
    head = network.head
    features = network.encoder.output_size
    linear = {name: tensors[name] for name in ("weight", "bias")}
    outputs = len(linear["bias"])
    if network.wiring == STEPWISE:
        return builder.add(Dense(features, outputs), y, name="scores", **linear)
    pooled = _pooled(builder, y, head.pooling, features, bidirectional=network.encoder.bidirectional)
    scores = builder.add(Dense(head.pooled_size(features), outputs), pooled, name="scores", **linear)
    if isinstance(head, ClassHead):
        return builder.add(Pointwise("softmax"), scores, name="probabilities")
    if isinstance(head, RegressionHead):
        scaling = {name: np.asarray(tensors[name]) for name in ("scale", "offset")}
        return builder.add(Scale(outputs), scores, name="prediction", **scaling)
    raise ConfigError(f"a head of kind {head.kind!r} has no graph")


def _pooled(builder: GraphBuilder, y: str, pooling: str, features: int, *, bidirectional: bool) -> str:
    if pooling == "last" and bidirectional:  # the backward direction ends at the first step
        half = features // 2
        forward = builder.add(Pool("last"), builder.add(Slice(0, half), y))
        backward = builder.add(Pool("first"), builder.add(Slice(half, features), y))
        return builder.add(Concatenate(), forward, backward)
    pools = [builder.add(Pool(over), y) for over in _POOLS.get(pooling, ("last",))]  # type: ignore[arg-type]
    return pools[0] if len(pools) == 1 else builder.add(Concatenate(), *pools)
