"""Speech recognisers as graphs, for export: the log-probabilities of tokens, which the other runtime has to decode."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.network.graph import GraphBuilder
from penstock.network.operations import Dense, Pointwise
from penstock.speech.spec import CtcHead

__all__ = ["add_ctc_head"]


def add_ctc_head(
    builder: GraphBuilder,
    spec: CtcHead,
    tensors: Mapping[str, NDArray[Any]],
    y: str,
    *,
    bidirectional: bool = False,
) -> str:
    """Add a linear layer and log softmax at each step, called `scores`; the blank's is the first.

    Raises:
        ConfigError: the head looks ahead, for which graphs have no operation.
    """
    if spec.lookahead:
        raise ConfigError(
            f"a head of kind 'ctc' that looks {spec.lookahead} steps ahead can't be exported: a graph has no "
            "convolution over time. Train with lookahead=0."
        )
    layer = Dense(builder.value(y).size, spec.tokens)
    dense = builder.add(layer, y, weight=tensors["weight"], bias=tensors["bias"])
    return builder.add(Pointwise("log_softmax"), dense, name="scores")
