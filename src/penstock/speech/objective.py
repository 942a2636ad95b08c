"""Training objective of speech recognisers: CTC (Graves et al. 2006) with SpecAugment, changes of speed, dropout."""

from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.datasets.batches import length_batches
from penstock.nn import NetworkModule
from penstock.sequences import Sequences
from penstock.shards import StoredSequences
from penstock.speech.features import SpeechFeatures
from penstock.speech.spec import BLANK
from penstock.training.masks import random_span
from penstock.training.objective import Seeded
from penstock.training.recipe import at_least, share
from penstock.training.sequence_objective import tensors

__all__ = ["CtcObjective", "SpeechRegularization", "needed_steps"]

_VALIDATION_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class SpeechRegularization:
    """Regularisation of speech recognisers.

    Attributes:
        masks: number of masks of either kind (SpecAugment, Park et al. 2019).
        band_mask: a mask hides up to this many neighbouring features of a frame.
        time_mask: a mask hides up to this many neighbouring frames, and a quarter of the recording.
        input_dropout, output_dropout: dropout probability of the steps, and of the layers' outputs.
    """

    masks: int
    band_mask: int
    time_mask: int
    input_dropout: float
    output_dropout: float

    def __post_init__(self) -> None:
        for name in ("masks", "band_mask", "time_mask"):
            at_least(name, getattr(self, name), 0, whole=True)
        for name in ("input_dropout", "output_dropout"):
            share(name, getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class CtcObjective(Seeded):
    """The negative log-likelihood of transcripts over all alignments, per token.

    Attributes:
        features: how frames become steps.
        speeds: the scaled frames of the training data at each speed, the first one unchanged; in memory or on disk.
        targets: numbers of tokens; each transcript fits into the steps of its recording unchanged.
        valid_steps, valid_targets: the validation data, stacked to steps.
        seen_steps, seen_targets: some of the training data in the same form, for learning curves.
        sample_weights: weight of each recording, mean 1; None for equal ones.
        batch_size: recordings per step of the optimisation.
        regularization: masks and dropout.
        generator: random generator of all of it.
    """

    features: SpeechFeatures
    speeds: Seq[Sequences | StoredSequences]
    targets: Sequences
    valid_steps: Sequences | StoredSequences
    valid_targets: Sequences
    seen_steps: Sequences
    seen_targets: Sequences
    batch_size: int
    regularization: SpeechRegularization
    generator: torch.Generator
    sample_weights: np.ndarray | None = None

    def batches(self, generator: np.random.Generator) -> list[np.ndarray]:
        """Return batches of indices of recordings of similar lengths."""
        return length_batches(self.speeds[0].lengths, self.batch_size, generator)

    def extent(self, batch: np.ndarray) -> int:
        """Return the number of frames of a batch, padding included."""
        return int(self.speeds[0].lengths[batch].max(initial=0)) * len(batch)

    def expect(self, batches: Seq[np.ndarray]) -> float | None:
        """Read batches of stored frames ahead, at all speeds, which are drawn later; see `Objective.expect`."""
        stored = [each for each in self.speeds if isinstance(each, StoredSequences)]
        for each in stored:
            each.expect(batches)
        return sum(each.waited for each in stored) if stored else None

    def loss(self, module: NetworkModule, batch: np.ndarray) -> tuple[Tensor, int]:
        """Return the mean loss of the tokens of the recordings `batch`, with augmentation and dropout."""
        frames, lengths = self._frames(batch)
        shift = int(torch.randint(self.features.subsampling, (1,), generator=self.generator))
        if (self.features.steps(lengths - shift).numpy() >= needed_steps(self.targets)[batch]).all():
            frames, lengths = frames[:, shift:], lengths - shift
        x = self.features.stacked(self._masked(frames, lengths))
        steps = self.features.steps(lengths)
        y, _ = module.encoder(module.inputs(self.drop(x, self.regularization.input_dropout)), lengths=steps)
        scores = module.head(self.drop(y, self.regularization.output_dropout), steps)
        targets, counts = tensors(self.targets, batch)
        each = _ctc(scores, targets, steps, counts)
        if self.sample_weights is not None:
            each = each * torch.from_numpy(self.sample_weights[batch]).float()
        return each.sum() / counts.sum().clamp(min=1), len(batch)

    @torch.no_grad()
    def validate(self, module: NetworkModule) -> dict[str, float]:
        """Return the loss per token of the validation data, of transcripts that fit into their recordings."""
        module.eval()
        lengths = self.valid_steps.lengths
        fits = np.flatnonzero(lengths >= needed_steps(self.valid_targets))
        total, tokens = 0.0, 0
        for places in length_batches(lengths[fits], _VALIDATION_BATCH):
            x, steps = tensors(self.valid_steps, fits[places])
            targets, counts = tensors(self.valid_targets, fits[places])
            scores = module.head(module.encoder(module.inputs(x), lengths=steps)[0], steps)
            total += _ctc(scores, targets, steps, counts).sum().item()
            tokens += int(counts.sum())
        return {"loss": total / max(tokens, 1)}

    def validate_seen(self, module: NetworkModule) -> dict[str, float]:
        """Return the same on some of the training data."""
        return replace(self, valid_steps=self.seen_steps, valid_targets=self.seen_targets).validate(module)

    def _frames(self, batch: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return the frames (batch, time, features) of recordings, each at a random speed, and their lengths."""
        drawn = torch.randint(len(self.speeds), (len(batch),), generator=self.generator).numpy()
        needed = needed_steps(self.targets)[batch]
        read, lengths = [_reader(each, batch) for each in self.speeds], [each.lengths[batch] for each in self.speeds]
        chosen = [
            read[speed if self.features.steps(int(lengths[speed][place])) >= steps else 0](place)
            for place, (speed, steps) in enumerate(zip(drawn.tolist(), needed.tolist(), strict=True))
        ]
        return tensors(Sequences.from_list(chosen), np.arange(len(batch)))

    def _masked(self, frames: Tensor, lengths: Tensor) -> Tensor:
        """Set some spans of frames and of features to 0, which is their mean."""
        strength, size = self.regularization, frames.shape[2]
        for _ in range(strength.masks):
            if strength.band_mask:
                bands = torch.full_like(lengths, size)
                hidden = random_span(size, len(frames), strength.band_mask, bands, self.generator)
                frames = frames.masked_fill(hidden[:, None], 0.0)
            if strength.time_mask:
                hidden = random_span(frames.shape[1], len(frames), strength.time_mask, lengths, self.generator)
                frames = frames.masked_fill(hidden[..., None], 0.0)
        return frames


def _reader(frames: Sequences | StoredSequences, batch: np.ndarray) -> Callable[[int], np.ndarray]:
    """Return what gives the frames of a place in the batch; stored ones are read together, as they are expected."""
    if isinstance(frames, Sequences):
        return lambda place: frames[int(batch[place])]
    padded = frames.pad(batch)
    return lambda place: padded.values[place, : padded.lengths[place]]


def needed_steps(targets: Sequences) -> np.ndarray:
    """Return the fewest steps that CTC can spread each transcript over: a blank parts a token from its repetition."""
    return np.array([len(each) + int((each[1:] == each[:-1]).sum()) for each in targets], np.int64)


def _ctc(scores: Tensor, targets: Tensor, steps: Tensor, counts: Tensor) -> Tensor:
    """Return the negative log-likelihood of each transcript, (batch,), from scores (batch, time, tokens).

    Every transcript fits into its steps, so that none is infinite.
    """
    return functional.ctc_loss(scores.transpose(0, 1), targets, steps, counts, blank=BLANK, reduction="none")
