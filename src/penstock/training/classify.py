"""What classifying sequences asks of the loop: dropout, the loss with random prefixes, validation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.datasets.batches import length_batches
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.training.recipe import share

__all__ = ["ClassObjective", "Regularization"]

# Sequences of a validation batch: more than in training, as nothing is kept for a gradient.
_VALIDATION_BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Regularization:
    """What keeps a classifier from learning its training data by heart; all are shares from 0 to below 1.

    output_dropout: pooled numbers set to 0
    label_smoothing: of the target, spread over all classes (Szegedy et al. 2016)
    prefix_share: of the loss, taken at a random prefix of each sequence
    """

    output_dropout: float
    label_smoothing: float
    prefix_share: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            share(name, value)


@dataclass(frozen=True, kw_only=True)
class ClassObjective:
    """Cross-entropy of whole sequences and of a random prefix of each.

    sequences, targets: the training data, ids or numbers, and class numbers (sequences,)
    valid_sequences, valid_targets: the validation data
    weights: (classes,), what a sequence of each class counts
    generator: for dropout and prefixes
    """

    sequences: Sequences
    targets: np.ndarray
    valid_sequences: Sequences
    valid_targets: np.ndarray
    weights: Tensor
    batch_size: int
    regularization: Regularization
    generator: torch.Generator

    def batches(self, generator: np.random.Generator) -> list[np.ndarray]:
        """Indices of sequences of similar lengths."""
        return length_batches(self.sequences.lengths, self.batch_size, generator)

    def loss(self, module: NetworkModule, batch: np.ndarray) -> tuple[Tensor, int]:
        """The loss of the sequences `batch`, dropout on."""
        values, steps = _tensors(self.sequences, batch)
        target = torch.from_numpy(self.targets[batch])
        y, steps = self.encoded(module, values, steps)
        loss = self._cross_entropy(module, y, steps, target)
        if prefix_share := self.regularization.prefix_share:
            # Uniform over 1..length; an empty sequence has its empty prefix only.
            drawn = (torch.rand(len(steps), generator=self.generator) * steps).long() + 1
            prefix = self._cross_entropy(module, y, torch.minimum(drawn, steps), target)
            loss = torch.lerp(loss, prefix, prefix_share)
        return loss + self.further(module, y, values, steps, target), len(batch)

    def encoded(self, module: NetworkModule, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's outputs (batch, time, output) for a batch in training, and its lengths.

        A kind of data that is disturbed in training does so here, before the layers; the lengths may change.
        """
        return module.encoder(module.inputs(values), lengths=lengths)[0], lengths

    def further(
        self, module: NetworkModule, y: Tensor, values: Tensor, lengths: Tensor, target: Tensor
    ) -> Tensor | float:
        """Another loss, to be added."""
        return 0.0

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """Weighted cross-entropy, as the training's without smoothing, and accuracy."""
        module.eval()
        loss, hits = 0.0, 0
        for batch in length_batches(self.valid_sequences.lengths, _VALIDATION_BATCH, None):
            values, lengths = _tensors(self.valid_sequences, batch)
            logits = module(values, lengths)
            target = torch.from_numpy(self.valid_targets[batch])
            each = functional.cross_entropy(logits, target, reduction="none") * self.weights[target]
            loss += each.double().sum().item()
            hits += int((logits.argmax(1) == target).sum())
        total = float(self.weights.double()[torch.from_numpy(self.valid_targets)].sum())
        return {"loss": loss / total, "accuracy": hits / len(self.valid_targets)}

    def _cross_entropy(self, module: NetworkModule, y: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        pooled = self.drop(module.head.pool(y, lengths), self.regularization.output_dropout)
        each = functional.cross_entropy(
            module.head.project(pooled),
            target,
            reduction="none",
            label_smoothing=self.regularization.label_smoothing,
        )
        return (each * self.weights[target]).mean()

    def drop(self, x: Tensor, probability: float) -> Tensor:
        """x with some of its numbers set to 0, the others the larger (Srivastava et al. 2014)."""
        if not probability:
            return x
        return x * (~self.chosen(x.shape, probability)).to(x.dtype).div_(1 - probability)

    def chosen(self, shape: torch.Size, probability: float) -> Tensor:
        """Where chance, the objective's own, strikes."""
        if not probability:
            return torch.zeros(shape, dtype=torch.bool)
        return torch.rand(shape, generator=self.generator) < probability


def _tensors(sequences: Sequences, batch: np.ndarray) -> tuple[Any, Tensor]:
    """Padded values, ids as int64, and lengths."""
    values, lengths = sequences.pad(batch)
    tensor = torch.from_numpy(values)
    return tensor if tensor.is_floating_point() else tensor.long(), torch.from_numpy(lengths)
