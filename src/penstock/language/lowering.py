"""Language models as graphs, for export: the scores of what comes next, from which the other runtime has to draw."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.network.graph import GraphBuilder
from penstock.network.operations import Add, Concatenate, Dense, Pointwise, Slice

__all__ = ["add_bernoulli_head", "add_next_token_head"]

Tensors = Mapping[str, NDArray[Any]]


def add_next_token_head(
    builder: GraphBuilder, spec: NextTokenHead, tensors: Tensors, y: str, *, bidirectional: bool = False
) -> str:
    """Add a linear layer at each step, called `scores`; a tied one has the table of the embedding before it.

    The `scores` of an adaptive softmax are log-probabilities, the runtime's up to rounding.
    """
    if spec.cutoffs:
        return _add_adaptive(builder, spec, tensors, y)
    if "projection" in tensors:
        y = _added(builder, y, tensors["projection"], name="projection")
    weight = builder.tensors["embedding.weight"] if spec.tied else tensors["weight"]
    return _added(builder, y, weight, name="scores", bias=tensors["bias"])


def add_bernoulli_head(
    builder: GraphBuilder, spec: BernoulliHead, tensors: Tensors, y: str, *, bidirectional: bool = False
) -> str:
    """Add a linear layer at each step, called `scores`: the log-odds of each note."""
    return _added(builder, y, tensors["weight"], name="scores", bias=tensors["bias"])


def _add_adaptive(builder: GraphBuilder, spec: NextTokenHead, tensors: Tensors, y: str) -> str:
    short = spec.cutoffs[0]
    short_list = _added(builder, y, tensors["adaptive.head.weight"], bias=tensors["adaptive.head.bias"])
    first = builder.add(Pointwise("log_softmax"), short_list)
    found = [builder.add(Slice(0, short), first)]
    for number, (start, end) in enumerate(spec.clusters()):
        x = y
        for layer in range(2):
            x = _added(builder, x, tensors[f"adaptive.tail.{number}.{layer}.weight"])
        within = builder.add(Pointwise("log_softmax"), x)
        cluster = builder.add(Slice(short + number, short + number + 1), first)
        repeated = _added(builder, cluster, np.ones((end - start, 1)))  # operations don't broadcast
        found.append(builder.add(Add(), within, repeated))
    return builder.add(Concatenate(), *found, name="scores")


def _added(builder: GraphBuilder, x: str, weight: NDArray[Any], *, name: str | None = None, **bias: Any) -> str:
    """Add a linear layer with this weight (outputs, inputs)."""
    outputs, inputs = weight.shape
    return builder.add(Dense(inputs, outputs, bias=bool(bias)), x, name=name, weight=weight, **bias)
