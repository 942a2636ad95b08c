"""The optimiser, AdamW, and an average of the weights over the steps."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from penstock.training.recipe import Recipe

__all__ = ["adamw", "averaged"]


def adamw(module: torch.nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Make an AdamW optimiser; parameters with one axis, such as biases, have no weight decay."""
    parameters = list(module.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [each for each in parameters if each.dim() > 1], "weight_decay": recipe.weight_decay},
        {"params": [each for each in parameters if each.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def averaged(module: torch.nn.Module, decay: float) -> AveragedModel:
    """Make a copy of the module whose weights are an exponential moving average (Polyak and Juditsky 1992).

    Early on, the decay is at most (1 + steps) / (10 + steps), so that the initial weights lose influence quickly.
    """

    def mean(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
        count = int(steps)
        return torch.lerp(average, now, 1 - min(decay, (1 + count) / (10 + count)))

    copy = AveragedModel(module, avg_fn=mean)
    copy.n_averaged.fill_(1)  # counts the initial weights as a step; otherwise the first update would overwrite them
    return copy
