"""Objectives over labelled sequences: batches, dropout, random prefixes, mixtures, validation."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from penstock.datasets.batches import length_batches
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.training.objective import Seeded
from penstock.training.recipe import share

__all__ = ["IGNORED", "Mixture", "Regularization", "SequenceObjective", "target_tensor", "tensors"]

IGNORED = -100
"""The class number of a step past a sequence's end: PyTorch's cross-entropy leaves it out by default."""

# Sequences of a validation batch: more than in training, as nothing is kept for a gradient.
_VALIDATION_BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Regularization:
    """What keeps a network from learning its training data by heart; all are shares from 0 to below 1.

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


class Mixture(NamedTuple):
    """Another sequence of the batch for each one, (batch,), and its share in the mixture, (batch,)."""

    partner: Tensor
    share: Tensor


@dataclass(frozen=True, kw_only=True)
class SequenceObjective(Seeded, ABC):
    """The loss of sequences and of a random prefix of each; a kind of prediction fills in `errors` and `figures`.

    A prediction is for a whole sequence, pooled over time, unless a subclass has other `scores` and `scored_loss`, say
    for each step.

    sequences, targets: the training data, ids or numbers, and the ground truth: an array (sequences, ...), or
        `Sequences` with as many steps where each step has its own
    valid_sequences, valid_targets: the validation data
    seen_sequences, seen_targets: some of the training data in the validation data's form, for learning curves of the
        same figures on both; None for no such curve
    sample_weights, valid_sample_weights, seen_sample_weights: what each sequence counts, float (sequences,), 1 in the
        mean; None for all alike
    generator: for dropout and prefixes
    """

    sequences: Sequences
    targets: np.ndarray | Sequences
    valid_sequences: Sequences
    valid_targets: np.ndarray | Sequences
    batch_size: int
    regularization: Regularization
    generator: torch.Generator
    seen_sequences: Sequences | None = None
    seen_targets: Any = None
    sample_weights: np.ndarray | None = None
    valid_sample_weights: np.ndarray | None = None
    seen_sample_weights: np.ndarray | None = None

    @abstractmethod
    def errors(self, scores: Tensor, target: Tensor) -> Tensor:
        """The loss of each prediction (predictions,), from its scores (predictions, outputs)."""

    @abstractmethod
    def figures(self, scores: Tensor) -> dict[str, float]:
        """`loss` and metrics to show, from the scores (predictions, outputs) for the validation data, in its order."""

    def batches(self, generator: np.random.Generator) -> list[np.ndarray]:
        """Indices of sequences of similar lengths."""
        return length_batches(self.sequences.lengths, self.batch_size, generator)

    def loss(self, module: NetworkModule, batch: np.ndarray) -> tuple[Tensor, int]:
        """The loss of the sequences `batch`, dropout on."""
        values, steps = tensors(self.sequences, batch)
        target, weights = target_tensor(self.targets, batch), self.weights_of(batch)
        mixture = self.mixture(len(batch))
        if mixture is not None:
            values = torch.lerp(values, values[mixture.partner], mixture.share[:, None, None])
        y, steps = self.encoded(module, values, steps)
        loss = self.scored_loss(module, y, steps, target, mixture, weights)
        if prefix_share := self.regularization.prefix_share:
            # Uniform over 1..length; an empty sequence has its empty prefix only.
            drawn = (torch.rand(len(steps), generator=self.generator) * steps).long() + 1
            prefix = self.scored_loss(module, y, torch.minimum(drawn, steps), target, mixture, weights)
            loss = torch.lerp(loss, prefix, prefix_share)
        return loss + self.further(module, y, values, steps, target, weights), len(batch)

    def weights_of(self, batch: np.ndarray) -> Tensor | None:
        """What each sequence of a training batch counts, (batch,) float32; None for all alike."""
        return None if self.sample_weights is None else torch.from_numpy(self.sample_weights[batch]).float()

    def mixture(self, batch: int) -> Mixture | None:
        """With what each sequence of a training batch is mixed; None for nothing."""
        return None

    def encoded(self, module: NetworkModule, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's outputs (batch, time, output) for a batch in training, and its lengths.

        A kind of data that is augmented in training is augmented here, before the layers; the lengths may change.
        """
        return module.encoder(module.inputs(values), lengths=lengths)[0], lengths

    def further(
        self,
        module: NetworkModule,
        y: Tensor,
        values: Tensor,
        lengths: Tensor,
        target: Tensor,
        weights: Tensor | None,
    ) -> Tensor | float:
        """Another loss, to be added; `weights` is what each sequence counts, (batch,)."""
        return 0.0

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """`figures` on the validation data."""
        module.eval()
        ragged = self.valid_targets if isinstance(self.valid_targets, Sequences) else None
        count = len(self.valid_targets if ragged is None else ragged.values)
        scores: Any = None
        for batch in length_batches(self.valid_sequences.lengths, _VALIDATION_BATCH, None):
            values, lengths = tensors(self.valid_sequences, batch)
            y, _ = module.encoder(module.inputs(values), lengths=lengths)
            found = self.scores(module, y, lengths)
            scores = found.new_empty(count, found.shape[1]) if scores is None else scores
            scores[torch.from_numpy(batch if ragged is None else ragged.places(batch))] = found
        return self.figures(scores)

    def validate_seen(self, module: NetworkModule) -> dict[str, float]:
        """`figures` on the training data that is measured again; nothing where there is none."""
        if self.seen_sequences is None:
            return {}
        seen = {"valid_sequences": self.seen_sequences, "valid_targets": self.seen_targets}
        return replace(self, **seen, valid_sample_weights=self.seen_sample_weights).validate(module)

    def scores(self, module: NetworkModule, y: Tensor, lengths: Tensor) -> Tensor:
        """The scores of the encoder's outputs y (batch, time, output): (batch, outputs), from the head's pooling.

        Of an objective with ragged targets: (all steps of the batch, outputs), one sequence after the other.
        """
        return module.head.project(module.head.pool(y, lengths))

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

    def scored_loss(
        self,
        module: NetworkModule,
        y: Tensor,
        lengths: Tensor,
        target: Tensor,
        mixture: Mixture | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """The mean of `errors` for outputs pooled over the first `lengths` steps, and of the partners' in a mixture.

        Each target's error counts as much as its sequence: `weights` (batch,).
        """
        pooled = self.drop(module.head.pool(y, lengths), self.regularization.output_dropout)
        scores = module.head.project(pooled)
        each = self.errors(scores, target)
        each = each if weights is None else each * weights
        if mixture is not None:
            other = self.errors(scores, target[mixture.partner])
            each = torch.lerp(each, other if weights is None else other * weights[mixture.partner], mixture.share)
        return each.mean()


def target_tensor(targets: np.ndarray | Sequences, batch: np.ndarray) -> Tensor:
    """The targets of a batch (batch, ...); of `Sequences` (batch, time, ...).

    Past a sequence's end, class numbers are `IGNORED`, other numbers 0.
    """
    if isinstance(targets, Sequences):
        whole = np.issubdtype(targets.values.dtype, np.integer)
        return torch.from_numpy(targets.pad(batch, fill=IGNORED if whole else 0).values)
    return torch.from_numpy(targets[batch])


def tensors(sequences: Sequences, batch: np.ndarray) -> tuple[Any, Tensor]:
    """Padded values, ids as int64, and lengths."""
    values, lengths = sequences.pad(batch)
    tensor = torch.from_numpy(values)
    return tensor if tensor.is_floating_point() else tensor.long(), torch.from_numpy(lengths)
