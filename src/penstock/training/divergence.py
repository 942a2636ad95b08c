"""Stops a training whose loss or gradient is not finite, or whose loss explodes, and says what was seen."""

import math
from collections.abc import Mapping
from statistics import median
from typing import Any

from penstock.errors import DivergedError
from penstock.training.recipe import Recipe

__all__ = ["Divergence"]

_STEPS = 16
"""A loss has exploded if the median of the last so many steps is beyond `_TIMES` that of the first ones."""
_TIMES = 100.0
_SHOWN = 4


class Divergence:
    """Follows the losses and gradients of a training.

    A single batch may have a large loss; therefore an explosion is judged by medians.

    Args:
        recipe: the settings of the training, for the advice.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._first: list[float] = []
        self._last: list[float] = []
        self._norm: float | None = None

    def note_loss(self, loss: float, epoch: int, step: int) -> None:
        """Check the loss of a batch, before its gradient is computed.

        Raises:
            DivergedError: it is not finite, or losses have exploded.
        """
        if not math.isfinite(loss):
            raise self._error(f"the loss became {loss}", epoch, step)
        if len(self._first) < _STEPS:
            self._first.append(loss)
        self._last = [*self._last[1 - _STEPS :], loss]
        if len(self._last) == _STEPS and median(self._last) > _TIMES * max(median(self._first), 0.0) > 0:
            raise self._error(f"the loss is over {_TIMES:g} times that of the first steps", epoch, step)

    def note_gradient(self, norm: float, epoch: int, step: int) -> None:
        """Check the norm of the gradient, before the optimiser's step.

        Raises:
            DivergedError: it is not finite: with it, all weights would be lost.
        """
        if not math.isfinite(norm):
            raise self._error(f"the norm of the gradient became {norm}", epoch, step)
        self._norm = norm

    def note_validation(self, loss: float, epoch: int) -> None:
        """Check the loss on the validation data.

        Raises:
            DivergedError: it is not finite.
        """
        if not math.isfinite(loss):
            raise self._error(f"the validation loss became {loss}", epoch, None)

    def state_dict(self) -> dict[str, Any]:
        """Return what was seen, as plain values."""
        return {"first": self._first, "last": self._last, "norm": self._norm}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._first, self._last, self._norm = list(state["first"]), list(state["last"]), state["norm"]

    def _error(self, what: str, epoch: int, step: int | None) -> DivergedError:
        where = f"epoch {epoch}" + ("" if step is None else f", step {step}")
        return DivergedError(f"training diverged: {what} in {where}. {self._seen()}{self._advice()}")

    def _seen(self) -> str:
        if not self._last:
            return ""
        latest = ", ".join(f"{loss:.4g}" for loss in self._last[-_SHOWN:])
        norm = "" if self._norm is None else f", the last norm of the gradient {self._norm:.3g}"
        return f"The losses before: {self._first[0]:.4g} at first, {latest} at last{norm}. "

    def _advice(self) -> str:
        if not self._last:
            return "It was the first step: look for extreme values in the data."
        recipe = self._recipe
        return (
            f"Lower learning_rate (now {recipe.learning_rate:g}) or clip (now {recipe.clip:g}), or raise warmup "
            f"(now {recipe.warmup:g}); look for extreme values in the data."
        )
