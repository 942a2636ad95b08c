"""Inputs and heads of forecasting networks, as PyTorch modules."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock.forecast.spec import ForecastHead, SegmentForecastHead, Segments
from penstock.nn.heads import linear_parameters

__all__ = ["ForecastHeadModule", "SegmentForecastHeadModule", "SegmentsModule"]


class SegmentsModule(torch.nn.Module):
    """Converts segments to vectors: x (..., length * features), identity (...,) -> (..., size)."""

    def __init__(self, inputs: Segments) -> None:
        super().__init__()
        shapes = inputs.parameter_shapes()
        self.weight, self.bias = linear_parameters(shapes["weight"])
        self.identities = Parameter(0.1 * torch.randn(shapes["identities"])) if inputs.identities else None

    def forward(self, x: Tensor, identity: Tensor) -> Tensor:
        """identity: numbers from 1, 0 for an unknown series; its axes are the first of x."""
        y = functional.linear(x, self.weight, self.bias)
        if self.identities is not None:
            own = self.identities[identity]
            y = y + own.view(*identity.shape, *([1] * (y.dim() - identity.dim() - 1)), -1)
        return torch.relu(y)


class ForecastHeadModule(torch.nn.Module):
    """Forecasts from single outputs of the encoder; the PyTorch counterpart of `forecast.head.ForecastReadout`.

    Args:
        head: the head's description.
        features: the size of the encoder's output.
        bidirectional: must be False, because future values are unknown.

    Attributes:
        dropout: dropout probability of the encoder's outputs, 0 by default.
    """

    def __init__(self, head: ForecastHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.head, self.dropout = head, torch.nn.Dropout(0.0)
        shapes = head.parameter_shapes(features)
        self.weight, self.bias = linear_parameters(shapes["weight"])
        if head.known:
            self.known_weight, self.known_bias = linear_parameters(shapes["known_weight"])
            self.known_output = Parameter(torch.zeros(shapes["known_output"]))

    def forward(self, y: Tensor, last: Tensor, known: Tensor) -> Tensor:
        """In units of each series.

        y (..., features), last (..., targets), known (..., horizon, known) -> (..., horizon, targets, quantiles).
        """
        head = self.head
        found = functional.linear(self.dropout(y), self.weight, self.bias)
        found = found.view(*y.shape[:-1], head.horizon, head.targets * head.quantiles)
        if head.known:
            hidden = torch.relu(functional.linear(known, self.known_weight, self.known_bias))
            found = found + functional.linear(hidden, self.known_output)
        found = found.view(*y.shape[:-1], head.horizon, head.targets, head.quantiles)
        return found + last[..., None, :, None]


class SegmentForecastHeadModule(torch.nn.Module):
    """Inputs and forecasts for each segment ahead; the counterpart of `forecast.head.SegmentForecastReadout`.

    Args, attributes: as for `ForecastHeadModule`.
    """

    def __init__(self, head: SegmentForecastHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.head, self.dropout = head, torch.nn.Dropout(0.0)
        shapes = head.parameter_shapes(features)
        self.positions = Parameter(torch.randn(shapes["positions"]))
        self.weight, self.bias = linear_parameters(shapes["weight"])
        if head.known:
            self.known_weight, _ = linear_parameters(shapes["known_weight"])
        if head.highway:
            self.highway = Parameter(torch.zeros(shapes["highway"]))

    def questions(self, known: Tensor) -> Tensor:
        """Return the encoder inputs of each segment ahead: known (batch, horizon, known) -> (batch, segments, size)."""
        head = self.head
        asked = self.positions.expand(len(known), -1, -1)
        if head.known:
            padded = functional.pad(known, (0, 0, 0, head.stretches * head.length - head.horizon))
            asked = asked + functional.linear(padded.reshape(len(known), head.stretches, -1), self.known_weight)
        return asked

    def answers(self, y: Tensor, values: Tensor) -> Tensor:
        """y (batch, stretches, features), values (batch, context, targets) -> (batch, horizon, targets, quantiles)."""
        head = self.head
        found = functional.linear(self.dropout(y), self.weight, self.bias)
        found = found.view(len(y), head.stretches * head.length, head.targets, head.quantiles)[:, : head.horizon]
        if head.highway:
            straight = functional.linear(values[:, -head.highway :].transpose(1, 2), self.highway)
            straight = straight.view(len(y), head.targets, head.horizon, head.quantiles).transpose(1, 2)
            found = found + straight
        return found
