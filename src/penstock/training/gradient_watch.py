"""Warns when gradients vanish or explode on their way back through a sequence (Hochreiter 1991; Bengio et al. 1994)."""

import copy
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penstock.cells import find
from penstock.datasets import row_count, shard
from penstock.events import say
from penstock.training.history import Epoch, History
from penstock.training.objective import Objective
from penstock.training.recipe import Recipe

__all__ = ["Flow", "GradientWatch", "gradient_flow", "undone"]

_LOGGER = logging.getLogger("penstock.training")

_ROWS = 16  # of a batch; enough for a mean, few enough to cost little beside an epoch
_FEWEST_STEPS = 10
_VANISHED, _EXPLODED = 1e-4, 1e4  # the gradient at the first steps beside that at the last ones


class Flow(NamedTuple):
    """How the gradient of the loss gets back through the sequences of a batch.

    Attributes:
        verdict: "vanishes", "explodes" or "fine"; "fine" also for sequences of fewer than 10 steps.
        ratio: the gradient at the first tenth of the steps, divided by that at the last tenth.
        reach: steps before the end, within which the gradient is at least 1/10,000 of its largest.
        steps: the longest sequence of the batch.
    """

    verdict: str
    ratio: float
    reach: int
    steps: int

    def figures(self) -> dict[str, Any]:
        """Return plain values; a ratio that is not finite is None."""
        return self._asdict() | {"ratio": self.ratio if math.isfinite(self.ratio) else None}


class GradientWatch:
    """A callback that measures once an epoch, on a few rows of one batch, and warns once if something is wrong.

    It changes nothing: the training has the same bits without it.

    Args:
        history: gets the last measurement, as `gradients`.
        module: what is trained; one without recurrent layers called `encoder` is not watched.
        objective: the task's batches and loss.
        recipe: the settings of the training.
        title: the name of the training if there are several.
    """

    def __init__(
        self, history: History, module: torch.nn.Module, objective: Objective, recipe: Recipe, title: str = ""
    ) -> None:
        self._history, self._module, self._objective, self._recipe = history, module, objective, recipe
        self._prefix = f"{title}: " if title else ""
        self._batch: Any = None
        self._has_warned = False

    def on_start(self, epochs: int) -> None:
        """Do nothing."""

    def on_step(self, epoch: int, step: int, steps: int, rows: int, loss: float) -> None:
        """Do nothing."""

    def on_epoch(self, epoch: Epoch) -> None:
        """Measure, and warn if gradients vanish or explode."""
        if not getattr(getattr(self._module, "encoder", None), "batch_first", False):
            return
        if self._batch is None:
            batch = self._objective.batches(np.random.default_rng(0))[0]
            self._batch, _ = shard(batch, 0, max(1, row_count(batch) // _ROWS))
        flow = gradient_flow(self._module, self._objective, self._batch)
        self._history.gradients = None if flow is None else flow.figures()
        if flow is not None and flow.verdict != "fine" and not self._has_warned:
            self._has_warned = True
            message = f"{self._prefix}{self._words(flow)}"
            say(_LOGGER, "gradients", message, level=logging.WARNING, epoch=epoch.epoch, **flow.figures())

    def on_end(self, history: History) -> None:
        """Do nothing."""

    def _words(self, flow: Flow) -> str:
        gated = find(self._module.encoder.cell).keeps is not None  # type: ignore[union-attr, arg-type]
        cell = "" if gated else "cell='lstm' or 'gru', whose gates keep gradients; "
        if flow.verdict == "explodes":
            return (
                f"gradients explode: at the first of {flow.steps} steps the gradient is {flow.ratio:.0e} times that at "
                f"the last ones. Try {cell}a smaller clip (now {self._recipe.clip:g}) or learning_rate (now "
                f"{self._recipe.learning_rate:g}); shorter sequences, or truncated backpropagation over shorter chunks."
            )
        bias = "a bias that opens the gate that keeps the state (init='chrono' of penstock.nn); " if gated else ""
        return (
            f"gradients vanish: the loss hardly depends on what lies more than {flow.reach} of {flow.steps} steps "
            f"before the end, so that it can't be learned. Try {cell}pooling='max' or 'mean', which give each step a "
            f"gradient of its own; {bias}an orthogonal start (init='orthogonal' of penstock.nn); shorter sequences, "
            "such as by a larger stride."
        )


def gradient_flow(module: Any, objective: Objective, batch: Any) -> Flow | None:
    """Measure the gradient of the loss with respect to what the layers read, by distance from the sequences' ends.

    Neither the module nor the objective nor any random state changes.

    Args:
        module: has an `encoder` with `batch_first=True`, as the modules of `penstock.nn.build`.
        objective: the loss.
        batch: as the objective's `batches` gives it.

    Returns:
        None if the loss does not use the encoder.
    """
    seen: list[tuple[Tensor, Any]] = []

    def follow(encoder: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if seen:  # a forecaster calls its layers a second time, for the steps ahead
            return None
        x = arguments[0].detach().requires_grad_()
        seen.append((x, options.get("lengths")))
        return (x, *arguments[1:]), options

    with undone(module, objective):
        hook = module.encoder.register_forward_pre_hook(follow, with_kwargs=True)
        try:
            loss, _ = objective.loss(module, batch)
        finally:
            hook.remove()
        if not seen or not loss.requires_grad:
            return None
        x, lengths = seen[0]
        (gradient,) = torch.autograd.grad(loss, x, allow_unused=True)
    if gradient is None:
        return None
    sizes = gradient.double().square().sum(dim=2).numpy()
    steps = np.full(len(sizes), sizes.shape[1]) if lengths is None else np.asarray(lengths)
    return _judged(sizes, steps)


def _judged(sizes: NDArray[np.float64], lengths: NDArray[np.int64]) -> Flow:
    """Judge squared norms (rows, steps) of sequences of these lengths."""
    longest = int(lengths.max(initial=0))
    if longest < _FEWEST_STEPS:
        return Flow("fine", 1.0, longest, longest)
    # Column d is d steps before the end of each sequence.
    places = lengths[:, None] - 1 - np.arange(longest)
    there = places >= 0
    by_distance = np.where(there, np.take_along_axis(sizes, np.maximum(places, 0), axis=1), 0).sum(axis=0)
    by_distance = np.sqrt(by_distance / there.sum(axis=0))
    tenth = max(1, longest // 10)
    last, first = by_distance[:tenth].max(), by_distance[-tenth:].max()
    if not np.isfinite(by_distance).all():
        return Flow("explodes", float("inf"), longest, longest)
    if not last and not first:
        return Flow("fine", 1.0, longest, longest)
    ratio = float(first / last) if last else float("inf")
    reach = int(np.flatnonzero(by_distance >= _VANISHED * by_distance.max())[-1]) + 1
    verdict = "vanishes" if ratio < _VANISHED else "explodes" if ratio > _EXPLODED else "fine"
    return Flow(verdict, ratio, reach, longest)


@contextmanager
def undone(module: torch.nn.Module, objective: Objective) -> Iterator[None]:
    """Context in which the module trains, and after which all random state and the objective are as before."""
    was_training, random = module.training, torch.get_rng_state()
    state = copy.deepcopy(objective.state_dict())
    module.train()
    try:
        yield
    finally:
        module.train(was_training)
        torch.set_rng_state(random)
        objective.load_state_dict(state)
