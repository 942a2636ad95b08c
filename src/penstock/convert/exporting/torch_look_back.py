"""Parts of exported PyTorch files of forecasters with a look-back, copied as those in `torch_parts` are."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn


class Stack(nn.Module):
    """Forward layers with their states.

    Args:
        layer: makes a layer from the size of its input.
        sizes: the input sizes of the layers.
        states: the size of each state, the output first.
    """

    def __init__(self, layer: Callable[[int], nn.Module], sizes: Sequence[int], states: Sequence[int]) -> None:
        super().__init__()
        self.layers, self.states = nn.ModuleList(map(layer, sizes)), tuple(states)

    def forward(self, x: Tensor, before: Sequence[Any] = ()) -> tuple[Tensor, list[Any]]:
        """x (batch, time, input), the states of each layer, zeros if left out -> outputs, the states after."""
        zeros = tuple(x.new_zeros(1, x.shape[0], size) for size in self.states)
        after = []
        for number, layer in enumerate(self.layers):
            x, state = layer(x, before[number] if before else zeros if len(zeros) > 1 else zeros[0])
            after.append(state)
        return x, after


class LookBack(nn.Module):
    """Forecasts from a look-back, segment by segment (SegRNN, Lin et al. 2023), with quantiles and a linear highway.

    Args:
        encoder: the recurrent layers.
        output: the size of their output.
        length: steps of a segment.
        size: the size of a segment's vector.
        horizon, targets, quantiles: of the forecasts.
        covariates: numbers of a step beside the targets.
        known: numbers that are known of each step ahead.
        identities: series that have a vector of their own; 0 for none.
        highway: last steps that are connected to the forecasts directly; 0 for none.
        normalization: "relative", "last", "instance" or "none": which level and unit a look-back is read by.
    """

    def __init__(
        self,
        encoder: Stack,
        *,
        output: int,
        length: int,
        size: int,
        horizon: int,
        targets: int,
        quantiles: int,
        covariates: int,
        known: int,
        identities: int,
        highway: int,
        normalization: str,
    ) -> None:
        super().__init__()
        self.encoder, self.length, self.normalization = encoder, length, normalization
        self.shape, self.segments, self.last = (targets, horizon, quantiles), -(-horizon // length), highway
        self.inputs = nn.Linear(length * (targets + covariates), size)
        self.identities = nn.Embedding(identities + 1, size) if identities else None
        self.positions = nn.Parameter(torch.zeros(self.segments, size))
        self.known = nn.Linear(length * known, size, bias=False) if known else None
        self.output = nn.Linear(output, length * targets * quantiles)
        self.highway = nn.Linear(highway, horizon * quantiles, bias=False) if highway else None

    def forecasts(
        self, values: Tensor, covariates: Tensor | None, known: Tensor | None, identity: Tensor | None
    ) -> Tensor:
        """Return forecasts (batch, horizon, targets, quantiles)."""
        level, unit = self.level_and_unit(values)
        values = (values - level) / unit
        steps = values if covariates is None else torch.cat([values, covariates], 2)
        steps = steps[:, steps.shape[1] % self.length :]
        x = self.inputs(steps.unflatten(1, (-1, self.length)).flatten(2))
        if self.identities is not None:
            x = x + self.identities(identity)[:, None]
        _, state = self.encoder(x.relu())
        # All segments ahead in parallel, as sequences of one step from the state after the look-back.
        y, _ = self.encoder(self.asked(values, known).flatten(0, 1)[:, None], self.repeated(state))
        targets, horizon, quantiles = self.shape
        found = self.output(y.reshape(values.shape[0], self.segments, -1))
        found = found.reshape(values.shape[0], -1, targets, quantiles)[:, :horizon]
        if self.highway is not None:
            straight = self.highway(values[:, -self.last :].transpose(1, 2))
            found = found + straight.unflatten(2, (horizon, quantiles)).transpose(1, 2)
        return found * unit[..., None] + level[..., None]

    def level_and_unit(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """What a look-back is read by, (batch, 1, targets) each."""
        level, unit = values[:, -1:], torch.ones_like(values[:, -1:])
        if self.normalization in ("relative", "instance"):
            mean = values.mean(1, keepdim=True)
            unit = (values - mean).square().mean(1, keepdim=True).sqrt() + 1e-3
            level = mean if self.normalization == "instance" else level
        return (torch.zeros_like(level) if self.normalization == "none" else level), unit

    def asked(self, values: Tensor, known: Tensor | None) -> Tensor:
        """The layers' input for each segment ahead, (batch, segments, size)."""
        asked = self.positions.expand(values.shape[0], -1, -1)
        if self.known is None or known is None:
            return asked
        padded = nn.functional.pad(known, (0, 0, 0, self.segments * self.length - known.shape[1]))
        return asked + self.known(padded.unflatten(1, (self.segments, self.length)).flatten(2))

    def repeated(self, state: Any) -> Any:
        """States with each sequence repeated for each segment ahead."""
        if isinstance(state, Tensor):
            return state.repeat_interleave(self.segments, 1)
        return [self.repeated(each) for each in state] if isinstance(state, list) else tuple(map(self.repeated, state))
