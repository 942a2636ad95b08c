"""Pooling and output layers of the runtime, on NumPy and the engine: a file per kind, a line here."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from penstock.errors import ConfigError
from penstock.heads.classify import ClassHead
from penstock.heads.forecasts import ForecastHead, SegmentForecastHead
from penstock.heads.pooled import PooledHead
from penstock.heads.regression import RegressionHead

HEADS: dict[str, Callable[..., Any]] = {
    "class": ClassHead,
    "regression": RegressionHead,
    "forecast": ForecastHead,
    "segment_forecast": SegmentForecastHead,
}
"""The runtime side of each kind of head, by the kind's name in a network's description."""

__all__ = ["HEADS", "ClassHead", "ForecastHead", "PooledHead", "RegressionHead", "SegmentForecastHead", "build"]


def build(spec: Any, tensors: Mapping[str, np.ndarray], *, features: int, bidirectional: bool = False) -> Any:
    """The runtime head for a head's description, e.g. `network.ClassHead(classes=2, pooling="mean_max")`.

    Args:
        spec: the head's description; its `kind` chooses the class, its other fields go to it.
        tensors: the head's parameters by their names in `model.safetensors` (`head.weight`, `head.bias`).
        features: the encoder's output size (over both directions).
        bidirectional: whether the second half of the features runs backward.

    Raises:
        ConfigError: the runtime has no head of this kind.
        ShapeError: the parameters do not fit the description.
    """
    kind = spec.kind
    if kind not in HEADS:
        raise ConfigError(
            f"the runtime has no head of kind {kind!r}; it has: {', '.join(sorted(HEADS))}. "
            "Was the model written by a newer Penstock? Then update this one."
        )
    return HEADS[kind](spec, tensors, features=features, bidirectional=bidirectional)
