"""The training loop: epochs, gradients, validation, the best weights kept."""

import math
import time
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from penstock.errors import PenstockError
from penstock.training.averaging import Average, copied, restore
from penstock.training.checkpoint import Checkpoint
from penstock.training.history import Epoch, History
from penstock.training.progress import Callback
from penstock.training.recipe import Recipe

__all__ = ["Objective", "train"]


class Objective(Protocol):
    """What a task gives to the loop."""

    def batches(self, generator: np.random.Generator) -> Sequence[Any]:
        """The batches of one epoch, in the order to take them."""
        ...

    def loss(self, module: Any, batch: Any) -> tuple[Tensor, int]:
        """What to minimise, a mean over the batch's sequences, and the number of these."""
        ...

    def validate(self, module: Any) -> dict[str, float]:
        """`loss`, which decides, and metrics to show."""
        ...


def train(
    module: torch.nn.Module,
    objective: Objective,
    recipe: Recipe,
    *,
    generator: np.random.Generator,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a module; in the end it has the weights of the epoch with the lowest validation loss, or the last.

    A keyboard interrupt ends the training there, with the best weights so far; before the end of the first epoch
    it is passed on, and the weights are as at the start.

    Args:
        module: changed in place.
        objective: the task's batches, loss and validation.
        recipe: the settings.
        generator: for the order of the data.
        callbacks: told of the start, each step, each epoch and the end.
        checkpoint: where the state is written after each epoch; where there is one already, it is taken up.

    Raises:
        PenstockError: the loss became NaN or infinite.
        KeyboardInterrupt: before the first epoch's end.
    """
    return _Run(module, objective, recipe, generator, callbacks, checkpoint).run()


class _Run:
    def __init__(
        self,
        module: torch.nn.Module,
        objective: Objective,
        recipe: Recipe,
        generator: np.random.Generator,
        callbacks: Sequence[Callback],
        checkpoint: Checkpoint | None,
    ) -> None:
        self.module, self.objective, self.recipe = module, objective, recipe
        self.generator, self.callbacks, self.checkpoint = generator, callbacks, checkpoint
        self.optimizer = _optimizer(module, recipe)
        self.average = Average(module, recipe.average)
        self.history = History()
        self.best = copied(module)

    def run(self) -> History:
        started = time.perf_counter()
        if self.checkpoint is not None:
            self.checkpoint.take_up(self)
        earlier = self.history.seconds
        self._tell("on_start", self.recipe.epochs)
        try:
            self._epochs()
        except KeyboardInterrupt:
            if not self.history.epochs:
                raise
            self.history.stopped = "interrupted"
        finally:
            restore(self.module, self.best)
            self.history.seconds = earlier + time.perf_counter() - started
            self._tell("on_end", self.history)
        return self.history

    def _epochs(self) -> None:
        for number in range(len(self.history.epochs) + 1, self.recipe.epochs + 1):
            if number - 1 - self.history.best_epoch >= self.recipe.patience:
                self.history.stopped = "no improvement"
                return
            started = time.perf_counter()
            loss = self._epoch(number)
            with self.average.applied():
                valid = self.objective.validate(self.module)
                _check(valid["loss"], "validation loss", number, self.recipe)
                best = self.history.best
                improved = self.recipe.keep == "last" or best is None or valid["loss"] < best.valid["loss"]
                if improved:
                    self.best = copied(self.module)
            rate = self.optimizer.param_groups[0]["lr"]
            epoch = Epoch(number, loss, valid, rate, time.perf_counter() - started)
            self.history.epochs.append(epoch)
            if improved:
                self.history.best_epoch = number
            if self.checkpoint is not None:
                self.checkpoint.write(self)
            self._tell("on_epoch", epoch)

    def _epoch(self, number: int) -> float:
        """Take the steps of one epoch: the mean loss."""
        self.module.train()
        batches = self.objective.batches(self.generator)
        total, total_steps, seen = 0.0, len(batches) * self.recipe.epochs, 0
        for position, batch in enumerate(batches):
            factor = self.recipe.factor((number - 1) * len(batches) + position, total_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = self.recipe.learning_rate * factor
            loss, rows = self.objective.loss(self.module, batch)
            _check(loss.item(), "loss", number, self.recipe)
            self.optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.module.parameters(), self.recipe.clip)
            self.optimizer.step()
            self.average.update()
            total, seen = total + loss.item() * rows, seen + rows
            self._tell("on_step", number, position + 1, len(batches), rows, total / seen)
        return total / seen

    def _tell(self, what: str, *news: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, what)(*news)


def _optimizer(module: torch.nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """AdamW; biases and the like do not decay, because a small bias is no simpler than a large one."""
    parameters = list(module.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [each for each in parameters if each.dim() > 1], "weight_decay": recipe.weight_decay},
        {"params": [each for each in parameters if each.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


def _check(loss: float, what: str, epoch: int, recipe: Recipe) -> None:
    if not math.isfinite(loss):
        raise PenstockError(
            f"training diverged: the {what} became {loss} in epoch {epoch}. "
            f"Lower learning_rate (now {recipe.learning_rate:g}) or clip (now {recipe.clip:g})."
        )
