"""The training objective of audio classifiers: cross-entropy of recordings augmented in each batch, and distillation.

Recordings are mixed with their labels (mixup, Zhang et al. 2018), follow the end of others, as in a stream, and are
also scored by their last window alone, as a spotter scores them. A network can learn from the predictions of other
networks in addition to the labels (distillation, Hinton, Vinyals and Dean 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.audio.augmentation import Augmentation, between
from penstock.errors import ConfigError
from penstock.nn import NetworkModule
from penstock.sounds.features import FLOOR, QUIETEST
from penstock.training.classify import ClassObjective
from penstock.training.recipe import at_least
from penstock.training.sequence_objective import tensors

__all__ = ["SoundObjective"]

_TEMPERATURE = 2.0  # of distillation: gives more weight to classes that teachers find less likely


class _Part(NamedTuple):
    """A span of each recording that has a share of the loss."""

    share: float  # of the loss
    first: Tensor  # (batch,), counted from the recording's start; may be negative
    steps: Tensor  # (batch,)


@dataclass(frozen=True, kw_only=True)
class SoundObjective(ClassObjective):
    """Cross-entropy of recordings, augmented again in each batch.

    Attributes:
        sequences: log-mel energies from `AudioFeatures.log_mels`; the validation data holds complete features.
        mean, scale: (bands,), as in `AudioFeatures.scale`.
        delta_frames, mean_share: as in `AudioFeatures`.
        augmentation: how recordings are changed.
        mixup: both parameters of the beta distribution for the share in which a recording and its label are mixed with
            another one; 0 for no mixing.
        spot_share: additional weight of the loss for the last `window_frames` of each recording alone, which end up to
            `late_frames` before it does, not counting added silence.
        context_share: share of the recordings that follow the end of another one, of up to `context_frames`.
        teachers: trained networks; the network learns their mean prediction for the same augmented recordings.
        taught_share: share of the loss for the teachers' predictions; the rest is for the labels.
    """

    mean: np.ndarray
    scale: np.ndarray
    mean_share: float
    delta_frames: tuple[int, ...]
    augmentation: Augmentation
    mixup: float
    context_share: float
    context_frames: int
    spot_share: float
    window_frames: int
    late_frames: int
    teachers: Sequence[NetworkModule] = ()
    taught_share: float = 0.7

    def __post_init__(self) -> None:
        for name in ("mixup", "spot_share", "context_share"):
            at_least(name, getattr(self, name), 0)
        if self.context_share > 1:
            raise ConfigError(f"context_share must be at most 1; got {self.context_share!r}")

    def taught_by(self, teachers: Sequence[torch.nn.Module]) -> "SoundObjective":
        """Return the same objective with these trained networks as teachers; they are frozen."""
        frozen = [cast(NetworkModule, teacher.requires_grad_(False).eval()) for teacher in teachers]
        return replace(self, teachers=frozen)

    def loss(self, module: NetworkModule, batch: np.ndarray) -> tuple[Tensor, float]:
        """Return the loss of the recordings `batch`, with augmentation and dropout."""
        values, lengths = tensors(self.sequences, batch)
        labels = functional.one_hot(torch.from_numpy(self.targets[batch]), len(self.weights)).to(values.dtype)
        weights = self.weights_of(batch)
        if self.mixup:
            values, labels, weights = self._mixed(values, lengths, labels, weights)
        x, starts, lengths = self.augmented(values, lengths)
        parts = self.parts(lengths)
        targets = self._taught(x, starts, lengths, parts) if self.teachers else [None] * len(parts)
        counts = labels @ self.weights if weights is None else labels @ self.weights * weights
        total = x.new_zeros(())
        for part, pooled, taught in zip(parts, _pooled(module, x, starts, lengths, parts), targets, strict=True):
            scores = module.head.project(self.drop(pooled, self.regularization.output_dropout))
            each = self._each(scores, labels, taught)
            total = total + part.share * (each * counts).mean()
        return total, len(batch)

    def _each(self, scores: Tensor, labels: Tensor, taught: Tensor | None) -> Tensor:
        """Return each recording's loss (batch,) for mixed labels and the teachers' predictions, all (batch, classes).

        Gradients of soft targets shrink with the squared temperature, so the loss is scaled by it (Hinton et al. 2015).
        """
        smoothing = self.regularization.label_smoothing
        each = functional.cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing)
        if taught is None:
            return each
        soft = functional.cross_entropy(scores / _TEMPERATURE, taught, reduction="none") * _TEMPERATURE**2
        return torch.lerp(each, soft, self.taught_share)

    def augmented(self, energies: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return augmented recordings as features, where each starts, and its new length."""
        energies, lengths = self.augmentation(energies, lengths, self.generator)
        energies, starts = self._after_others(energies, lengths)
        x = self.features(energies)
        return self.augmentation.masks(x, len(self.mean), lengths, self.generator), starts, lengths

    def parts(self, lengths: Tensor) -> list[_Part]:
        """Return the spans: whole, a random prefix, and the last window alone, as a spotter uses it, a bit early."""
        zero, prefix = torch.zeros_like(lengths), self.regularization.prefix_share
        spans = [_Part(1 - prefix, zero, lengths)]
        if prefix:
            drawn = (torch.rand(len(lengths), generator=self.generator) * lengths).long() + 1
            spans.append(_Part(prefix, zero, torch.minimum(drawn, lengths)))
        if self.spot_share:
            late = torch.randint(0, self.late_frames + 1, (len(lengths),), generator=self.generator)
            window = torch.full_like(lengths, self.window_frames)
            spans.append(_Part(self.spot_share, lengths - late - window, window))
        return spans

    def _mixed(
        self, values: Tensor, lengths: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Mix each recording with at most an equal share of another one, stretched to its length; labels alike.

        Logarithms of energies are mixed: the result is one sound between the two, not both at once.
        """
        other = torch.randperm(len(values), generator=self.generator)
        seed = int(
            torch.randint(2**31, (1,), generator=self.generator)
        )  # PyTorch's beta has no generator of its recording
        drawn = np.random.default_rng(seed).beta(self.mixup, self.mixup, len(values)).astype(np.float32)
        part = torch.from_numpy(np.minimum(drawn, 1 - drawn))
        last = (lengths - 1).clamp(min=0)[:, None]
        places = torch.arange(values.shape[1]).clamp(max=last) * (last[other] / last.clamp(min=1))
        stretched = between(values[other], places, 1)
        if weights is not None:
            weights = torch.lerp(weights, weights[other], part)
        mixed = torch.lerp(values, stretched, part[:, None, None])
        return mixed, torch.lerp(labels, labels[other], part[:, None]), weights

    @torch.no_grad()
    def _taught(self, x: Tensor, starts: Tensor, lengths: Tensor, parts: Sequence[_Part]) -> list[Tensor]:
        """Return the teachers' mean probabilities (batch, classes) for each span, softened by the temperature."""
        probabilities = []
        for teacher in self.teachers:
            pooled = torch.stack(_pooled(teacher, x, starts, lengths, parts))
            probabilities.append(teacher.head.project(pooled).div(_TEMPERATURE).softmax(-1))
        return list(torch.stack(probabilities).mean(0))

    def _after_others(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Put some recordings behind the end of another one of the batch; return also where each starts, (batch,).

        This teaches the layers to start from the state that a stream leaves.
        """
        if not self.context_share:
            return x, torch.zeros_like(lengths)
        chosen = torch.rand(len(x), generator=self.generator) < self.context_share
        other = torch.randperm(len(x), generator=self.generator)
        starts = torch.where(chosen, lengths[other].clamp(max=self.context_frames), 0)
        before = _from(x[other], lengths[other] - starts, int(starts.max()))
        places = torch.arange(int((starts + lengths).max()))
        recording = _from(x, -starts, len(places))
        before_start = (places < starts[:, None])[..., None]
        return torch.where(
            before_start, functional.pad(before, (0, 0, 0, len(places) - before.shape[1])), recording
        ), starts

    def features(self, energies: Tensor) -> Tensor:
        """Compute the features of energies (batch, time, bands) like `AudioFeatures.apply`."""
        now = (energies.clamp(min=FLOOR) - torch.from_numpy(self.mean)) * torch.from_numpy(self.scale)
        if self.mean_share:
            now = now - self._running_means(now)
        steps = torch.arange(now.shape[1])
        return torch.cat([now, *(now - now[:, (steps - frames).clamp(min=0)] for frames in self.delta_frames)], 2)

    def _running_means(self, x: Tensor) -> Tensor:
        """Return running means of each band, (batch, time, bands), with the features' order of operations."""
        running, means = torch.zeros_like(x[:, 0]), []
        for frame in x.clamp(min=QUIETEST).unbind(1):
            running = running + self.mean_share * (frame - running)
            means.append(running)
        return torch.stack(means, 1)


def _pooled(module: NetworkModule, x: Tensor, starts: Tensor, lengths: Tensor, parts: Sequence[_Part]) -> list[Tensor]:
    """Return the head's pooled features (batch, features) of each span, for recordings that start at `starts`."""
    y, _ = module.encoder(module.inputs(x), lengths=starts + lengths)
    y = _from(y, starts, int(lengths.max()))
    return [module.head.pool(_from(y, part.first, int(part.steps.max())), part.steps) for part in parts]


def _from(x: Tensor, starts: Tensor, steps: int) -> Tensor:
    """x (batch, time, features) from a place of each sequence on, (batch, steps, features), clamped to its ends."""
    places = (torch.arange(steps) + starts[:, None]).clamp(0, x.shape[1] - 1)
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[2]))
