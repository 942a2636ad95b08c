"""What networks for forecasts read and answer, as PyTorch modules."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock import network as spec
from penstock.network import LEAST_SPREAD

__all__ = ["ForecastHead", "SegmentForecastHead", "Segments", "related"]


class Segments(torch.nn.Module):
    """Stretches to vectors: x (..., length * features), identity (...,) -> (..., size)."""

    def __init__(self, inputs: spec.Segments) -> None:
        super().__init__()
        shapes = inputs.parameter_shapes()
        self.weight, self.bias = _linear(shapes["weight"])
        self.identities = Parameter(0.1 * torch.randn(shapes["identities"])) if inputs.identities else None

    def forward(self, x: Tensor, identity: Tensor) -> Tensor:
        """identity: numbers from 1, 0 for an unknown series; its axes are the first of x."""
        y = functional.linear(x, self.weight, self.bias)
        if self.identities is not None:
            own = self.identities[identity]
            y = y + own.view(*identity.shape, *([1] * (y.dim() - identity.dim() - 1)), -1)
        return torch.relu(y)


class ForecastHead(torch.nn.Module):
    """y (..., features), last (..., targets), known (..., horizon, known) -> (..., horizon, targets, quantiles)."""

    def __init__(self, head: spec.ForecastHead, features: int) -> None:
        super().__init__()
        self.head = head
        shapes = head.parameter_shapes(features)
        self.weight, self.bias = _linear(shapes["weight"])
        if head.known:
            self.known_weight, self.known_bias = _linear(shapes["known_weight"])
            self.known_output = Parameter(torch.zeros(shapes["known_output"]))

    def forward(self, y: Tensor, last: Tensor, known: Tensor) -> Tensor:
        """The forecasts, in units of each series."""
        head = self.head
        found = functional.linear(y, self.weight, self.bias)
        found = found.view(*y.shape[:-1], head.horizon, head.targets * head.quantiles)
        if head.known:
            hidden = torch.relu(functional.linear(known, self.known_weight, self.known_bias))
            found = found + functional.linear(hidden, self.known_output)
        found = found.view(*y.shape[:-1], head.horizon, head.targets, head.quantiles)
        return found + last[..., None, :, None]


class SegmentForecastHead(torch.nn.Module):
    """What lies ahead of a look-back; its answers are in units of the series, with the unit of the loss beside them."""

    def __init__(self, head: spec.SegmentForecastHead, features: int) -> None:
        super().__init__()
        self.head = head
        shapes = head.parameter_shapes(features)
        self.positions = Parameter(torch.randn(shapes["positions"]))
        self.weight, self.bias = _linear(shapes["weight"])
        if head.known:
            self.known_weight, _ = _linear(shapes["known_weight"])
        if head.highway:
            self.highway = Parameter(torch.zeros(shapes["highway"]))

    def questions(self, known: Tensor) -> Tensor:
        """What the encoder reads for each stretch ahead: known (batch, horizon, known) -> (batch, stretches, size)."""
        head = self.head
        asked = self.positions.expand(len(known), -1, -1)
        if head.known:
            padded = functional.pad(known, (0, 0, 0, head.stretches * head.length - head.horizon))
            asked = asked + functional.linear(padded.reshape(len(known), head.stretches, -1), self.known_weight)
        return asked

    def answers(self, y: Tensor, values: Tensor) -> Tensor:
        """y (batch, stretches, features), values (batch, context, targets) -> (batch, horizon, targets, quantiles)."""
        head = self.head
        found = functional.linear(y, self.weight, self.bias)
        found = found.view(len(y), head.stretches * head.length, head.targets, head.quantiles)[:, : head.horizon]
        if head.highway:
            straight = functional.linear(values[:, -head.highway :].transpose(1, 2), self.highway)
            straight = straight.view(len(y), head.targets, head.horizon, head.quantiles).transpose(1, 2)
            found = found + straight
        return found


def related(values: Tensor, normalization: str) -> tuple[Tensor, Tensor]:
    """What a look-back (batch, context, targets) is related to: level and unit, each (batch, 1, targets)."""
    level, unit = values[:, -1:], torch.ones_like(values[:, -1:])
    if normalization in ("relative", "instance"):
        mean = values.mean(1, keepdim=True)
        unit = (values - mean).square().mean(1, keepdim=True).sqrt() + LEAST_SPREAD
        level = mean if normalization == "instance" else level
    return (torch.zeros_like(level) if normalization == "none" else level), unit


def _linear(shape: tuple[int, ...]) -> tuple[Parameter, Parameter]:
    bound = shape[1] ** -0.5  # as in torch.nn.Linear
    return Parameter(torch.empty(shape).uniform_(-bound, bound)), Parameter(
        torch.empty(shape[0]).uniform_(-bound, bound)
    )
