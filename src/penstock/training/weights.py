"""A module's weights, set aside and put back."""

from collections.abc import Mapping

import torch
from torch import Tensor

__all__ = ["Weights", "copied", "restore"]

Weights = dict[str, Tensor]


def copied(module: torch.nn.Module) -> Weights:
    """Return a copy of the module's weights."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


@torch.no_grad()
def restore(module: torch.nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Load weights into the module in place."""
    module.load_state_dict(dict(weights))
