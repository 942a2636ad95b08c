"""A forecaster with a carried state as a graph, for export: the `export` sides of its inputs and head, and its data."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.forecast.spec import ForecastHead, Segments
from penstock.network import Add, Dense, GraphBuilder, Lookup, Pointwise, Value
from penstock.sequences import Sequences

if TYPE_CHECKING:
    from penstock.forecast.features import Encoded
    from penstock.forecast.model import ForecastModel

__all__ = ["add_forecast_head", "add_segments", "graph_inputs"]

Tensors = Mapping[str, NDArray[Any]]


def add_segments(builder: GraphBuilder, spec: Segments, tensors: Tensors) -> str:
    """Add the input `x`, the segments' features, and, with identities, `identity`, the series' number at each step."""
    features = spec.length * spec.features
    x = builder.add_input("x", Value(features))
    x = builder.add(Dense(features, spec.size), x, weight=tensors["weight"], bias=tensors["bias"])
    if spec.identities:
        count = spec.identities + 1
        identity = builder.add_input("identity", Value(count, ids=True))
        own = builder.add(Lookup(count, spec.size), identity, weight=tensors["identities"])
        x = builder.add(Add(), x, own)
    return builder.add(Pointwise("relu"), x)


def add_forecast_head(
    builder: GraphBuilder, spec: ForecastHead, tensors: Tensors, y: str, *, bidirectional: bool = False
) -> str:
    """Add the inputs `last` (targets) and `known` (horizon * known), and forecasts after each step, `forecasts`.

    Raises:
        ConfigError: the layers read backward, from values that are unknown when a forecast is made.
    """
    if bidirectional:
        raise ConfigError("a forecaster with a carried state can't be bidirectional")
    outputs = spec.horizon * spec.targets * spec.quantiles
    found = builder.add(Dense(builder.value(y).size, outputs), y, weight=tensors["weight"], bias=tensors["bias"])
    if spec.known:
        known = builder.add_input("known", Value(spec.horizon * spec.known))
        hidden = Dense(spec.known, spec.known_size, blocks=spec.horizon)
        seen = builder.add(hidden, known, weight=tensors["known_weight"], bias=tensors["known_bias"])
        effect = Dense(spec.known_size, spec.targets * spec.quantiles, bias=False, blocks=spec.horizon)
        seen = builder.add(effect, builder.add(Pointwise("relu"), seen), weight=tensors["known_output"])
        found = builder.add(Add(), found, seen)
    last = builder.add_input("last", Value(spec.targets))
    # Each target's last value, for all steps ahead and quantiles; a product with 1 and sums of 0 are exact.
    spread = np.kron(np.ones((spec.horizon, 1)), np.kron(np.eye(spec.targets), np.ones((spec.quantiles, 1))))
    repeated = builder.add(Dense(spec.targets, outputs, bias=False), last, weight=spread)
    return builder.add(Add(), found, repeated, name="forecasts")


def graph_inputs(model: "ForecastModel", series: "Iterable[Encoded]") -> dict[str, Sequences]:
    """Return series as the inputs of the graph, by name: a sequence for each row that the network sees of a series.

    Steps whose known covariates are not there for all steps ahead are left out.
    """
    head, rows = model.network.head, list[dict[str, NDArray[Any]]]()
    for each in series:
        steps = len(each.values)
        steps = max(0, min(steps, each.known_steps - head.horizon)) if head.known else steps
        before = np.concatenate([each.values[:1], each.values[:-1]])
        features = model.carried_features(each.values, before, each.covariates)[:steps]
        windows = [np.arange(step + 1, step + 1 + head.horizon) for step in range(steps)]
        known = np.array([each.known[window].ravel() for window in windows], np.float32)
        for row, number in enumerate(model.features.rows(each.identity).tolist()):
            last = each.values[:steps] if model.features.joint else each.values[:steps, row : row + 1]
            found = {"x": features[:, row], "identity": np.full(steps, number), "last": last}
            rows.append(found | {"known": known.reshape(steps, head.horizon * head.known)})
    names = ["x", "last", *(["identity"] * bool(model.network.inputs.identities)), *(["known"] * bool(head.known))]
    return {name: Sequences.from_list([row[name] for row in rows]) for name in names}
