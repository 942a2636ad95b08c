"""Distribution of a training: one process, or several that share each batch."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from penstock.training.checkpoint import Checkpoint

__all__ = ["OneProcess", "Strategy"]


class Strategy(Protocol):
    """Distributes a training over processes.

    Every process runs the same `Trainer` with the same data, settings and seed of the data's order. It takes its own
    rows of each batch (`datasets.shard`) and validates on all of the validation data. Random numbers of the objective
    and the network, such as dropout, come from each process's own generators.
    """

    @property
    def rank(self) -> int:
        """The number of this process, from 0."""
        ...

    @property
    def size(self) -> int:
        """The number of processes."""
        ...

    def prepare(self, loss: torch.nn.Module) -> torch.nn.Module:
        """Return the module to call for the loss; its backward pass averages gradients over the processes."""
        ...

    def reduce(self, values: Tensor) -> Tensor:
        """Return the sum of values (count,) float64 over the processes."""
        ...

    def save(self, checkpoint: Checkpoint, state: Mapping[str, Any]) -> None:
        """Save the trainer's state. Only the objective's and the random state differ between processes."""
        ...

    def load(self, checkpoint: Checkpoint) -> dict[str, Any] | None:
        """Return the state to resume from, of the same step in every process; None if there is none."""
        ...


class OneProcess:
    """A single process."""

    rank, size = 0, 1

    def prepare(self, loss: torch.nn.Module) -> torch.nn.Module:
        """Return the module."""
        return loss

    def reduce(self, values: Tensor) -> Tensor:
        """Return the values."""
        return values

    def save(self, checkpoint: Checkpoint, state: Mapping[str, Any]) -> None:
        """Write the state to the file."""
        checkpoint.write(state)

    def load(self, checkpoint: Checkpoint) -> dict[str, Any] | None:
        """Read the state from the file."""
        return checkpoint.read()
