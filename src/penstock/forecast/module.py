"""Networks for forecasts as PyTorch modules: the PyTorch side of `penstock.forecast.scorer`."""

from typing import Any

from torch import Tensor

from penstock.forecast.wiring import carried, windowed
from penstock.network import Network
from penstock.nn.network import NetworkModule

__all__ = ["CarriedModule", "WindowModule"]


class _ForecastModule(NetworkModule):
    """A network for forecasts.

    Args:
        network: the description.
        init: the encoder's initial values.
        dropout: share of the encoder's outputs that training sets to 0.
    """

    def __init__(self, network: Network, *, init: str = "torch", dropout: float = 0.0) -> None:
        super().__init__(network, init=init)
        self.head.dropout.p = dropout


class CarriedModule(_ForecastModule):
    """Forecasts after every step, from a state that is carried for ever."""

    def forward(  # type: ignore[override]
        self, steps: Tensor, last: Tensor, known: Tensor, identity: Tensor, state: Any = None
    ) -> tuple[Tensor, Any]:
        """See `forecast.wiring.carried`."""
        return carried(self, steps, last, known, identity, state)


class WindowModule(_ForecastModule):
    """Forecasts from a look-back that is read segment by segment."""

    def forward(  # type: ignore[override]
        self, values: Tensor, covariates: Tensor, known: Tensor, identity: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `forecast.wiring.windowed`."""
        return windowed(self, self.network.head, values, covariates, known, identity)

    def means(self, values: Tensor) -> Tensor:
        """Over time; see `forecast.wiring.WindowParts`."""
        return values.mean(1, keepdim=True)
