"""Settings of the optimisation, which do not depend on the task."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penstock.errors import ConfigError

__all__ = ["Recipe", "at_least", "share"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of the trainer; a task's estimator chooses and documents the defaults.

    Args:
        epochs: maximum number of passes over the training data.
        batch_size: sequences per step.
        learning_rate: peak learning rate of AdamW.
        weight_decay: decoupled weight decay of AdamW (Loshchilov and Hutter 2019), for parameters with several axes.
        warmup: share of all steps over which the learning rate rises from 0; then it decays to 0 along a half cosine.
        clip: maximum norm of the gradient over all parameters; infinity for no limit.
        average: decay per step of a moving average of the weights, which is used instead of them; 0 for none.
        patience: number of epochs without a lower validation loss after which training stops.
        keep: the weights to keep: "best", from the epoch with the lowest validation loss, or "last".
        max_seconds: training time, with validations, after which training stops at the next batch; None for no limit.
        layer_decay: factor of the learning rate from each layer to the one below it, for layers that were trained
            before (Howard and Ruder 2018); 1 for the same rate everywhere.
        unfreeze: number of epochs after which the next layer starts to train, from the output down (Howard and Ruder
            2018); 0 for all layers from the start.
        optimizer: "adamw", or "sgd" for plain gradient descent, whose weight decay is for all parameters.
        decay: factor of the learning rate after each epoch, in place of warm-up and half cosine; None for these.
        hold: with `decay`, epochs before it.
        average_after: average all weights evenly, in place of a moving average, from the first epoch on whose
            validation loss is above the lowest one of those more than this many epochs before (NT-ASGD, Merity et al.
            2018); 0 for no such average.

    Raises:
        ConfigError: a value is invalid.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup: float
    clip: float
    average: float
    patience: int
    keep: str = "best"
    max_seconds: float | None = None
    layer_decay: float = 1.0
    unfreeze: int = 0
    optimizer: str = "adamw"
    decay: float | None = None
    hold: int = 0
    average_after: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            at_least(name, getattr(self, name), 1, whole=True)
        for name in ("hold", "average_after"):
            at_least(name, getattr(self, name), 0, whole=True)
        at_least("weight_decay", self.weight_decay, 0)
        at_least("unfreeze", self.unfreeze, 0, whole=True)
        if self.optimizer not in ("adamw", "sgd"):
            raise ConfigError(f"optimizer must be 'adamw' or 'sgd'; got {self.optimizer!r}")
        if self.decay is not None and not 0 < at_least("decay", self.decay, 0) <= 1:
            raise ConfigError(f"decay must be above 0, and at most 1; got {self.decay!r}")
        for name in ("learning_rate", "clip", "max_seconds"):
            value = getattr(self, name)
            if name == "max_seconds" and value is None:
                continue
            if not at_least(name, value, 0, finite=name != "clip") > 0:
                raise ConfigError(f"{name} must be more than 0; got {value!r}")
        if self.keep not in ("best", "last"):
            raise ConfigError(f"keep must be 'best' or 'last'; got {self.keep!r}")
        if not 0 < at_least("layer_decay", self.layer_decay, 0) <= 1:
            raise ConfigError(f"layer_decay must be above 0 and at most 1; got {self.layer_decay!r}")
        share("warmup", self.warmup)
        share("average", self.average)

    def trains(self, depth: int, epoch: int) -> bool:
        """Return whether a layer trains in an epoch, counted from 1; see `training.layers.depths`."""
        return not self.unfreeze or depth <= (epoch - 1) // self.unfreeze

    def factor(self, step: int, total: int) -> float:
        """Return the factor of the learning rate at a step, counted from 0, of `total`."""
        if self.decay is not None:
            epoch = step * self.epochs // total + 1
            return self.decay ** max(0, epoch - self.hold)
        warm = max(1, round(self.warmup * total))
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))

    def averages(self, losses: Sequence[float]) -> bool:
        """Return whether weights are averaged after epochs with these validation losses."""
        after = self.average_after
        late = range(after + 1, len(losses))
        return not after or any(losses[epoch] > min(losses[: epoch - after]) for epoch in late)


def at_least(name: str, value: Any, least: float, *, whole: bool = False, finite: bool = True) -> float:
    """Return the value if it is a number of at least `least`: an integer if `whole`, not infinity if `finite`.

    Raises:
        ConfigError: it is not.
    """
    kinds: Any = (int,) if whole else (int, float)
    plain: Any = value.item() if hasattr(value, "item") else value
    fits = isinstance(plain, kinds) and not isinstance(plain, bool) and plain >= least
    if not fits or (finite and plain == math.inf):
        kind = "a whole number" if whole else "a finite number" if plain == math.inf else "a number"
        raise ConfigError(f"{name} must be {kind}, at least {least}; got {value!r}")
    return plain


def share(name: str, value: Any) -> float:
    """Return the value if it is a number from 0 to below 1.

    Raises:
        ConfigError: it is not.
    """
    if not at_least(name, value, 0) < 1:
        raise ConfigError(f"{name} must be from 0 to below 1; got {value!r}")
    return value
