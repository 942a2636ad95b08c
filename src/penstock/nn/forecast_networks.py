"""Networks for forecasts as PyTorch modules: the PyTorch side of `penstock.runtime.forecast_networks`."""

from typing import Any

import torch
from torch import Tensor

from penstock import network as spec
from penstock.nn.forecasts import related
from penstock.nn.network import NetworkModule

__all__ = ["CarriedModule", "WindowModule", "forecast_module"]


class CarriedModule(NetworkModule):
    """A state that is carried for ever: forecasts at every step.

    Args:
        network: with a `ForecastHead`.
        init: the encoder's initial values.
        dropout: share of the encoder's outputs that training sets to 0.
    """

    def __init__(self, network: spec.Network, *, init: str = "torch", dropout: float = 0.0) -> None:
        super().__init__(network, init=init)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(  # type: ignore[override]
        self, steps: Tensor, last: Tensor, known: Tensor, identity: Tensor, state: Any = None
    ) -> tuple[Tensor, Any]:
        """Forecasts (batch, time, horizon, targets, quantiles) at every step, and the state after the last.

        Args:
            steps: (batch, time, features).
            last: (batch, time, targets), the values of the steps.
            known: (batch, time, horizon, known).
            identity: (batch,), a series' number from 1, or 0.
            state: as the encoder takes it.
        """
        y, state = self.encoder(self.inputs(steps, identity), state)
        return self.head(self.dropout(y), last, known), state


class WindowModule(NetworkModule):
    """A look-back read stretch by stretch, and stretches ahead asked of the state after it.

    Args:
        network: with `Segments` and a `SegmentForecastHead`.
        init, dropout: as for `CarriedModule`.
    """

    def __init__(self, network: spec.Network, *, init: str = "torch", dropout: float = 0.0) -> None:
        super().__init__(network, init=init)
        self.dropout = torch.nn.Dropout(dropout)

    def forward(  # type: ignore[override]
        self, values: Tensor, covariates: Tensor, known: Tensor, identity: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Forecasts (batch, horizon, targets, quantiles), and the unit (batch, 1, targets, 1) in which errors count.

        Args:
            values: (batch, context, targets).
            covariates: (batch, context, covariates).
            known: (batch, horizon, known).
            identity: (batch,).
        """
        head = self.network.head
        assert isinstance(head, spec.SegmentForecastHead)
        level, unit = related(values, head.normalization)
        values = (values - level) / unit
        stretches = values.shape[1] // head.length
        x = torch.cat([values, covariates], 2)[:, values.shape[1] - stretches * head.length :]
        _, state = self.encoder(self.inputs(x.reshape(len(x), stretches, -1), identity))
        asked = self.head.questions(known)
        y, _ = self.encoder(asked.reshape(-1, 1, asked.shape[2]), _repeated(state, asked.shape[1]))
        found = self.head.answers(self.dropout(y.reshape(*asked.shape[:2], -1)), values)
        return found * unit[..., None] + level[..., None], unit[..., None]


def forecast_module(network: spec.Network, *, init: str, dropout: float) -> CarriedModule | WindowModule:
    """The module for a network for forecasts."""
    kind = CarriedModule if isinstance(network.head, spec.ForecastHead) else WindowModule
    return kind(network, init=init, dropout=dropout)


def _repeated(state: Any, times: int) -> Any:
    if isinstance(state, tuple):
        return tuple(each.repeat_interleave(times, 1) for each in state)
    return state.repeat_interleave(times, 1)
