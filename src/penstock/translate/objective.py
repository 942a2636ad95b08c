"""Training objective of translators: the cross-entropy of each target token, given the true ones before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.datasets.batches import length_batches
from penstock.sequences import Sequences
from penstock.training.objective import Seeded
from penstock.training.sequence_objective import IGNORED, tensors
from penstock.translate.module import AttendingModule

__all__ = ["TranslationObjective"]

# Sentences per validation batch: more than in training, because nothing is stored for gradients.
_VALIDATION_BATCH = 128


@dataclass(kw_only=True, eq=False)
class TranslationObjective(Seeded):
    """Cross-entropy with teacher forcing: each token is predicted from the true tokens before it.

    With `sampling_share`, some of these are replaced by the network's own predictions, more and more of them during the
    training (scheduled sampling, Bengio et al. 2015), in two passes (Mihaylova and Martins 2019): the first, without
    gradients, predicts all tokens from the true ones.

    Attributes:
        sources, targets: the training data; targets begin with the begin token and end with the end token.
        valid_sources, valid_targets: the validation data.
        seen_sources, seen_targets: some of the training data, for learning curves.
        batch_size: sentences per step.
        label_smoothing: share of the target that is spread over all tokens (Szegedy et al. 2016).
        word_dropout: share of the tokens of both sides that are replaced by unknown ones.
        sampling_share: share of the tokens before that are predictions at the end of the training.
        steps: the number of training steps.
        unknown: the id of unknown tokens.
        weights: what each training sentence counts, (sentences,), mean 1; None for equal weights.
        generator: random generator for the choice of replaced tokens.
    """

    sources: Sequences
    targets: Sequences
    valid_sources: Sequences
    valid_targets: Sequences
    seen_sources: Sequences
    seen_targets: Sequences
    batch_size: int
    label_smoothing: float
    word_dropout: float
    sampling_share: float
    steps: int
    unknown: int
    generator: torch.Generator
    weights: np.ndarray | None = None
    _taken: int = field(default=0, init=False)

    def batches(self, generator: np.random.Generator) -> list[np.ndarray]:
        """Return batches of indices of sentences with targets of similar lengths."""
        return length_batches(self.targets.lengths, self.batch_size, generator)

    def extent(self, batch: np.ndarray) -> int:
        """Return the number of tokens of a batch on both sides, padding included."""
        return sum(int(each.lengths[batch].max(initial=0)) for each in (self.sources, self.targets)) * len(batch)

    def loss(self, module: AttendingModule, batch: np.ndarray) -> tuple[Tensor, float]:
        """Return the mean loss of the target tokens of the sentences `batch`, and their number or sum of weights."""
        values, lengths = tensors(self.sources, batch)
        before, after = _shifted(self.targets, batch)
        memory = module.memory(self._hidden(values, self.word_dropout), lengths)
        if self.sampling_share:
            before = self._sampled(module, memory, before)
        self._taken += 1
        readouts = module.head.readouts(memory, self._hidden(before, self.word_dropout))
        inside = after != IGNORED
        scores, truth = module.head.scores(readouts[inside]), after[inside]
        smoothing = self.label_smoothing
        if self.weights is None:
            return functional.cross_entropy(scores, truth, label_smoothing=smoothing), len(truth)
        each = functional.cross_entropy(scores, truth, label_smoothing=smoothing, reduction="none")
        counts = torch.from_numpy(self.weights[batch]).float()[:, None].expand_as(inside)[inside]
        total = counts.sum()
        return (each * counts).sum() / total, total.item()

    @torch.no_grad()
    def validate(self, module: AttendingModule) -> dict[str, float]:
        """Return the mean loss of a token, without smoothing, and the share of tokens that are predicted first."""
        module.eval()
        loss, hits, count = 0.0, 0, 0
        for batch in length_batches(self.valid_targets.lengths, _VALIDATION_BATCH):
            before, after = _shifted(self.valid_targets, batch)
            readouts = module.head.readouts(module.memory(*tensors(self.valid_sources, batch)), before)
            inside = after != IGNORED
            scores, truth = module.head.scores(readouts[inside]), after[inside]
            loss += functional.cross_entropy(scores, truth, reduction="sum").item()
            hits += int((scores.argmax(1) == truth).sum())
            count += len(truth)
        module.train()
        return {"loss": loss / count, "token_accuracy": hits / count}

    def validate_seen(self, module: AttendingModule) -> dict[str, float]:
        """Return the same on some training sentences."""
        return replace(self, valid_sources=self.seen_sources, valid_targets=self.seen_targets).validate(module)

    def state_dict(self) -> dict[str, Any]:
        """Return the generator's state and the number of steps taken."""
        return super().state_dict() | {"taken": self._taken}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        super().load_state_dict(state)
        self._taken = state["taken"]

    def _hidden(self, ids: Tensor, share: float) -> Tensor:
        """Replace a share of ids by the unknown one."""
        return ids.masked_fill(self._chosen(ids, share), self.unknown) if share else ids

    def _sampled(self, module: AttendingModule, memory: Any, before: Tensor) -> Tensor:
        """Replace some of the tokens before by what the network predicts there; never the first one."""
        with torch.no_grad():
            predicted = module.head(memory, before).argmax(-1)[:, :-1]
        share = self.sampling_share * min(1.0, self._taken / max(1, self.steps))
        later = before[:, 1:]
        return torch.cat([before[:, :1], torch.where(self._chosen(later, share), predicted, later)], 1)

    def _chosen(self, ids: Tensor, share: float) -> Tensor:
        return torch.rand(ids.shape, generator=self.generator) < share


def _shifted(targets: Sequences, batch: np.ndarray) -> tuple[Tensor, Tensor]:
    """The tokens before, padded with 0, and the tokens to predict, padded with `IGNORED`, each (batch, target)."""
    values, lengths = tensors(targets, batch)
    outside = torch.arange(1, values.shape[1]) >= lengths[:, None]
    return values[:, :-1].masked_fill(outside, 0), values[:, 1:].masked_fill(outside, IGNORED)
