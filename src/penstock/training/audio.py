"""Classes of sounds: what training does to log-mel energies, so that other voices, rooms and microphones are no news.

All of it happens to energies, frame by frame, which is much quicker than to samples, and anew for each batch:
other tempo and other length of the vocal tract (Jaitly and Hinton 2013), silence around, loudness, a microphone's or
room's colour, noise of any colour, and hidden bands and frames (SpecAugment, Park et al. 2019).
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from penstock.errors import ConfigError
from penstock.features.audio import FLOOR
from penstock.nn import NetworkModule
from penstock.training.classify import ClassObjective
from penstock.training.recipe import at_least

__all__ = ["Disturbance", "SoundObjective"]

_NEPERS = math.log(10) / 10  # natural log of power for a decibel
_KNOTS = 5  # of a random colour over the bands


@dataclass(frozen=True, kw_only=True)
class Disturbance:
    """How far training disturbs recordings; 0 everywhere for not at all.

    stretch: the tempo is changed by up to this share, drawn evenly on a log scale
    warp: the bands are moved up or down by up to this share of their place
    shift_frames: silent frames before and after, up to this many
    gain_db: louder or softer by up to this
    color_db: spread of a random smooth gain over the bands
    noise_share: of the recordings, that get noise of a random colour
    noise_db: (least, most) decibels that the noise lies below the loudest frames
    mel_mask: bands hidden at a random place, up to this many
    time_mask: frames hidden at a random place, up to this many and a quarter of the recording
    """

    stretch: float = 0.0
    warp: float = 0.0
    shift_frames: int = 0
    gain_db: float = 0.0
    color_db: float = 0.0
    noise_share: float = 0.0
    noise_db: tuple[float, float] = (15.0, 50.0)
    mel_mask: int = 0
    time_mask: int = 0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name != "noise_db":
                at_least(name, value, 0)
        for name in ("stretch", "warp", "noise_share"):
            if getattr(self, name) > 1:
                raise ConfigError(f"{name} must be at most 1; got {getattr(self, name)!r}")

    def __call__(self, energies: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Energies (batch, time, bands) and lengths (batch,) as training sees them, drawn anew."""
        energies, lengths = self._moved(energies, lengths, generator)
        energies, lengths = self._shifted(energies, lengths, generator)
        return self._noisy(self._colored(energies, generator), lengths, generator), lengths

    def masks(self, x: Tensor, bands: int, lengths: Tensor, generator: torch.Generator) -> Tensor:
        """Features (batch, time, a multiple of bands) with some bands and frames set to 0."""
        if self.mel_mask:
            hidden = _span(bands, len(x), self.mel_mask, torch.full_like(lengths, bands), generator)
            x = x.masked_fill(hidden.repeat(1, x.shape[2] // bands)[:, None], 0.0)
        if self.time_mask:
            x = x.masked_fill(_span(x.shape[1], len(x), self.time_mask, lengths, generator)[..., None], 0.0)
        return x

    def _moved(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        batch, _, bands = x.shape
        if self.stretch:
            factor = torch.exp(_even(batch, self.stretch, generator))
            stretched = (lengths * factor).long().clamp(min=1)
            step = (lengths - 1).clamp(min=0) / (stretched - 1).clamp(min=1)
            places = torch.arange(int(stretched.max())) * step[:, None]
            x, lengths = _between(x, torch.minimum(places, (lengths - 1).clamp(min=0)[:, None]), 1), stretched
        if self.warp:
            factor = torch.exp(_even(batch, self.warp, generator))[:, None]
            x = _between(x, (torch.arange(bands) * factor).clamp(max=bands - 1), 2)
        return x, lengths

    def _shifted(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if not self.shift_frames:
            return x, lengths
        before, after = torch.randint(0, self.shift_frames + 1, (2, len(x)), generator=generator)
        longer = lengths + before + after
        places = torch.arange(int(longer.max())) - before[:, None]
        inside = (places >= 0) & (places < lengths[:, None])
        rows = torch.arange(len(x))[:, None]
        found = x[rows, places.clamp(0, x.shape[1] - 1)]
        return torch.where(inside[..., None], found, FLOOR), longer

    def _colored(self, x: Tensor, generator: torch.Generator) -> Tensor:
        gain = _even(len(x), self.gain_db * _NEPERS, generator)[:, None]
        return x + (gain + self.color_db * _NEPERS * _color(x, generator))[:, None]

    def _noisy(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
        if not self.noise_share:
            return x
        batch, _, bands = x.shape
        inside = torch.arange(x.shape[1]) < lengths[:, None]
        loudest = x.amax(2).masked_fill(~inside, FLOOR).amax(1)
        low, high = self.noise_db
        level = loudest - _NEPERS * (low + (high - low) * torch.rand(batch, generator=generator))
        level = torch.where(torch.rand(batch, generator=generator) < self.noise_share, level, -torch.inf)
        level = level[:, None] + self.color_db * _NEPERS * _color(x, generator)
        # The log of a band's power varies less the wider the band is.
        spread = torch.linspace(1.2, 0.4, bands)
        return torch.logaddexp(x, level[:, None] + spread * torch.randn(x.shape, generator=generator))


@dataclass(frozen=True, kw_only=True)
class SoundObjective(ClassObjective):
    """Cross-entropy of recordings, disturbed anew in each batch.

    sequences: log-mel energies, as `AudioFeatures.log_mels` gives them; the validation's are whole features
    mean, scale: (bands,), as in `AudioFeatures.scale`
    delta_frames: as in `AudioFeatures`
    disturbance: what training does
    spot_share: as much again of the loss, for `window_frames` at the end of each recording alone, which close up to
        `late_frames` before it; silence that was put there comes on top
    context_share: of the recordings, that follow the end of another one, of up to `context_frames`
    """

    mean: np.ndarray
    scale: np.ndarray
    delta_frames: tuple[int, ...]
    disturbance: Disturbance
    context_share: float
    context_frames: int
    spot_share: float
    window_frames: int
    late_frames: int

    def encoded(self, module: NetworkModule, values: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's outputs for disturbed recordings, and their new lengths."""
        energies, lengths = self.disturbance(values, lengths, self.generator)
        energies, starts = self._after_others(energies, lengths)
        x = self.features(energies)
        x = self.disturbance.masks(x, len(self.mean), lengths, self.generator)
        y, _ = module.encoder(module.inputs(x), lengths=starts + lengths)
        return _from(y, starts, int(lengths.max())), lengths

    def further(
        self, module: NetworkModule, y: Tensor, values: Tensor, lengths: Tensor, target: Tensor
    ) -> Tensor | float:
        """The loss of the last window alone, as a spotter hears it, a little before or after the end."""
        if not self.spot_share:
            return 0.0
        late = torch.randint(0, self.late_frames + 1, (len(y),), generator=self.generator)
        window = _from(y, lengths - late - self.window_frames, self.window_frames)
        whole = torch.full_like(lengths, self.window_frames)
        return self.spot_share * self.pooled_loss(module, window, whole, target)

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
        return torch.where(
            inside, torch.nn.functional.pad(before, (0, 0, 0, len(places) - before.shape[1])), own
        ), starts

    def features(self, energies: Tensor) -> Tensor:
        """What `AudioFeatures.apply` makes of energies (batch, time, bands)."""
        now = (energies.clamp(min=FLOOR) - torch.from_numpy(self.mean)) * torch.from_numpy(self.scale)
        steps = torch.arange(now.shape[1])
        return torch.cat([now, *(now - now[:, (steps - frames).clamp(min=0)] for frames in self.delta_frames)], 2)


def _from(x: Tensor, starts: Tensor, steps: int) -> Tensor:
    """x (batch, time, features) from a place of each sequence on, (batch, steps, features); beyond an end, that end."""
    places = (torch.arange(steps) + starts[:, None]).clamp(0, x.shape[1] - 1)
    return x.gather(1, places[..., None].expand(-1, -1, x.shape[2]))


def _even(count: int, most: float, generator: torch.Generator) -> Tensor:
    """Numbers (count,) from -most to most."""
    return (2 * torch.rand(count, generator=generator) - 1) * most


def _color(x: Tensor, generator: torch.Generator) -> Tensor:
    """A random smooth curve over the bands for each of the batch, (batch, bands), of spread about 1."""
    knots = torch.randn(len(x), 1, _KNOTS, generator=generator)
    return torch.nn.functional.interpolate(knots, x.shape[2], mode="linear", align_corners=True)[:, 0]


def _between(x: Tensor, places: Tensor, axis: int) -> Tensor:
    """x (batch, time, bands) at places (batch, new) of axis 1 or 2, between two neighbours in proportion."""
    if axis == 2:
        return _between(x.transpose(1, 2), places, 1).transpose(1, 2)
    below = places.long()
    above = (below + 1).clamp(max=x.shape[1] - 1)
    shape = (*places.shape, x.shape[2])
    earlier, later = (x.gather(1, index[..., None].expand(shape)) for index in (below, above))
    return torch.lerp(earlier, later, (places - below)[..., None])


def _span(size: int, batch: int, most: int, lengths: Tensor, generator: torch.Generator) -> Tensor:
    """Where (batch, size) a random span lies, of up to `most` places and a quarter of each length."""
    width = (torch.rand(batch, generator=generator) * (torch.minimum(lengths // 4, torch.tensor(most)) + 1)).long()
    start = (torch.rand(batch, generator=generator) * (lengths - width + 1)).long()
    places = torch.arange(size)
    return (places >= start[:, None]) & (places < (start + width)[:, None])
