"""What a task gives to the trainer: batches, a loss, a validation, and the state of what is random in them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

__all__ = ["LossModule", "Objective", "Seeded"]


class Objective(Protocol):
    """What a training minimises and validates."""

    def batches(self, generator: np.random.Generator) -> Sequence[Any]:
        """The batches of one epoch, in the order to take them; nothing but the generator may decide on it.

        Each is an array (rows, ...), or a tuple of such arrays, so that several processes can share its rows.
        """
        ...

    def loss(self, module: Any, batch: Any) -> tuple[Tensor, int]:
        """What to minimise, a mean over the batch, and the number of rows (sequences or steps) that it is a mean of."""
        ...

    def validate(self, module: Any) -> dict[str, float]:
        """`loss`, which decides, and metrics to show."""
        ...

    def validate_seen(self, module: Any) -> dict[str, float]:
        """The same figures on some training data, for learning curves; empty where that is not wanted."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """What changes from step to step: tensors and plain values, by names."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        ...


class Seeded:
    """An objective whose only state is its generator: dropout, prefixes, noise."""

    generator: torch.Generator

    def validate_seen(self, module: Any) -> dict[str, float]:
        """Nothing; an objective with training data to measure again gives its figures."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """The generator's state."""
        return {"generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.generator.set_state(state["generator"])


class LossModule(torch.nn.Module):
    """A module whose forward pass is the loss.

    What wraps a module to spread its training, such as DistributedDataParallel, sees calls of `forward` alone; so the
    whole loss is one.
    """

    def __init__(self, module: torch.nn.Module, objective: Objective) -> None:
        super().__init__()
        self.module, self.objective = module, objective

    def forward(self, batch: Any) -> tuple[Tensor, int]:
        """See `Objective.loss`."""
        return self.objective.loss(self.module, batch)
