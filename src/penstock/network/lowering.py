"""Networks of three parts as graphs, for export: the `export` sides of inputs, encoder and heads."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.network.encoder import Recurrent
from penstock.network.graph import Graph, GraphBuilder
from penstock.network.heads import ClassHead, RegressionHead, StepClassHead
from penstock.network.inputs import Embedding, Numbers
from penstock.network.kinds import KINDS
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

__all__ = [
    "add_class_head",
    "add_embedding",
    "add_layers",
    "add_numbers",
    "add_regression_head",
    "add_step_class_head",
    "graph_of",
]

Tensors = Mapping[str, NDArray[Any]]

_POOLS = {"max": ("max",), "mean": ("mean",), "mean_max": ("mean", "max")}


def graph_of(network: Network | Graph, tensors: Tensors) -> tuple[Graph, dict[str, NDArray[Any]]]:
    """Return a network as a graph, with its tensors under the graph's names; its scores have the same bits.

    Inputs are called `ids` or `x`, for forecasts also `identity`, `last` and `known`; the output is `probabilities`,
    `prediction`, for labels of steps and for language models `scores`, and for forecasts `forecasts`, (horizon *
    targets * quantiles) in that order. An adaptive softmax alone has other bits, by rounding.

    Raises:
        ConfigError: a part has no export side, or no graph can describe the network's wiring.
    """
    if isinstance(network, Graph):
        return network, dict(tensors)
    if network.wiring.export is not None:
        raise ConfigError(
            f"a network with the wiring {network.wiring.name!r} reads a fixed window, and has no graph. "
            "Export it to ONNX, OpenVINO or PyTorch."
        )
    parts: dict[str, dict[str, NDArray[Any]]] = {part: {} for part in KINDS}
    for name, array in tensors.items():
        part, _, own = name.partition(".")
        parts[part][own] = array
    add_inputs, add_encoder, add_head = network.sides("export")
    builder = GraphBuilder()
    x = add_inputs(builder, network.inputs, parts["inputs"])
    y = add_encoder(builder, network.encoder, parts["encoder"], x)
    bidirectional = network.encoder.bidirectional
    return builder.build(add_head(builder, network.head, parts["head"], y, bidirectional=bidirectional))


def add_embedding(builder: GraphBuilder, spec: Embedding, tensors: Tensors) -> str:
    """Add the input `ids` and its table."""
    ids = builder.add_input("ids", Value(spec.vocabulary_size, ids=True))
    return builder.add(Lookup(spec.vocabulary_size, spec.size), ids, name="embedding", **tensors)


def add_numbers(builder: GraphBuilder, spec: Numbers, tensors: Tensors) -> str:
    """Add the input `x`."""
    return builder.add_input("x", Value(spec.size))


def add_layers(builder: GraphBuilder, spec: Recurrent, tensors: Tensors, x: str) -> str:
    """Add the recurrent layers."""
    return builder.add(RecurrentLayers(spec), x, name="encoder", **tensors)


def add_class_head(
    builder: GraphBuilder, spec: ClassHead, tensors: Tensors, y: str, *, bidirectional: bool = False
) -> str:
    """Add pooling, a linear layer and a softmax, called `probabilities`."""
    scores = _pooled_scores(builder, spec.pooling, tensors, y, bidirectional)
    return builder.add(Pointwise("softmax"), scores, name="probabilities")


def add_regression_head(
    builder: GraphBuilder, spec: RegressionHead, tensors: Tensors, y: str, *, bidirectional: bool = False
) -> str:
    """Add pooling, a linear layer and the scale of the targets, called `prediction`."""
    linear = {name: tensors[name] for name in ("weight", "bias")}
    scores = _pooled_scores(builder, spec.pooling, linear, y, bidirectional)
    scaling = {name: tensors[name] for name in ("scale", "offset")}
    return builder.add(Scale(spec.outputs), scores, name="prediction", **scaling)


def add_step_class_head(
    builder: GraphBuilder, spec: StepClassHead, tensors: Tensors, y: str, *, bidirectional: bool = False
) -> str:
    """Add a linear layer at each step, called `scores`."""
    return builder.add(Dense(builder.value(y).size, spec.classes), y, name="scores", **tensors)


def _pooled_scores(builder: GraphBuilder, pooling: str, linear: Tensors, y: str, bidirectional: bool) -> str:
    pooled = _pooled(builder, y, pooling, builder.value(y).size, bidirectional=bidirectional)
    layer = Dense(builder.value(pooled).size, len(linear["bias"]))
    return builder.add(layer, pooled, name="scores", **linear)


def _pooled(builder: GraphBuilder, y: str, pooling: str, features: int, *, bidirectional: bool) -> str:
    if pooling == "last" and bidirectional:  # the backward direction ends at the first step
        half = features // 2
        forward = builder.add(Pool("last"), builder.add(Slice(0, half), y))
        backward = builder.add(Pool("first"), builder.add(Slice(half, features), y))
        return builder.add(Concatenate(), forward, backward)
    pools = [builder.add(Pool(over), y) for over in _POOLS.get(pooling, ("last",))]  # type: ignore[arg-type]
    return pools[0] if len(pools) == 1 else builder.add(Concatenate(), *pools)
