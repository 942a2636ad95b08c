"""Language models as PyTorch modules: the PyTorch side of `penstock.language.scorer`."""

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call

from penstock.language.spec import check_head
from penstock.network import Network
from penstock.nn.network import NetworkModule

__all__ = ["LanguageModule"]


class LanguageModule(NetworkModule):
    """A network that tells what comes after each step.

    Args:
        network: the description.
        init: the encoder's initial values.

    Raises:
        ConfigError: the network is bidirectional, or its head can't share the embedding's table.
    """

    def __init__(self, network: Network, *, init: str = "torch") -> None:
        check_head(network)
        super().__init__(network, init=init)

    @property
    def table(self) -> Tensor | None:
        """The table that the head shares with the embedding; None if it does not."""
        return self.inputs.weight if getattr(self.network.head, "tied", False) else None

    def forward(self, values: Tensor, state: Any = None) -> Tensor:
        """Return the head's outputs after each step.

        values (batch, time) ids or (batch, time, notes) frames -> (batch, time, outputs): log-probabilities of tokens,
        or log-odds of notes.
        """
        y, _ = self.encode(self.vectors(values), state)
        return self.head(y.flatten(0, 1), self.table).unflatten(0, y.shape[:2])

    def encode_dropped(
        self, x: Tensor, state: Any, *, weight_drop: float, generator: torch.Generator
    ) -> tuple[Tensor, Any]:
        """Run the layers with a share of the recurrent weights set to 0 at all steps (Merity et al. 2018).

        Args:
            x, state: as for `encode`.
            weight_drop: the share; the others are scaled up.
            generator: draws which.
        """
        if not weight_drop:
            return self.encode(x, state)
        weights = {}
        for name, weight in self.encoder.named_parameters():
            if name.startswith("weight_hh"):
                kept = torch.empty_like(weight).bernoulli_(1 - weight_drop, generator=generator)
                weights[name] = weight * kept.div_(1 - weight_drop)
        return functional_call(self.encoder, weights, (x, state))
