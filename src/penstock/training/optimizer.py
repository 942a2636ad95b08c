"""The optimiser, AdamW or plain gradient descent, and an average of the weights over the steps."""

from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from penstock.training.layers import depths
from penstock.training.recipe import Recipe

__all__ = ["averaged", "optimizer_of"]


def optimizer_of(module: torch.nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Make the optimiser; with AdamW, parameters with one axis, such as biases, have no weight decay.

    Each group of parameters has a `factor` of the learning rate: `recipe.layer_decay` to the power of its depth.
    """
    layers = depths(module)
    groups: list[dict[str, Any]] = []
    for factor in sorted({recipe.layer_decay**depth for depth, _ in layers}, reverse=True):
        own = [parameter for depth, parameter in layers if recipe.layer_decay**depth == factor]
        matrices, vectors = ([each for each in own if (each.dim() > 1) == wanted] for wanted in (True, False))
        for several, decay in ((matrices, recipe.weight_decay), (vectors, 0.0)):
            decay = recipe.weight_decay if recipe.optimizer == "sgd" else decay
            groups.append({"params": several, "weight_decay": decay, "factor": factor})
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def averaged(module: torch.nn.Module, recipe: Recipe) -> AveragedModel | None:
    """Make a copy of the module for the average of its weights; None if the recipe has none.

    A moving average (Polyak and Juditsky 1992) decays by at most (1 + steps) / (10 + steps) early on, so that the
    initial weights lose influence quickly.
    """
    if recipe.average_after:
        return AveragedModel(module)  # an even mean of all updates; while it counts none, an update is a copy
    if not recipe.average:
        return None
    decay = recipe.average

    def mean(average: Tensor, now: Tensor, steps: Tensor | int) -> Tensor:
        count = int(steps)
        return torch.lerp(average, now, 1 - min(decay, (1 + count) / (10 + count)))

    copy = AveragedModel(module, avg_fn=mean)
    copy.n_averaged.fill_(1)  # counts the initial weights as a step; otherwise the first update would overwrite them
    return copy
