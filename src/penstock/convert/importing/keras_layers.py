"""Keras' layers as operations of a graph: what each becomes, and what is refused by its name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.network import (
    Add,
    Concatenate,
    Dense,
    Differs,
    GraphBuilder,
    Lookup,
    Multiply,
    Pointwise,
    Pool,
    Scale,
    Standardize,
)
from penstock.network.operations import Operation

__all__ = ["LAYERS", "NEAREST", "Building", "Flow", "activated", "refused"]

Config = Mapping[str, Any]
Arrays = Sequence[NDArray[Any]]


class Flow(NamedTuple):
    """A value on its way through the layers: its name in the graph, and that of its mask, if it has one."""

    name: str
    mask: str | None = None


@dataclass
class Building:
    """A graph in the making.

    Attributes:
        builder: the graph.
        version: the major version of Keras that saved the model.
        layer: the name of the layer that is being read.
        notes: what the user should know.
    """

    builder: GraphBuilder
    version: int
    layer: str = ""
    notes: list[str] = field(default_factory=list)

    def add(self, operation: Operation, *inputs: str, **tensors: Any) -> str:
        """Add an operation of the layer; return the name of its result."""
        return self.builder.add(operation, *inputs, name=self.builder.free(f"{self.layer}_{operation.kind}"), **tensors)

    def steps(self, flow: Flow) -> bool:
        """Whether a value has one row for each step."""
        return self.builder.value(flow.name).steps

    def note(self, text: str) -> None:
        """Remember something that the user should know."""
        self.notes.append(f"{self.layer}: {text}")


Layer = Callable[[Building, Config, Arrays, Sequence[Flow]], Sequence[Flow]]

NEAREST = {
    "Lambda": "it holds Python code, which is never run here; use a layer that Keras has",
    "Flatten": "it ties the model to one length; use GlobalAveragePooling1D, or return_sequences=False",
    "Reshape": "use TimeDistributed(Dense), or import a part of the model: start=, stop=",
    "RepeatVector": "import encoder and decoder apart: start=, stop=",
    "ConvLSTM1D": "LSTM is the nearest",
    "Conv1D": "import the layers after it: start=",
    "MultiHeadAttention": "import the layers before it: stop=",
    "Attention": "import the layers before it: stop=",
    "PReLU": "LeakyReLU is the nearest",
    "Maximum": "Add, Average, Multiply and Concatenate come in",
    "Minimum": "Add, Average, Multiply and Concatenate come in",
    "MaxPooling1D": "GlobalMaxPooling1D comes in, and layers after it: start=",
    "RNN": "SimpleRNN, LSTM and GRU come in",
}
"""What to do about layers that can't come in."""

_ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    **{name: (name, {}) for name in ("elu", "gelu", "log_softmax", "relu", "selu", "sigmoid", "silu", "softmax")},
    **{name: (name, {}) for name in ("softplus", "softsign", "tanh")},
    "exponential": ("exp", {}),
    "hard_tanh": ("clip", {"low": -1.0, "high": 1.0}),
    "leaky_relu": ("leaky_relu", {"slope": 0.2}),
    "relu6": ("clip", {"low": 0.0, "high": 6.0}),
    "swish": ("silu", {}),
}
# Keras 2's hard sigmoid is clip(0.2 x + 0.5), Keras 3's clip(x / 6 + 0.5).
_HARD_SIGMOID = {2: {"slope": 0.2, "offset": 0.5}, 3: {"slope": 1 / 6, "offset": 0.5}}


def refused(what: str, layer: str, nearest: str = "") -> ConfigError:
    """The error for something that can't come in."""
    return ConfigError(f"{layer}: {what} can't be imported" + (f": {nearest}" if nearest else ""))


def activated(to: Building, name: str, activation: Any) -> str:
    """Add an activation, as Keras writes it; return the name of its result."""
    if isinstance(activation, Mapping):  # how Keras 3 writes functions that are not its own
        activation = activation.get("registered_name") or activation.get("class_name")
    if activation in (None, "linear"):
        return name
    if activation == "hard_sigmoid":
        return to.add(Pointwise("hard_sigmoid", **_HARD_SIGMOID[to.version]), name)
    if activation not in _ACTIVATIONS:
        known = ", ".join(sorted({*_ACTIVATIONS, "hard_sigmoid", "linear"}))
        raise refused(f"the activation {activation!r:.60}", to.layer, f"use one of {known}")
    function, constants = _ACTIVATIONS[activation]
    return to.add(Pointwise(function, **constants), name)


def _nothing(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    return inputs


def _embedding(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (ids,) = inputs
    (table,) = arrays
    mask = to.add(Differs(0), ids.name) if config.get("mask_zero") else None
    return [Flow(to.add(Lookup(*table.shape), ids.name, weight=table), mask)]


def _masking(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    mask = to.add(Differs(float(config.get("mask_value", 0))), x.name)
    return [Flow(_zeroed(to, x.name, mask), mask)]


def _zeroed(to: Building, name: str, mask: str) -> str:
    """The value with 0 where the mask is 0."""
    return to.add(Multiply(), name, _spread(to, name, mask))


def _spread(to: Building, name: str, mask: str) -> str:
    """The mask for each feature of a value."""
    size = to.builder.value(name).size
    return to.add(Dense(1, size, bias=False), mask, weight=np.ones((size, 1)))


def _dense(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    kernel = arrays[0]
    bias = {"bias": arrays[1]} if config.get("use_bias", True) else {}
    name = to.add(Dense(kernel.shape[0], kernel.shape[1], bias=bool(bias)), x.name, weight=kernel.T, **bias)
    return [x._replace(name=activated(to, name, config.get("activation")))]


def _activation(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    return [x._replace(name=activated(to, x.name, config.get("activation")))]


def _relu(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    slope, most = config.get("negative_slope") or 0, config.get("max_value")
    if config.get("threshold") or (slope and most is not None):
        raise refused("ReLU with these options", to.layer, "max_value or negative_slope alone come in")
    if most is not None:
        function = Pointwise("clip", low=0.0, high=float(most))
    else:
        function = Pointwise("leaky_relu", slope=float(slope)) if slope else Pointwise("relu")
    return [x._replace(name=to.add(function, x.name))]


def _leaky_relu(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    slope = config.get("negative_slope", config.get("alpha", 0.3))
    return [x._replace(name=to.add(Pointwise("leaky_relu", slope=float(slope)), x.name))]


def _elu(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    return [x._replace(name=to.add(Pointwise("elu", alpha=float(config.get("alpha", 1.0))), x.name))]


def _softmax(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    if x.mask or config.get("axis", -1) not in (-1, [-1]):
        raise refused("Softmax over other axes, or with a mask", to.layer, 'use Activation("softmax")')
    return [Flow(to.add(Pointwise("softmax"), x.name))]


def _batch_normalization(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    left = [array.astype(np.float64) for array in arrays]
    gamma = left.pop(0) if config.get("scale", True) else 1.0
    beta = left.pop(0) if config.get("center", True) else 0.0
    mean, variance = left
    scale = gamma / np.sqrt(variance + config.get("epsilon", 1e-3))
    name = to.add(Scale(len(mean)), x.name, scale=scale, offset=beta - mean * scale)
    return [x._replace(name=name)]


def _layer_normalization(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    axes = config.get("axis", -1)
    if config.get("rms_scaling") or axes not in (-1, [-1], 2 if to.steps(x) else 1, [2 if to.steps(x) else 1]):
        raise refused("LayerNormalization over other axes, or by RMS", to.layer)
    size, left = to.builder.value(x.name).size, list(arrays)
    gamma = left.pop(0) if config.get("scale", True) else np.ones(size)
    beta = left.pop(0) if config.get("center", True) else np.zeros(size)
    name = to.add(Standardize(float(config.get("epsilon", 1e-3))), x.name)
    return [x._replace(name=to.add(Scale(size), name, scale=gamma, offset=beta))]


def _rescaling(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (x,) = inputs
    size = to.builder.value(x.name).size
    scale, offset = (np.full(size, config[name], np.float64) for name in ("scale", "offset"))
    return [x._replace(name=to.add(Scale(size), x.name, scale=scale, offset=offset))]


def _pooling(over: Any, *, masked: bool) -> Layer:
    def pooled(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
        (x,) = inputs
        if config.get("keepdims") or config.get("data_format", "channels_last") != "channels_last":
            raise refused("pooling with keepdims, or with channels first", to.layer)
        if masked and x.mask:
            return [Flow(to.add(Pool(over, masked=True), x.name, x.mask))]
        return [Flow(to.add(Pool(over), x.name))]

    return pooled


def _joined(to: Building, inputs: Sequence[Flow]) -> str | None:
    """The mask of several inputs together, as Keras has it: where any of them counts."""
    masks = list(dict.fromkeys(flow.mask for flow in inputs))
    if None in masks:
        return None
    found = [mask for mask in masks if mask is not None]
    return found[0] if len(found) == 1 else to.add(Differs(0), to.add(Concatenate(), *found))


def _merging(operation: Operation) -> Layer:
    def merged(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
        return [Flow(to.add(operation, *(flow.name for flow in inputs)), _joined(to, inputs))]

    return merged


def _multiply(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    """Keras 3 takes masked factors for 1, and where all are masked the product for 0."""
    if to.version == 2 or not any(flow.mask for flow in inputs):
        return _merging(Multiply())(to, config, arrays, inputs)
    factors = []
    for name, mask in inputs:
        if mask is not None:
            size, kept = to.builder.value(name).size, _zeroed(to, name, mask)
            one = to.add(Scale(size), _spread(to, name, mask), scale=np.full(size, -1), offset=np.ones(size))
            name = to.add(Add(), kept, one)
        factors.append(name)
    product, mask = to.add(Multiply(), *factors), _joined(to, inputs)
    return [Flow(product if mask is None else _zeroed(to, product, mask), mask)]


def _concatenate(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    if config.get("axis", -1) not in (-1, 2 if to.steps(inputs[0]) else 1):
        raise refused("Concatenate over the steps", to.layer, "the features come in: axis=-1")
    return _merging(Concatenate())(to, config, arrays, inputs)


def _average(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    (total,) = _merging(Add())(to, config, arrays, inputs)
    return [total._replace(name=scaled(to, total.name, 1 / len(inputs)))]


def _subtract(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    first, second = inputs
    return _merging(Add())(to, config, arrays, [first, second._replace(name=scaled(to, second.name, -1.0))])


def scaled(to: Building, name: str, factor: float) -> str:
    """Add a multiplication by a number."""
    size = to.builder.value(name).size
    return to.add(Scale(size), name, scale=np.full(size, factor), offset=np.zeros(size))


def _time_distributed(to: Building, config: Config, arrays: Arrays, inputs: Sequence[Flow]) -> Sequence[Flow]:
    inner = config["layer"]
    allowed = {"Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "BatchNormalization", "LayerNormalization"}
    kind = str(inner["class_name"])
    if kind not in allowed and LAYERS.get(kind) is not _nothing:
        raise refused(f"TimeDistributed({kind})", to.layer, f"{', '.join(sorted(allowed))} come in")
    return LAYERS[kind](to, _without_axis(inner["config"]), arrays, inputs)


def _without_axis(config: Config) -> Config:
    """The options of a layer inside TimeDistributed, whose only axis is that of the features."""
    return {name: value for name, value in config.items() if name != "axis"}


LAYERS: dict[str, Layer] = {
    **dict.fromkeys(("ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout"), _nothing),
    **dict.fromkeys(("GaussianNoise", "Identity", "SpatialDropout1D"), _nothing),
    "Activation": _activation,
    "Add": _merging(Add()),
    "Average": _average,
    "BatchNormalization": _batch_normalization,
    "Concatenate": _concatenate,
    "Dense": _dense,
    "ELU": _elu,
    "Embedding": _embedding,
    "GlobalAveragePooling1D": _pooling("mean", masked=True),
    "GlobalMaxPooling1D": _pooling("max", masked=False),
    "LayerNormalization": _layer_normalization,
    "LeakyReLU": _leaky_relu,
    "Masking": _masking,
    "Multiply": _multiply,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Softmax": _softmax,
    "Subtract": _subtract,
    "TimeDistributed": _time_distributed,
}
"""What each class becomes; recurrent ones are added by `keras_recurrent`."""
