"""Training objective of taggers: the likelihood of each sentence's tags, with dropout."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from penstock.datasets.batches import length_batches
from penstock.heads import Chain, Viterbi
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.tagging.layers import TagHeadModule
from penstock.training.objective import Seeded
from penstock.training.recipe import share
from penstock.training.sequence_objective import target_tensor, tensors

__all__ = ["TagObjective", "TagRegularization"]

_VALIDATION_BATCH = 128


@dataclass(frozen=True, kw_only=True)
class TagRegularization:
    """Regularisation of taggers; shares are from 0 to below 1.

    Attributes:
        word_dropout: share of the words that occur once in the training sentences that are replaced by unknown ones, so
            that the network learns to handle these (Lample et al. 2016).
        input_dropout: dropout probability of the vectors of words.
        output_dropout: dropout probability of the encoder's outputs.
        label_smoothing: without a CRF, share of the target that is spread evenly over all tags.
    """

    word_dropout: float
    input_dropout: float
    output_dropout: float
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            share(name, value)


@dataclass(frozen=True, kw_only=True)
class TagObjective(Seeded):
    """Negative log-likelihood of sentences' tags, per token.

    Attributes:
        sequences, targets: the training data: rows of ids as `TokenFeatures` makes them, and numbers of tags.
        valid_sequences, valid_targets: the validation data.
        seen_sequences, seen_targets: some of the training data, for learning curves with the same metrics.
        sample_weights, valid_sample_weights, seen_sample_weights: weight of each sentence, mean 1; None for equal ones.
        singletons: (words,) bool, the ids of words that occur once in the training data.
        batch_size: sentences per step.
        regularization: dropout.
        generator: random generator for dropout.
    """

    sequences: Sequences
    targets: Sequences
    valid_sequences: Sequences
    valid_targets: Sequences
    seen_sequences: Sequences
    seen_targets: Sequences
    singletons: np.ndarray
    batch_size: int
    regularization: TagRegularization
    generator: torch.Generator
    sample_weights: np.ndarray | None = None
    valid_sample_weights: np.ndarray | None = None
    seen_sample_weights: np.ndarray | None = None

    def batches(self, generator: np.random.Generator) -> list[np.ndarray]:
        """Return batches of indices of sentences with similar lengths."""
        return length_batches(self.sequences.lengths, self.batch_size, generator)

    def extent(self, batch: np.ndarray) -> int:
        """Return the number of tokens of a batch, padding included."""
        return int(self.sequences.lengths[batch].max(initial=0)) * len(batch)

    def loss(self, module: NetworkModule, batch: np.ndarray) -> tuple[Tensor, float]:
        """Return the mean loss of the tokens of the sentences `batch`, with dropout."""
        ids, lengths = tensors(self.sequences, batch)
        x = self.drop(module.inputs(self._hidden(ids)), self.regularization.input_dropout)
        y = self.drop(module.encoder(x, lengths=lengths)[0], self.regularization.output_dropout)
        smoothing = self.regularization.label_smoothing
        each = module.head.errors(module.head(y), target_tensor(self.targets, batch), lengths, smoothing)
        if self.sample_weights is not None:
            each = each * torch.from_numpy(self.sample_weights[batch]).float()
        tokens = lengths.sum()
        return each.sum() / tokens.clamp(min=1), tokens.item()

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """Return the loss of the validation data, and the accuracy over all its tokens."""
        module.eval()
        lengths, weights = self.valid_sequences.lengths, self.valid_sample_weights
        each = np.ones(len(lengths)) if weights is None else weights
        errors, hits = np.zeros(len(lengths)), np.zeros(len(lengths))
        # A tag that does not occur in training has no score: its sentence has no loss, and the tag is an error below.
        scored = np.array([not (tags < 0).any() for tags in self.valid_targets], bool)
        for batch in length_batches(lengths, _VALIDATION_BATCH, None):
            ids, steps = tensors(self.valid_sequences, batch)
            scores = module.head(module.encoder(module.inputs(ids), lengths=steps)[0])
            truth = self.valid_targets.pad(batch).values
            found = module.head.errors(scores, torch.from_numpy(truth.clip(min=0)), steps).numpy()
            errors[batch] = np.where(scored[batch], found, 0)
            inside = np.arange(truth.shape[1]) < lengths[batch][:, None]
            hit = np.zeros(inside.shape)
            hit[inside] = _tags(module.head, scores.numpy()[inside], lengths[batch]) == truth[inside]
            hits[batch] = hit.sum(axis=1)
        loss = (each * errors).sum() / max((each * lengths * scored).sum(), 1)
        return {"loss": float(loss), "accuracy": float((each * hits).sum() / max((each * lengths).sum(), 1))}

    def validate_seen(self, module: NetworkModule) -> dict[str, float]:
        """Return the same on some of the training data."""
        seen = replace(
            self,
            valid_sequences=self.seen_sequences,
            valid_targets=self.seen_targets,
            valid_sample_weights=self.seen_sample_weights,
        )
        return seen.validate(module)

    def _hidden(self, ids: Tensor) -> Tensor:
        """Replace words that occur once by the unknown word, at random; their spelling stays."""
        once = torch.from_numpy(self.singletons)[ids[..., 0]]
        chosen = torch.rand(once.shape, generator=self.generator) < self.regularization.word_dropout
        return torch.cat([torch.where(once & chosen, 0, ids[..., 0])[..., None], ids[..., 1:]], -1)


def _tags(head: TagHeadModule, scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the tags of sentences, concatenated, (tokens,), from scores (tokens, tags)."""
    if not head.crf:
        return scores.argmax(axis=1)
    chain = Chain.of({name: getattr(head, name).numpy() for name in ("transitions", "start", "end")})
    return Viterbi(chain).several(Sequences(scores, np.cumsum([0, *lengths])))
