"""The interface between a task and the trainer: batches, loss, validation, and random state."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

__all__ = ["LossModule", "Objective", "Seeded"]


class Objective(Protocol):
    """Defines the batches, the loss and the validation of a training."""

    def batches(self, generator: np.random.Generator) -> Sequence[Any]:
        """Return the batches of one epoch, in order; only the generator may be a source of randomness.

        Each is an array (rows, ...), or a tuple of such arrays, so that several processes can share its rows.
        """
        ...

    def loss(self, module: Any, batch: Any) -> tuple[Tensor, float]:
        """Return the loss, a mean over the batch, and its weight: of how many terms it is the mean.

        Terms are sequences, steps, values, or whatever the loss is the mean of. Where each has a weight by which the
        mean divides, it is the sum of these. By this weight the losses of a batch's parts give the loss of the whole.
        It is 0 where a part has no terms; the loss is finite even then.
        """
        ...

    def extent(self, batch: Any) -> int:
        """Return a number that grows with the memory that a batch needs; 0 if all batches are alike."""
        ...

    def expect(self, batches: Sequence[Any]) -> float | None:
        """Read these batches ahead, the next ones in order, if they lie on disk.

        Returns:
            The seconds that `loss` has waited for input so far; None for input in memory.
        """
        ...

    def validate(self, module: Any) -> dict[str, float]:
        """Return `loss`, by which weights are chosen, and metrics to show."""
        ...

    def validate_seen(self, module: Any) -> dict[str, float]:
        """Return the same metrics on some training data, for learning curves; may be empty."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the state that changes from step to step: tensors and plain values, by name."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        ...


class Seeded:
    """Base class of objectives whose only state is a random generator, for dropout, prefixes and noise."""

    generator: torch.Generator

    def drop(self, x: Tensor, probability: float) -> Tensor:
        """Apply dropout (Srivastava et al. 2014) with the objective's generator."""
        if not probability:
            return x
        kept = torch.rand(x.shape, generator=self.generator) >= probability
        return x * kept.to(x.dtype).div_(1 - probability)

    def extent(self, batch: Any) -> int:
        """Return 0; subclasses whose batches differ in length override this."""
        return 0

    def expect(self, batches: Sequence[Any]) -> float | None:
        """Do nothing; subclasses that can read from disk override this."""
        return None

    def validate_seen(self, module: Any) -> dict[str, float]:
        """Return nothing; subclasses with training data for learning curves override this."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return the generator's state."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.generator.set_state(state["generator"])


class LossModule(torch.nn.Module):
    """A module whose forward pass is the loss.

    Wrappers for distributed training, such as DistributedDataParallel, see only calls of `forward`; therefore one call
    computes the whole loss.
    """

    def __init__(self, module: torch.nn.Module, objective: Objective) -> None:
        super().__init__()
        self.module, self.objective = module, objective

    def forward(self, batch: Any) -> tuple[Tensor, float]:
        """See `Objective.loss`."""
        return self.objective.loss(self.module, batch)
