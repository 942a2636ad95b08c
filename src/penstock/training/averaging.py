"""An exponential moving average of weights (Polyak and Juditsky 1992), with the start-up of few steps corrected."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

__all__ = ["Average", "copied", "restore"]

Weights = dict[str, Tensor]


def copied(module: torch.nn.Module) -> Weights:
    """The module's weights now, apart from the module."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


@torch.no_grad()
def restore(module: torch.nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put weights into the module, in place."""
    module.load_state_dict(dict(weights))


class Average:
    """The average of a module's weights over the past steps.

    Args:
        module: whose weights; their present values are the start.
        decay: share of the average that a step keeps. After few steps it is (1 + steps) / (10 + steps) at most, so
            that the start is soon forgotten. With 0 the average is the weights themselves.
    """

    def __init__(self, module: torch.nn.Module, decay: float) -> None:
        self.module, self.decay, self.steps = module, decay, 0
        self.weights = copied(module) if decay else {}

    @torch.no_grad()
    def update(self) -> None:
        """Take the weights after one more step."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        now = self.module.state_dict()
        for name, mean in self.weights.items():
            mean.lerp_(now[name], share)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Inside, the module has the averaged weights."""
        if not self.decay:
            yield
            return
        own = copied(self.module)
        restore(self.module, self.weights)
        try:
            yield
        finally:
            restore(self.module, own)
