"""Training objectives for classes of whole sequences or of each step: cross-entropy."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.errors import ConfigError
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.training.sequence_objective import Mixture, Regularization, SequenceObjective

__all__ = ["ClassObjective", "Regularization", "StepClassObjective"]


@dataclass(frozen=True, kw_only=True)
class ClassObjective(SequenceObjective):
    """Cross-entropy of whole sequences and of a random prefix of each; targets are class numbers (sequences,).

    Attributes:
        weights: (classes,), weight of a sequence of each class.
    """

    targets: np.ndarray
    valid_targets: np.ndarray
    weights: Tensor

    def errors(self, scores: Tensor, target: Tensor) -> Tensor:
        """Weighted cross-entropy with smoothed labels."""
        return _errors(scores, target, self.weights, self.regularization.label_smoothing)

    def figures(self, scores: Tensor) -> dict[str, float]:
        """Weighted cross-entropy, as the training's without smoothing, and accuracy."""
        return _figures(scores, torch.from_numpy(self.valid_targets), self.weights, self.valid_sample_weights)


@dataclass(frozen=True, kw_only=True)
class StepClassObjective(SequenceObjective):
    """Cross-entropy of every step; targets are class numbers, with as many steps as the sequences.

    weights: (classes,), what a step of each class counts
    """

    targets: Sequences
    valid_targets: Sequences
    weights: Tensor

    def errors(self, scores: Tensor, target: Tensor) -> Tensor:
        """Weighted cross-entropy with smoothed labels."""
        return _errors(scores, target, self.weights, self.regularization.label_smoothing)

    def figures(self, scores: Tensor) -> dict[str, float]:
        """Weighted cross-entropy, as the training's without smoothing, and accuracy over all steps."""
        counts, lengths = self.valid_sample_weights, self.valid_targets.lengths
        each = None if counts is None else np.repeat(counts, lengths)
        return _figures(scores, torch.from_numpy(self.valid_targets.values), self.weights, each)

    def scores(self, module: NetworkModule, y: Tensor, lengths: Tensor) -> Tensor:
        """Return the head's scores of all steps of the batch, with sequences concatenated."""
        return module.head(y[_inside(y, lengths)])

    def predictions(self, lengths: Tensor) -> int:
        """Return the number of steps of a training batch."""
        return int(lengths.sum())

    def scored_loss(
        self,
        module: NetworkModule,
        y: Tensor,
        lengths: Tensor,
        target: Tensor,
        mixture: Mixture | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Return the mean of `errors` over the first `lengths` steps, weighted like their sequences.

        Sequences with step labels cannot be mixed.
        """
        if mixture is not None:
            raise ConfigError("sequences whose steps have labels can't be mixed: let mixture() return None")
        inside = _inside(y, lengths)
        scores = module.head(self.drop(y[inside], self.regularization.output_dropout))
        each = self.errors(scores, target[inside])
        if weights is not None:
            each = each * weights[:, None].expand_as(inside)[inside]
        return each.sum() / inside.sum().clamp(min=1)


def _inside(y: Tensor, lengths: Tensor) -> Tensor:
    """Mask (batch, time) of the steps of y (batch, time, ...) that are not padding."""
    return torch.arange(y.shape[1], device=y.device) < lengths.to(y.device)[:, None]


def _errors(scores: Tensor, target: Tensor, weights: Tensor, smoothing: float) -> Tensor:
    each = functional.cross_entropy(scores, target, reduction="none", label_smoothing=smoothing)
    return each * weights[target]


def _figures(scores: Tensor, target: Tensor, weights: Tensor, counts: np.ndarray | None) -> dict[str, float]:
    """Return loss and accuracy; `weights` are the weights of the classes, `counts` those of the predictions."""
    errors, hits = _errors(scores, target, weights, 0.0).double(), scores.argmax(1) == target
    if counts is None:
        return {
            "loss": errors.sum().item() / float(weights.double()[target].sum()),
            "accuracy": int(hits.sum()) / len(target),
        }
    each = torch.from_numpy(counts)
    return {
        "loss": float((errors * each).sum() / (weights.double()[target] * each).sum()),
        "accuracy": float(each[hits].sum() / each.sum()),
    }
