"""Heads as PyTorch modules: predictions from outputs pooled over time, or for each step."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock import network
from penstock.nn.lengths import int64_lengths

__all__ = ["ClassHeadModule", "PooledHeadModule", "RegressionHeadModule", "StepClassHeadModule", "linear_parameters"]


class PooledHeadModule(torch.nn.Module):
    """Pooling over time and a linear layer; the PyTorch counterpart of `penstock.heads.PooledReadout`.

    Args:
        head: the head's description.
        features: the size of the encoder's output, including both directions.
        bidirectional: whether the second half of the features belongs to the backward direction.
    """

    def __init__(
        self, head: network.ClassHead | network.RegressionHead, *, features: int, bidirectional: bool = False
    ) -> None:
        super().__init__()
        self.pooling, self.features = head.pooling, features
        self.forward_features = features // 2 if bidirectional else features
        self.weight, self.bias = linear_parameters(head.parameter_shapes(features)["weight"])

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> the linear layer's scores (batch, outputs)."""
        return self.project(self.pool(y, lengths))

    def project(self, pooled: Tensor) -> Tensor:
        """pooled (..., pooled features) -> scores (..., outputs)."""
        return functional.linear(pooled, self.weight, self.bias)

    def pool(self, y: Tensor, lengths: Any = None) -> Tensor:
        """Pool the first `lengths` steps of each sequence: y (batch, time, features) -> (batch, pooled).

        With a unidirectional encoder, lengths shorter than the encoder's give the pooling of a prefix. Zeros for
        length 0.
        """
        batch, steps, _ = y.shape
        if lengths is None:
            lengths = torch.full((batch,), steps)
        lengths = int64_lengths(lengths, batch).to(y.device)
        if steps == 0:
            return y.new_zeros(batch, self.weight.shape[1])
        valid = (torch.arange(steps, device=y.device) < lengths[:, None])[..., None]
        if self.pooling == "last":
            return self._last(y, lengths)
        parts = []
        if self.pooling in ("mean", "mean_max"):
            parts.append(torch.where(valid, y, 0).sum(1) / lengths.clamp(min=1)[:, None])
        if self.pooling in ("max", "mean_max"):
            highest = y.masked_fill(~valid, -torch.inf).max(1).values
            parts.append(torch.where(lengths[:, None] > 0, highest, 0))
        return torch.cat(parts, 1)

    def _last(self, y: Tensor, lengths: Tensor) -> Tensor:
        """Return each direction's last output: at step length - 1 forward, at step 0 backward."""
        rows = torch.arange(len(y), device=y.device)
        last = y[rows, (lengths - 1).clamp(min=0), : self.forward_features]
        pooled = torch.cat([last, y[:, 0, self.forward_features :]], 1)
        return torch.where(lengths[:, None] > 0, pooled, 0)


class ClassHeadModule(PooledHeadModule):
    """Logits of classes; the PyTorch counterpart of `penstock.heads.ClassReadout`.

    Args:
        head: the head's description.
        features: the size of the encoder's output, including both directions.
        bidirectional: whether the second half of the features belongs to the backward direction.

    Examples:
        >>> import torch
        >>> from penstock.network import ClassHead
        >>> from penstock.nn import ClassHeadModule
        >>> head = ClassHeadModule(ClassHead(classes=3, pooling="max"), features=4)
        >>> head(torch.ones(2, 10, 4)).shape  # sequences, steps, features
        torch.Size([2, 3])
    """


class RegressionHeadModule(PooledHeadModule):
    """Numbers; the PyTorch counterpart of `penstock.heads.RegressionReadout`.

    `project` returns them as they are trained, `forward` in the unit of the data. Set `offset` (0) and `scale` (1) from
    the data.

    Args:
        head: the head's description.
        features: the size of the encoder's output, including both directions.
        bidirectional: whether the second half of the features belongs to the backward direction.

    Examples:
        >>> import torch
        >>> from penstock.network import RegressionHead
        >>> from penstock.nn import RegressionHeadModule
        >>> RegressionHeadModule(RegressionHead(outputs=1, pooling="last"), features=4)(torch.ones(2, 10, 4)).shape
        torch.Size([2, 1])
    """

    offset: Tensor
    scale: Tensor

    def __init__(self, head: network.RegressionHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__(head, features=features, bidirectional=bidirectional)
        self.register_buffer("offset", torch.zeros(head.outputs))
        self.register_buffer("scale", torch.ones(head.outputs))

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> numbers (batch, outputs) in the unit of the data."""
        return super().forward(y, lengths) * self.scale + self.offset


class StepClassHeadModule(torch.nn.Module):
    """Logits of classes for each step; the PyTorch counterpart of `penstock.heads.StepClassReadout`.

    Args:
        head: the head's description.
        features: the size of the encoder's output.
        bidirectional: ignored; accepted because all heads take it.

    Examples:
        >>> import torch
        >>> from penstock.network import StepClassHead
        >>> from penstock.nn import StepClassHeadModule
        >>> StepClassHeadModule(StepClassHead(classes=3), features=4)(torch.ones(2, 10, 4)).shape
        torch.Size([2, 10, 3])
    """

    def __init__(self, head: network.StepClassHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.weight, self.bias = linear_parameters(head.parameter_shapes(features)["weight"])

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> logits (batch, time, classes); ignore those past a sequence's length."""
        return functional.linear(y, self.weight, self.bias)


def linear_parameters(shape: tuple[int, ...]) -> tuple[Parameter, Parameter]:
    """Make a weight of this shape and its bias, initialised like `torch.nn.Linear`'s."""
    bound = shape[1] ** -0.5
    weight, bias = (torch.empty(size).uniform_(-bound, bound) for size in (shape, shape[:1]))
    return Parameter(weight), Parameter(bias)
