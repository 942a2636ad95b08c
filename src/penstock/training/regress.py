"""Training objective for numbers: squared error or Huber loss."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.training.sequence_objective import SequenceObjective

__all__ = ["RegressionObjective"]


@dataclass(frozen=True, kw_only=True)
class RegressionObjective(SequenceObjective):
    """The error of whole sequences and of a random prefix of each.

    Targets are numbers, float32 (sequences, outputs), standardised on the training data, like the head's outputs before
    its scale and offset.

    Attributes:
        error: "squared", or "huber" (Huber 1964), which grows only linearly beyond 1 standard deviation.
    """

    targets: np.ndarray
    valid_targets: np.ndarray
    error: Literal["squared", "huber"]

    def errors(self, scores: Tensor, target: Tensor) -> Tensor:
        """Return the chosen error, averaged over outputs."""
        loss = functional.mse_loss if self.error == "squared" else functional.smooth_l1_loss
        return loss(scores, target, reduction="none").mean(1)

    def figures(self, scores: Tensor) -> dict[str, float]:
        """Return the chosen error, and R² if the validation targets differ."""
        target, counts = torch.from_numpy(self.valid_targets), self.valid_sample_weights
        each = torch.ones(len(target)) if counts is None else torch.from_numpy(counts / counts.mean()).float()
        loss = (self.errors(scores, target) * each).double().mean().item()
        mean = (target * each[:, None]).mean(0)
        spread = ((target - mean).double().square() * each[:, None]).mean().item()
        squared = ((scores - target).double().square() * each[:, None]).mean().item()
        return {"loss": loss} | ({"r2": 1 - squared / spread} if spread else {})
