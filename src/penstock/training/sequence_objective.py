"""Training objectives on labelled sequences: batches, dropout, random prefixes, mixtures, validation."""

from abc import ABC, abstractmethod
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from penstock.datasets.batches import length_batches
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.shards import StoredSequences
from penstock.training.objective import Seeded
from penstock.training.recipe import share

__all__ = ["IGNORED", "Mixture", "Regularization", "SequenceObjective", "target_tensor", "tensors"]

IGNORED = -100
"""Class number of padding steps, which PyTorch's cross-entropy ignores by default."""

# Sequences per validation batch: more than in training, because nothing is stored for gradients.
_VALIDATION_BATCH = 128


@dataclass(frozen=True, kw_only=True)
class Regularization:
    """Regularisation; all values are shares from 0 to below 1.

    Attributes:
        output_dropout: dropout probability of the pooled outputs.
        label_smoothing: share of the target that is spread over all classes (Szegedy et al. 2016).
        prefix_share: share of the loss at a random prefix of each sequence.
    """

    output_dropout: float
    label_smoothing: float
    prefix_share: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            share(name, value)


class Mixture(NamedTuple):
    """The sequence of the batch that each one is mixed with, (batch,), and its share, (batch,)."""

    partner: Tensor
    share: Tensor


@dataclass(frozen=True, kw_only=True)
class SequenceObjective(Seeded, ABC):
    """Loss of sequences and of a random prefix of each; subclasses implement `errors` and `figures`.

    A prediction is for a whole sequence, pooled over time, unless a subclass overrides `scores` and `scored_loss`, for
    example for each step.

    Attributes:
        sequences, targets: the training data, ids or numbers, in memory or on disk, and the ground truth: an array
            (sequences, ...), or `Sequences` with the same steps if each step has its own target.
        valid_sequences, valid_targets: the validation data, in memory or on disk.
        seen_sequences, seen_targets: some of the training data in the form of the validation data, for learning curves
            with the same metrics; None for no such curve.
        sample_weights, valid_sample_weights, seen_sample_weights: weight of each sequence, float (sequences,), mean 1;
            None for equal weights.
        generator: random generator for dropout and prefixes.
    """

    sequences: Sequences | StoredSequences
    targets: np.ndarray | Sequences
    valid_sequences: Sequences | StoredSequences
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
        """Return the loss of each prediction (predictions,), from its scores (predictions, outputs)."""

    @abstractmethod
    def figures(self, scores: Tensor) -> dict[str, float]:
        """Return `loss` and metrics, from the scores (predictions, outputs) for the validation data, in its order."""

    def batches(self, generator: np.random.Generator) -> list[np.ndarray]:
        """Return batches of indices of sequences with similar lengths."""
        return length_batches(self.sequences.lengths, self.batch_size, generator)

    def extent(self, batch: np.ndarray) -> int:
        """Return the number of steps of a batch, padding included."""
        return int(self.sequences.lengths[batch].max(initial=0)) * len(batch)

    def expect(self, batches: Seq[np.ndarray]) -> float | None:
        """Read batches of stored sequences ahead; see `Objective.expect`."""
        if not isinstance(self.sequences, StoredSequences):
            return None
        self.sequences.expect(batches)
        return self.sequences.waited

    def loss(self, module: NetworkModule, batch: np.ndarray) -> tuple[Tensor, int]:
        """Return the loss of the sequences `batch`, with dropout."""
        values, steps = tensors(self.sequences, batch)
        target, weights = target_tensor(self.targets, batch), self.weights_of(batch)
        mixture = self.mixture(len(batch))
        if mixture is not None:
            values = torch.lerp(values, values[mixture.partner], mixture.share[:, None, None])
        y, steps = self.encoded(module, values, steps)
        loss = self.scored_loss(module, y, steps, target, mixture, weights)
        if prefix_share := self.regularization.prefix_share:
            # Uniform over 1..length; an empty sequence has only its empty prefix.
            drawn = (torch.rand(len(steps), generator=self.generator) * steps).long() + 1
            prefix = self.scored_loss(module, y, torch.minimum(drawn, steps), target, mixture, weights)
            loss = torch.lerp(loss, prefix, prefix_share)
        return loss + self.further(module, y, values, steps, target, weights), len(batch)

    def weights_of(self, batch: np.ndarray) -> Tensor | None:
        """Return the weight of each sequence of a training batch, (batch,) float32; None for equal weights."""
        return None if self.sample_weights is None else torch.from_numpy(self.sample_weights[batch]).float()

    def mixture(self, batch: int) -> Mixture | None:
        """Return what each sequence of a training batch is mixed with; None for no mixing."""
        return None

    def encoded(self, module: NetworkModule, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's outputs (batch, time, output) for a training batch, and its lengths.

        Subclasses augment the data here, before the layers; the lengths may change.
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
        """Return an additional loss; `weights` are those of the sequences, (batch,)."""
        return 0.0

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """Return `figures` on the validation data."""
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
        """Return `figures` on the training data for learning curves; empty if there is none."""
        if self.seen_sequences is None:
            return {}
        seen = {"valid_sequences": self.seen_sequences, "valid_targets": self.seen_targets}
        return replace(self, **seen, valid_sample_weights=self.seen_sample_weights).validate(module)

    def scores(self, module: NetworkModule, y: Tensor, lengths: Tensor) -> Tensor:
        """Return the scores for the encoder's outputs y (batch, time, output): (batch, outputs), after pooling.

        With ragged targets the scores are (all steps of the batch, outputs), with sequences concatenated.
        """
        return module.head.project(module.head.pool(y, lengths))

    def chosen(self, shape: torch.Size, probability: float) -> Tensor:
        """Draw a random mask with the objective's generator."""
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
        """Return the mean of `errors` for outputs pooled over the first `lengths` steps, also of partners in a mixture.

        Errors are weighted by `weights` (batch,).
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
    """Return the targets of a batch (batch, ...); for `Sequences` (batch, time, ...).

    Padding is `IGNORED` for class numbers and 0 for other numbers.
    """
    if isinstance(targets, Sequences):
        whole = np.issubdtype(targets.values.dtype, np.integer)
        return torch.from_numpy(targets.pad(batch, fill=IGNORED if whole else 0).values)
    return torch.from_numpy(targets[batch])


def tensors(sequences: Sequences | StoredSequences, batch: np.ndarray) -> tuple[Any, Tensor]:
    """Return padded values, with ids as int64, and lengths."""
    values, lengths = sequences.pad(batch)
    tensor = torch.from_numpy(values)
    return tensor if tensor.is_floating_point() else tensor.long(), torch.from_numpy(lengths)
