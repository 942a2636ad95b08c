"""The objective of sounds: classes of recordings that are augmented anew in each batch, and distillation.

Recordings are mixed with their labels (mixup, Zhang et al. 2018), follow the end of others, as in a stream, and are
also scored by their last window alone, as a spotter hears it. A network may learn from the predictions of others
besides the labels (distillation, Hinton, Vinyals and Dean 2015).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from penstock.audio.augmentation import Augmentation, between
from penstock.audio.features import FLOOR, QUIETEST
from penstock.nn import NetworkModule
from penstock.training.classify import ClassObjective
from penstock.training.recipe import at_least
from penstock.training.sequence_objective import tensors

__all__ = ["SoundObjective"]

_TEMPERATURE = 2.0  # of distillation: what a teacher holds for less likely counts more


class _Part(NamedTuple):
    """A stretch of each recording that has a share of the loss."""

    share: float  # of the loss
    first: Tensor  # (batch,), from the recording's start; before it, the start
    steps: Tensor  # (batch,)


@dataclass(frozen=True, kw_only=True)
class SoundObjective(ClassObjective):
    """Cross-entropy of recordings, augmented anew in each batch.

    sequences: log-mel energies, as `AudioFeatures.log_mels` gives them; the validation's are whole features
    mean, scale: (bands,), as in `AudioFeatures.scale`
    delta_frames, mean_share: as in `AudioFeatures`
    augmentation: how recordings are changed
    mixup: both parameters of the beta distribution of the share in which a recording and its label are mixed with
        another one's; 0 for no mixing
    spot_share: as much again of the loss, for `window_frames` at the end of each recording alone, which close up to
        `late_frames` before it; silence that was put there comes on top
    context_share: of the recordings, that follow the end of another one, of up to `context_frames`
    teachers: trained networks; the network learns to predict their mean prediction for the same augmented recordings
    taught_share: of the loss, for the teachers' predictions; the rest is for the labels
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
        at_least("mixup", self.mixup, 0)

    def taught_by(self, teachers: Sequence[torch.nn.Module]) -> "SoundObjective":
        """The same objective with these trained networks as teachers; they are frozen."""
        frozen = [cast(NetworkModule, teacher.requires_grad_(False).eval()) for teacher in teachers]
        return replace(self, teachers=frozen)

    def loss(self, module: NetworkModule, batch: np.ndarray) -> tuple[Tensor, int]:
        """The loss of the recordings `batch`, augmented, dropout on."""
        values, lengths = tensors(self.sequences, batch)
        labels = functional.one_hot(torch.from_numpy(self.targets[batch]), len(self.weights)).to(values.dtype)
        weights = self.weights_of(batch)
        if self.mixup:
            values, labels, weights = self._mixed(values, lengths, labels, weights)
        x, starts, lengths = self.heard(values, lengths)
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
        """Each recording's loss (batch,) by shares of labels, and by the teachers' predictions, all (batch, classes).

        Gradients of soft targets shrink with the temperature's square, which is put back (Hinton et al. 2015).
        """
        smoothing = self.regularization.label_smoothing
        each = functional.cross_entropy(scores, labels, reduction="none", label_smoothing=smoothing)
        if taught is None:
            return each
        soft = functional.cross_entropy(scores / _TEMPERATURE, taught, reduction="none") * _TEMPERATURE**2
        return torch.lerp(each, soft, self.taught_share)

    def heard(self, energies: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Augmented recordings as features, with where each starts, and its new length."""
        energies, lengths = self.augmentation(energies, lengths, self.generator)
        energies, starts = self._after_others(energies, lengths)
        x = self.features(energies)
        return self.augmentation.masks(x, len(self.mean), lengths, self.generator), starts, lengths

    def parts(self, lengths: Tensor) -> list[_Part]:
        """The whole, a random prefix, and the last window alone, as a spotter hears it, a little before the end."""
        zero, prefix = torch.zeros_like(lengths), self.regularization.prefix_share
        found = [_Part(1 - prefix, zero, lengths)]
        if prefix:
            drawn = (torch.rand(len(lengths), generator=self.generator) * lengths).long() + 1
            found.append(_Part(prefix, zero, torch.minimum(drawn, lengths)))
        if self.spot_share:
            late = torch.randint(0, self.late_frames + 1, (len(lengths),), generator=self.generator)
            window = torch.full_like(lengths, self.window_frames)
            found.append(_Part(self.spot_share, lengths - late - window, window))
        return found

    def _mixed(
        self, values: Tensor, lengths: Tensor, labels: Tensor, weights: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Each recording with at most as much of another one, brought to its length; labels and weights alike.

        Energies are mixed as logarithms: what comes out is one sound between the two, not both at once.
        """
        other = torch.randperm(len(values), generator=self.generator)
        seed = int(torch.randint(2**31, (1,), generator=self.generator))  # PyTorch's beta has no generator of its own
        drawn = np.random.default_rng(seed).beta(self.mixup, self.mixup, len(values)).astype(np.float32)
        part = torch.from_numpy(np.minimum(drawn, 1 - drawn))
        last = (lengths - 1).clamp(min=0)[:, None]
        places = torch.arange(values.shape[1]).clamp(max=last) * (last[other] / last.clamp(min=1))
        brought = between(values[other], places, 1)
        if weights is not None:
            weights = torch.lerp(weights, weights[other], part)
        mixed = torch.lerp(values, brought, part[:, None, None])
        return mixed, torch.lerp(labels, labels[other], part[:, None]), weights

    @torch.no_grad()
    def _taught(self, x: Tensor, starts: Tensor, lengths: Tensor, parts: Sequence[_Part]) -> list[Tensor]:
        """The teachers' mean probabilities (batch, classes) for each part, softened by the temperature."""
        probabilities = []
        for teacher in self.teachers:
            pooled = torch.stack(_pooled(teacher, x, starts, lengths, parts))
            probabilities.append(teacher.head.project(pooled).div(_TEMPERATURE).softmax(-1))
        return list(torch.stack(probabilities).mean(0))

    def _after_others(self, x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Some recordings behind the end of another one of the batch, and where each then starts, (batch,).

        So the layers learn to start from the state that a stream left them.
        """
        if not self.context_share:
            return x, torch.zeros_like(lengths)
        chosen = torch.rand(len(x), generator=self.generator) < self.context_share
        other = torch.randperm(len(x), generator=self.generator)
        starts = torch.where(chosen, lengths[other].clamp(max=self.context_frames), 0)
        before = _from(x[other], lengths[other] - starts, int(starts.max()))
        places = torch.arange(int((starts + lengths).max()))
        own = _from(x, -starts, len(places))
        inside = (places < starts[:, None])[..., None]
        return torch.where(inside, functional.pad(before, (0, 0, 0, len(places) - before.shape[1])), own), starts

    def features(self, energies: Tensor) -> Tensor:
        """What `AudioFeatures.apply` makes of energies (batch, time, bands)."""
        now = (energies.clamp(min=FLOOR) - torch.from_numpy(self.mean)) * torch.from_numpy(self.scale)
        if self.mean_share:
            now = now - self._running_means(now)
        steps = torch.arange(now.shape[1])
        return torch.cat([now, *(now - now[:, (steps - frames).clamp(min=0)] for frames in self.delta_frames)], 2)

    def _running_means(self, x: Tensor) -> Tensor:
        """Of each band up to each frame, (batch, time, bands), with the features' own order of operations."""
        running, means = torch.zeros_like(x[:, 0]), []
        for frame in x.clamp(min=QUIETEST).unbind(1):
            running = running + self.mean_share * (frame - running)
            means.append(running)
        return torch.stack(means, 1)


def _pooled(module: NetworkModule, x: Tensor, starts: Tensor, lengths: Tensor, parts: Sequence[_Part]) -> list[Tensor]:
    """What the head sees of each part, (batch, features), of recordings that begin at `starts` of x."""
    y, _ = module.encoder(module.inputs(x), lengths=starts + lengths)
    y = _from(y, starts, int(lengths.max()))
    return [module.head.pool(_from(y, part.first, int(part.steps.max())), part.steps) for part in parts]


def _from(x: Tensor, starts: Tensor, steps: int) -> Tensor:
    """x (batch, time, features) from a place of each sequence on, (batch, steps, features); beyond an end, that end."""
    places = (torch.arange(steps) + starts[:, None]).clamp(0, x.shape[1] - 1)
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[2]))
