"""Detectors as graphs, for export: the distribution of each step's values; scoring and thresholds are left out."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from penstock.detect.spec import DistributionHead
from penstock.network.graph import GraphBuilder
from penstock.network.operations import Dense

__all__ = ["add_distribution_head"]


def add_distribution_head(
    builder: GraphBuilder,
    spec: DistributionHead,
    tensors: Mapping[str, NDArray[Any]],
    y: str,
    *,
    bidirectional: bool = False,
) -> str:
    """Add a linear layer at each step, called `scores`."""
    return builder.add(Dense(builder.value(y).size, 2 * spec.targets), y, name="scores", **tensors)
