"""Settings of the optimisation, which do not depend on the task."""

import math
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

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            at_least(name, getattr(self, name), 1, whole=True)
        at_least("weight_decay", self.weight_decay, 0)
        at_least("unfreeze", self.unfreeze, 0, whole=True)
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
        warm = max(1, round(self.warmup * total))
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, total - warm)))


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
