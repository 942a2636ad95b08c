"""What classifying sequences of ids asks of the loop: dropout, the loss with random prefixes, validation."""

from dataclasses import dataclass
from typing import cast

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
_NEXT_TOKEN_DROPOUT = 0.2
# Of a batch, at random: all of a batch of sentences; of long texts, all would cost more than the sweep over time.
_NEXT_TOKENS = 1024


@dataclass(frozen=True, kw_only=True)
class Regularization:
    """What keeps a classifier from learning its training data by heart; all are shares from 0 to below 1.

    word_dropout: ids replaced by 0, the unknown token
    embedding_dropout: numbers of the steps' vectors set to 0
    output_dropout: pooled numbers set to 0
    label_smoothing: of the target, spread over all classes (Szegedy et al. 2016)
    prefix_share: of the loss, taken at a random prefix of each sequence
    next_token_share: as much again of the loss, for foretelling each sequence's next id (Rei 2017); needs the
        module's `next_token`
    """

    word_dropout: float
    embedding_dropout: float
    output_dropout: float
    label_smoothing: float
    prefix_share: float
    next_token_share: float

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            share(name, value)


@dataclass(frozen=True, kw_only=True)
class ClassObjective:
    """Cross-entropy of whole sequences and of a random prefix of each.

    sequences, targets: the training data, ids and class numbers (sequences,)
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
        values, lengths = self.sequences.pad(batch)
        ids, steps = torch.from_numpy(values).long(), torch.from_numpy(lengths)
        target = torch.from_numpy(self.targets[batch])
        setting = self.regularization
        hidden = ids.masked_fill(self._chosen(ids.shape, setting.word_dropout), 0)
        x = self._drop(module.inputs(hidden), setting.embedding_dropout)
        y, _ = module.encoder(x, lengths=steps)
        loss = self._cross_entropy(module, y, steps, target)
        if setting.prefix_share:
            # Uniform over 1..length; an empty sequence has its empty prefix only.
            drawn = (torch.rand(len(steps), generator=self.generator) * steps).long() + 1
            prefix = self._cross_entropy(module, y, torch.minimum(drawn, steps), target)
            loss = torch.lerp(loss, prefix, setting.prefix_share)
        if setting.next_token_share and int(steps.max()) > 1:
            loss = loss + setting.next_token_share * self._next_token(module, y, ids, steps)
        return loss, len(batch)

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """Weighted cross-entropy, as the training's without smoothing, and accuracy."""
        module.eval()
        loss, hits = 0.0, 0
        for batch in length_batches(self.valid_sequences.lengths, _VALIDATION_BATCH, None):
            values, lengths = self.valid_sequences.pad(batch)
            logits = module(torch.from_numpy(values).long(), torch.from_numpy(lengths))
            target = torch.from_numpy(self.valid_targets[batch])
            each = functional.cross_entropy(logits, target, reduction="none") * self.weights[target]
            loss += each.double().sum().item()
            hits += int((logits.argmax(1) == target).sum())
        total = float(self.weights.double()[torch.from_numpy(self.valid_targets)].sum())
        return {"loss": loss / total, "accuracy": hits / len(self.valid_targets)}

    def _cross_entropy(self, module: NetworkModule, y: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        pooled = self._drop(module.head.pool(y, lengths), self.regularization.output_dropout)
        each = functional.cross_entropy(
            module.head.project(pooled),
            target,
            reduction="none",
            label_smoothing=self.regularization.label_smoothing,
        )
        return (each * self.weights[target]).mean()

    def _next_token(self, module: NetworkModule, y: Tensor, ids: Tensor, lengths: Tensor) -> Tensor:
        """Cross-entropy of each next id among those of the batch, scored by the ids' own input vectors."""
        (places,) = (torch.arange(1, ids.shape[1] + 1) < lengths[:, None]).flatten().nonzero(as_tuple=True)
        if len(places) > _NEXT_TOKENS:
            places = places[torch.randperm(len(places), generator=self.generator)[:_NEXT_TOKENS]]
        candidates, right = ids.flatten()[places + 1].unique(return_inverse=True)
        state = y.flatten(0, 1).index_select(0, places)  # whose gradient is much faster than that of y[row, step]
        foretell = cast(torch.nn.Linear, module.next_token)
        guess = foretell(self._drop(state, _NEXT_TOKEN_DROPOUT))
        return functional.cross_entropy(guess @ module.inputs(candidates).T, right)

    def _drop(self, x: Tensor, probability: float) -> Tensor:
        if not probability:
            return x
        return x * (~self._chosen(x.shape, probability)).to(x.dtype).div_(1 - probability)

    def _chosen(self, shape: torch.Size, probability: float) -> Tensor:
        if not probability:
            return torch.zeros(shape, dtype=torch.bool)
        return torch.rand(shape, generator=self.generator) < probability
