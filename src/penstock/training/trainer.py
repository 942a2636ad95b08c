"""The trainer: epochs, gradients, validation and selection of weights; training can resume at any step."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from penstock.datasets import Batches, row_count, shard
from penstock.errors import BundleError
from penstock.events import say
from penstock.training.checkpoint import Checkpoint
from penstock.training.divergence import Divergence
from penstock.training.gradient_watch import GradientWatch
from penstock.training.history import Epoch, History
from penstock.training.interrupt import held_back
from penstock.training.layers import depths
from penstock.training.objective import LossModule, Objective
from penstock.training.optimizer import averaged, optimizer_of
from penstock.training.progress import Callback, TrainingLog
from penstock.training.recipe import Recipe
from penstock.training.strategy import OneProcess, Strategy
from penstock.training.weights import Weights, copied, restore

__all__ = ["Trainer"]

_LOGGER = logging.getLogger("penstock.training")
_AHEAD = 8
"""Batches that are read ahead where they lie on disk."""


@dataclass
class _Progress:
    """Progress of the current epoch.

    Attributes:
        loss: sum of the batches' losses, each times its weight; see `Objective.loss`.
        weight: sum of the weights.
        seconds: time that it took in earlier processes.
        learning_rate: the learning rate of the last step.
    """

    loss: float = 0.0
    weight: float = 0.0
    seconds: float = 0.0
    learning_rate: float = 0.0

    @property
    def mean_loss(self) -> float:
        """The mean of the loss so far; 0 if nothing had a weight."""
        return self.loss / self.weight if self.weight else 0.0


class Trainer:
    """Trains a module, which ends in evaluation mode with the weights of the best epoch, or the last ones.

    The best epoch is the one with the lowest validation loss. A training that is resumed at any step, from a checkpoint
    or from `state_dict`, ends with the same bits as one that was never interrupted.

    A time limit, `recipe.max_seconds`, stops it after the batch in which the limit passes, but never before the first
    one. The weights reached there are validated like those of a whole epoch, and may be the best. The state remains
    that of the last step, so that the training can resume from there with a higher limit.

    Args:
        module: the module to train, changed in place.
        objective: the task's batches, loss and validation.
        recipe: the settings.
        generator: random generator for the order of the data.
        callbacks: called at the start, after each step and epoch, and at the end.
        checkpoint: the file for the state, written as it says and at the end; an existing file is resumed. A write that
            fails is a warning, and training goes on.
        strategy: the distribution over processes; None for this process alone.
        title: the name of the training in the log, if there are several.

    Attributes:
        history: the training so far, epoch by epoch.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        objective: Objective,
        recipe: Recipe,
        *,
        generator: np.random.Generator,
        callbacks: Sequence[Callback] = (),
        checkpoint: Checkpoint | None = None,
        strategy: Strategy | None = None,
        title: str = "",
    ) -> None:
        self.module, self.objective, self.recipe = module, objective, recipe
        self.callbacks, self.checkpoint, self.strategy = callbacks, checkpoint, strategy or OneProcess()
        self.batches = Batches(objective.batches, generator)
        self.history = History()
        self._log = TrainingLog(self.history, recipe, title)
        self._watch = GradientWatch(self.history, module, objective, recipe, title)
        self._divergence = Divergence(recipe)
        self._loss = self.strategy.prepare(LossModule(module, objective))
        self._optimizer, self._layers = optimizer_of(module, recipe), depths(module)
        self._averaged = averaged(module, recipe)
        self._best = copied(module)
        self._last: Weights | None = None  # set after the end, when the module has the best weights
        self._progress, self._started = _Progress(), time.perf_counter()
        self._is_whole = True  # no step is incomplete
        self._cut: dict[str, Any] | None = None  # the state of the last step, if the time limit cut an epoch short

    def fit(self) -> History:
        """Train to the end, starting from the checkpoint or the state passed to `load_state_dict`, if any.

        Ctrl-C ends the training after the current step (a second one at once), with the best weights so far; before the
        end of the first epoch KeyboardInterrupt is raised, and the weights are those from the start. With a checkpoint,
        the training can be resumed from that step.

        Raises:
            DivergedError: the loss or the gradient became NaN or infinite, or the loss exploded; the module has the
                best weights so far.
            BundleError: the checkpoint is damaged, of another training, or its folder does not exist.
            InputError: another training is using the checkpoint.
            KeyboardInterrupt: Ctrl-C before the end of the first epoch.
        """
        if self.checkpoint is None or self.strategy.rank != 0:
            return self._fit()
        with self.checkpoint.alone():
            return self._fit()

    def _fit(self) -> History:
        state = None if self.checkpoint is None else self.strategy.load(self.checkpoint)
        state = self._cut if state is None else state
        if state is not None:
            self.load_state_dict(state)
        self._tell("on_start", self.recipe.epochs)
        with self._running():
            try:
                self._epochs()
            except KeyboardInterrupt:
                if self._is_whole and self.strategy.size == 1:  # other processes were not interrupted
                    self._save_if(Checkpoint.is_due_at_end)
                if not self.history.epochs:
                    raise
                self.history.stopped = "interrupted"
        self._log.on_stop()
        return self.history

    def state_dict(self) -> dict[str, Any]:
        """Return the state after the last step by name: tensors, as in PyTorch, and plain values.

        It is exact in callbacks and after the end, but not after a second Ctrl-C, which interrupts a step.
        """
        if self._cut is not None:
            return self._cut
        return {
            "module": self.module.state_dict() if self._last is None else self._last,
            "best": self._best,
            "averaged": None if self._averaged is None else self._averaged.state_dict(),
            "optimizer": {str(number): state for number, state in self._optimizer.state_dict()["state"].items()},
            "objective": self.objective.state_dict(),
            "batches": self.batches.state_dict(),
            "random": torch.get_rng_state(),
            "losses": self._divergence.state_dict(),
            "epochs": self.history.rows(),
            "best_epoch": self.history.best_epoch,
            "progress": asdict(self._progress) | {"seconds": self._seconds()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state with the same settings and data.

        This also sets PyTorch's global random state, which the dropout between layers uses.

        Raises:
            StateError: the data has other batches.
            RuntimeError: the module has other parameters.
        """
        restore(self.module, state["module"])
        self._last = self._cut = None
        self._best = {name: tensor.clone() for name, tensor in state["best"].items()}
        if self._averaged is not None:
            self._averaged.load_state_dict(state["averaged"])
        moments = {
            int(number): {name: tensor.clone() for name, tensor in several.items()}
            for number, several in state["optimizer"].items()
        }
        self._optimizer.load_state_dict(self._optimizer.state_dict() | {"state": moments})
        self.batches.load_state_dict(state["batches"])
        self.objective.load_state_dict(state["objective"])
        torch.set_rng_state(state["random"])
        self._divergence.load_state_dict(state["losses"])
        self.history.epochs = [Epoch.from_row(row) for row in state["epochs"]]
        self.history.best_epoch = state["best_epoch"]
        self._progress, self._started = _Progress(**state["progress"]), time.perf_counter()

    @contextmanager
    def _running(self) -> Iterator[None]:
        """Context in which the module has the weights of the last step; afterwards it always has the best ones."""
        if self._last is not None:
            restore(self.module, self._last)
            self._last = None
        self._started = time.perf_counter()
        try:
            yield
        finally:
            self._progress.seconds = self._seconds()
            self._last = copied(self.module)
            restore(self.module, self._best)
            self.module.eval()
            self.history.seconds = sum(epoch.seconds for epoch in self.history.epochs) + self._progress.seconds
            self._tell("on_end", self.history)

    def _epochs(self) -> None:
        self.history.stopped = "finished"
        for number in range(len(self.history.epochs) + 1, self.recipe.epochs + 1):
            if self._lacks_improvement(number - 1):
                self.history.stopped = "no improvement"
                return
            self.module.train()
            batches = iter(self.batches)
            while self.batches.position < len(self.batches):
                if self._is_time_over():
                    self.history.stopped = "time"
                    if self.batches.position:
                        self._cut_short(number)
                    return
                with held_back():
                    self._is_whole = False
                    with self._input_watched():
                        self._step(number, next(batches))
            epoch = self._validated(number)
            with held_back():
                next(batches, None)  # only now does a saved state resume after the validation
                self._note(epoch)
                is_last = number == self.recipe.epochs or self._lacks_improvement(number)
                self._save_if(Checkpoint.is_due_at_end if is_last else Checkpoint.is_due_after_epoch)
            self._tell("on_epoch", epoch)

    def _lacks_improvement(self, number: int) -> bool:
        """Whether the epochs up to `number` brought no lower validation loss for too long."""
        return number - self.history.best_epoch >= self.recipe.patience

    def _is_time_over(self) -> bool:
        """Whether the time limit has passed, in any process; never before the first step."""
        limit = self.recipe.max_seconds
        if limit is None or not (self.history.epochs or self.batches.position):
            return False
        over = sum(epoch.seconds for epoch in self.history.epochs) + self._seconds() >= limit
        return bool(self.strategy.reduce(torch.tensor([over], dtype=torch.float64)).item())

    def _cut_short(self, number: int) -> None:
        """End epoch `number` here: save the state of the last step, then validate the weights reached."""
        self._cut = self.state_dict() | {"module": copied(self.module)}
        self._save_if(Checkpoint.is_due_at_end)
        epoch = self._validated(number)
        with held_back():
            self._note(epoch)
        self._tell("on_epoch", epoch)

    @contextmanager
    def _input_watched(self) -> Iterator[None]:
        """Context of a step, before which its batch and the next ones are asked for; notes how long it waits."""
        started, rank, size = time.perf_counter(), self.strategy.rank, self.strategy.size
        before = self.objective.expect([shard(each, rank, size)[0] for each in self.batches.upcoming(_AHEAD)])
        yield
        if before is not None:
            waited = (self.objective.expect([]) or 0.0) - before
            self.history.note_step(time.perf_counter() - started, waited)

    def _step(self, number: int, batch: Any) -> None:
        """Take one optimiser step in epoch `number`."""
        steps, step = len(self.batches), self.batches.position
        rate = self.recipe.learning_rate * self.recipe.factor(
            (number - 1) * steps + step - 1, steps * self.recipe.epochs
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self._descend(number, batch)
        if self._averaged is not None:
            if not self.recipe.averages([epoch.valid["loss"] for epoch in self.history.epochs]):
                self._averaged.n_averaged.zero_()
            self._averaged.update_parameters(self.module)
        self._progress.learning_rate = rate
        self._is_whole = True
        self._save_if(lambda checkpoint: checkpoint.is_due(step))
        self._tell("on_step", number, step, steps, row_count(batch), self._progress.mean_loss)

    def _descend(self, number: int, batch: Any) -> None:
        """Update the weights with the gradient of the loss over all processes."""
        part, counts = shard(batch, self.strategy.rank, self.strategy.size)
        loss, own = self._loss(part)
        own = own if counts else 0
        total, weight = self.strategy.reduce(torch.tensor([loss.item() * own, own], dtype=torch.float64)).tolist()
        mean = total / weight if weight else 0.0
        self._divergence.note_loss(mean, number, self.batches.position)
        self._optimizer.zero_grad()
        # The strategy averages over processes, so that each loss counts by its share of the weight times their number.
        share = own / weight if weight else 0.0
        (loss if self.strategy.size == 1 else loss * (share * self.strategy.size)).backward()
        for depth, parameter in self._layers:
            if not self.recipe.trains(depth, number):
                parameter.grad = None  # the optimiser passes over it
        norm = torch.nn.utils.clip_grad_norm_(self.module.parameters(), self.recipe.clip)
        self._divergence.note_gradient(norm.item(), number, self.batches.position)
        self._optimizer.step()
        self._progress.loss += total
        self._progress.weight += weight

    def _validated(self, number: int) -> Epoch:
        """Validate after the last step of epoch `number`, and return the epoch."""
        names, values = zip(*self.objective.validate(self._candidate).items(), strict=True)
        # All processes use the same metrics, so that none stops alone.
        mean = self.strategy.reduce(torch.tensor(values, dtype=torch.float64)) / self.strategy.size
        valid = dict(zip(names, mean.tolist(), strict=True))
        self._divergence.note_validation(valid["loss"], number)
        seen = self.objective.validate_seen(self._candidate)
        progress = self._progress
        return Epoch(number, progress.mean_loss, valid, progress.learning_rate, self._seconds(), seen)

    def _note(self, epoch: Epoch) -> None:
        """Add an epoch to the history, and store the weights if they are the best so far."""
        best = self.history.best
        if self.recipe.keep == "last" or best is None or epoch.valid["loss"] < best.valid["loss"]:
            self._best, self.history.best_epoch = copied(self._candidate), epoch.epoch
        self.history.epochs.append(epoch)
        self._progress, self._started = _Progress(), time.perf_counter()

    @property
    def _candidate(self) -> torch.nn.Module:
        """The module with the weights that are validated and may be kept."""
        return self.module if self._averaged is None else self._averaged.module

    def _save_if(self, due: Callable[[Checkpoint], bool]) -> None:
        """Save if the first process says so, whose clock counts for all."""
        if self.checkpoint is None:
            return
        says_so = self.strategy.rank == 0 and due(self.checkpoint)
        if not self.strategy.reduce(torch.tensor([says_so], dtype=torch.float64)).item():
            return
        try:
            self.strategy.save(self.checkpoint, self.state_dict())
        except BundleError as error:  # a full disk must not end a training of hours, whose last checkpoint is kept
            say(_LOGGER, "checkpoint", f"{error}. Training goes on without it.", level=logging.WARNING)

    def _seconds(self) -> float:
        """Time that the current epoch has taken so far."""
        return self._progress.seconds + (time.perf_counter() - self._started if self._last is None else 0.0)

    def _tell(self, what: str, *news: Any) -> None:
        for callback in (self._log, self._watch, *self.callbacks):
            getattr(callback, what)(*news)
