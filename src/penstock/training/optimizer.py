"""The optimiser, AdamW, and an average of the weights over the steps."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from penstock.training.layers import depths
from penstock.training.recipe import Recipe

__all__ = ["adamw", "averaged"]


def adamw(module: torch.nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Make an AdamW optimiser; parameters with one axis, such as biases, have no weight decay.

    Each group of parameters has a `factor` of the learning rate: `recipe.layer_decay` to the power of its depth.
    """
    layers = depths(module)
    groups: list[dict[str, Any]] = []
    for factor in sorted({recipe.layer_decay**depth for depth, _ in layers}, reverse=True):
        own = [parameter for depth, parameter in layers if recipe.layer_decay**depth == factor]
        matrices, vectors = ([each for each in own if (each.dim() > 1) == wanted] for wanted in (True, False))
        groups.append({"params": matrices, "weight_decay": recipe.weight_decay, "factor": factor})
        groups.append({"params": vectors, "weight_decay": 0.0, "factor": factor})
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
