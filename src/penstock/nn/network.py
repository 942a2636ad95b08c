"""A whole network as a PyTorch module: inputs, encoder and head, as `penstock.network.Network` describes them."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock import network as spec
from penstock.errors import ConfigError
from penstock.nn.any_cell import make_layers
from penstock.nn.forecasts import ForecastHead, SegmentForecastHead, Segments
from penstock.nn.layer import Recurrent
from penstock.nn.lengths import own_lengths

__all__ = ["ClassHead", "NetworkModule", "RegressionHead"]


class NetworkModule(torch.nn.Module):
    """What training trains; its state_dict has the names of the bundle's `model.safetensors`.

    The parts can be called one by one, for dropout or another loss in between:

        y, _ = module.encoder(module.inputs(values), lengths=lengths)
        logits = module.head.project(module.head.pool(y, lengths))

    Args:
        network: the description.
        init: the encoder's initial values, one of `penstock.nn.INITIAL_VALUES`.
        max_time: with init="chrono", the longest dependence to expect, in steps.
    """

    def __init__(self, network: spec.Network, *, init: str = "torch", max_time: int | None = None) -> None:
        super().__init__()
        self.network = network
        self.inputs = _inputs(network.inputs)
        self.encoder = _encoder(network.encoder, init, max_time)
        self.head: Any = _head(network.head, network.encoder)

    def forward(self, values: Tensor, lengths: Any = None) -> Tensor:
        """The head's answers to whole sequences.

        Args:
            values: (batch, time) ids for an embedding, else (batch, time, size) numbers.
            lengths: (batch,) steps of each sequence, 0 to time, in any order; all `time` if None.

        Returns:
            (batch, outputs): of a class head logits, of which softmax makes probabilities.
        """
        y, _ = self.encoder(self.inputs(values), lengths=lengths)
        return self.head(y, lengths)


class PooledHead(torch.nn.Module):
    """Pooling over time and one linear layer; the PyTorch side of `penstock.heads.PooledHead`.

    Args:
        head: the description.
        features: what the encoder gives for a step.
        bidirectional: whether the second half of the features runs backward.
    """

    def __init__(self, head: spec.ClassHead | spec.RegressionHead, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.pooling, self.features = head.pooling, features
        self.forward_features = features // 2 if bidirectional else features
        shapes = head.parameter_shapes(features)
        bound = shapes["weight"][1] ** -0.5  # as in torch.nn.Linear
        self.weight = Parameter(torch.empty(shapes["weight"]).uniform_(-bound, bound))
        self.bias = Parameter(torch.empty(shapes["bias"]).uniform_(-bound, bound))

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> the linear layer's scores (batch, outputs)."""
        return self.project(self.pool(y, lengths))

    def project(self, pooled: Tensor) -> Tensor:
        """pooled (..., pooled features) -> scores (..., outputs)."""
        return functional.linear(pooled, self.weight, self.bias)

    def pool(self, y: Tensor, lengths: Any = None) -> Tensor:
        """The first `lengths` steps of each sequence in one vector: y (batch, time, features) -> (batch, pooled).

        Shorter lengths than the encoder's give what a prefix has to say, if the encoder runs forward only. Zeros
        for length 0.
        """
        batch, steps, _ = y.shape
        if lengths is None:
            lengths = torch.full((batch,), steps)
        lengths = own_lengths(lengths, batch).to(y.device)
        if steps == 0:
            return y.new_zeros(batch, self.weight.shape[1])
        inside = (torch.arange(steps, device=y.device) < lengths[:, None])[..., None]
        if self.pooling == "last":
            return self._last(y, lengths)
        parts = []
        if self.pooling in ("mean", "mean_max"):
            parts.append(torch.where(inside, y, 0).sum(1) / lengths.clamp(min=1)[:, None])
        if self.pooling in ("max", "mean_max"):
            highest = y.masked_fill(~inside, -torch.inf).max(1).values
            parts.append(torch.where(lengths[:, None] > 0, highest, 0))
        return torch.cat(parts, 1)

    def _last(self, y: Tensor, lengths: Tensor) -> Tensor:
        """Each direction's own last output: at step length - 1 forward, at step 0 backward."""
        rows = torch.arange(len(y), device=y.device)
        last = y[rows, (lengths - 1).clamp(min=0), : self.forward_features]
        pooled = torch.cat([last, y[:, 0, self.forward_features :]], 1)
        return torch.where(lengths[:, None] > 0, pooled, 0)


class ClassHead(PooledHead):
    """Logits of classes; the PyTorch side of `penstock.heads.ClassHead`."""


class RegressionHead(PooledHead):
    """Numbers, 0 and 1 being the offset and the scale that are set from data: that of `penstock.heads.RegressionHead`.

    `project` gives them as they are trained, `forward` in the unit of the data.
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, head: spec.RegressionHead, features: int, bidirectional: bool = False) -> None:
        super().__init__(head, features, bidirectional)
        self.register_buffer("offset", torch.zeros(head.outputs))
        self.register_buffer("scale", torch.ones(head.outputs))

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> numbers (batch, outputs) in the unit of the data."""
        return super().forward(y, lengths) * self.scale + self.offset


def _inputs(inputs: Any) -> torch.nn.Module:
    if isinstance(inputs, spec.Embedding):
        return torch.nn.Embedding(inputs.vocabulary_size, inputs.size)
    if isinstance(inputs, spec.Numbers):
        return torch.nn.Identity()
    if isinstance(inputs, spec.Segments):
        return Segments(inputs)
    raise ConfigError(f"no PyTorch side for inputs of kind {inputs.kind!r}")


def _encoder(encoder: Any, init: str, max_time: int | None) -> Recurrent:
    chrono: dict[str, Any] = {} if max_time is None else {"max_time": max_time}
    return make_layers(
        encoder.cell,
        input_size=encoder.input_size,
        hidden_size=encoder.hidden_size,
        num_layers=encoder.num_layers,
        bias=encoder.bias,
        batch_first=True,
        bidirectional=encoder.bidirectional,
        init=init,
        **encoder.options,
        **chrono,
    )


def _head(head: Any, encoder: Any) -> Any:
    pooled: dict[str, type[PooledHead]] = {"class": ClassHead, "regression": RegressionHead}
    if head.kind in pooled:
        return pooled[head.kind](head, encoder.output_size, encoder.bidirectional)
    if isinstance(head, spec.ForecastHead):
        return ForecastHead(head, encoder.output_size)
    if isinstance(head, spec.SegmentForecastHead):
        return SegmentForecastHead(head, encoder.output_size)
    raise ConfigError(f"no PyTorch side for a head of kind {head.kind!r}")
