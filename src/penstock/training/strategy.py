"""Where a training runs: in one process, or in several that share each batch."""

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from penstock.training.checkpoint import Checkpoint

__all__ = ["OneProcess", "Strategy"]


class Strategy(Protocol):
    """How a training is spread over processes.

    Every process runs the same `Trainer` with the same data, settings and seed of the data's order. Of each batch it
    takes its own rows (`datasets.shard`), and it validates on all of the validation data. What the objective and the
    network draw at random, such as dropout, comes from generators of each process's own.
    """

    @property
    def rank(self) -> int:
        """The number of this process, from 0."""
        ...

    @property
    def size(self) -> int:
        """How many processes there are."""
        ...

    def prepare(self, loss: torch.nn.Module) -> torch.nn.Module:
        """The module to call for the loss; its backward pass makes each gradient the mean over the processes."""
        ...

    def reduce(self, values: Tensor) -> Tensor:
        """The sum over the processes of values (count,) float64."""
        ...

    def save(self, checkpoint: Checkpoint, state: Mapping[str, Any]) -> None:
        """Keep the trainer's state. Only the objective's and the random state differ between processes."""
        ...

    def load(self, checkpoint: Checkpoint) -> dict[str, Any] | None:
        """The state to resume from, of the same step in every process; None where there is none."""
        ...


class OneProcess:
    """The plain case: one process, which does everything."""

    rank, size = 0, 1

    def prepare(self, loss: torch.nn.Module) -> torch.nn.Module:
        """The module itself."""
        return loss

    def reduce(self, values: Tensor) -> Tensor:
        """The values themselves."""
        return values

    def save(self, checkpoint: Checkpoint, state: Mapping[str, Any]) -> None:
        """Write the state to the file."""
        checkpoint.write(state)

    def load(self, checkpoint: Checkpoint) -> dict[str, Any] | None:
        """What the file holds."""
        return checkpoint.read()
