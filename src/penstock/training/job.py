"""A training as a value, which any process can run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from penstock.errors import DivergedError
from penstock.training.checkpoint import Checkpoint
from penstock.training.history import History
from penstock.training.objective import Objective
from penstock.training.progress import Callback
from penstock.training.recipe import Recipe
from penstock.training.strategy import Strategy
from penstock.training.trainer import Trainer

__all__ = ["Job"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a `Trainer` needs.

    Attributes:
        module: the module to train, changed in place.
        objective, recipe, checkpoint, title: as for `Trainer`.
        seed: seed of the order of the data, and of whatever else is random.
    """

    module: torch.nn.Module
    objective: Objective
    recipe: Recipe
    seed: int
    checkpoint: Checkpoint | None = None
    title: str = ""

    def run(self, callbacks: Sequence[Callback] = (), strategy: Strategy | None = None) -> History:
        """Train, as `Trainer.fit` does; a training that diverges after its first epoch keeps the best weights so far.

        `History.stopped` is then "diverged".
        """
        trainer = Trainer(
            self.module,
            self.objective,
            self.recipe,
            generator=np.random.default_rng([self.seed, 1]),
            callbacks=callbacks,
            checkpoint=self.checkpoint,
            strategy=strategy,
            title=self.title,
        )
        try:
            return trainer.fit()
        except DivergedError as error:
            history = trainer.history
            if not history.epochs:
                raise
            history.stopped, history.failure = "diverged", str(error)
            return history
