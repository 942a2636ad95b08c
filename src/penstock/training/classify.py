"""The objective of classes: cross-entropy."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.training.sequence_objective import Regularization, SequenceObjective

__all__ = ["ClassObjective", "Regularization"]


@dataclass(frozen=True, kw_only=True)
class ClassObjective(SequenceObjective):
    """Cross-entropy of whole sequences and of a random prefix of each; targets are class numbers (sequences,).

    weights: (classes,), what a sequence of each class counts
    """

    targets: np.ndarray
    valid_targets: np.ndarray
    weights: Tensor

    def errors(self, scores: Tensor, target: Tensor) -> Tensor:
        """Weighted cross-entropy with smoothed labels."""
        smoothing = self.regularization.label_smoothing
        each = functional.cross_entropy(scores, target, reduction="none", label_smoothing=smoothing)
        return each * self.weights[target]

    def figures(self, scores: Tensor) -> dict[str, float]:
        """Weighted cross-entropy, as the training's without smoothing, and accuracy."""
        target = torch.from_numpy(self.valid_targets)
        each = functional.cross_entropy(scores, target, reduction="none") * self.weights[target]
        loss = each.double().sum().item() / float(self.weights.double()[target].sum())
        return {"loss": loss, "accuracy": int((scores.argmax(1) == target).sum()) / len(target)}
