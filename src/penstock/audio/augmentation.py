"""Augmentation of log-mel energies in training, so that models generalise to other voices, rooms and microphones.

It changes energies, frame by frame, which is much faster than changing samples, and is drawn again for each batch:
closer trimming of the ends, tempo and vocal tract length (Jaitly and Hinton 2013), sharper or more blurred spectra,
contrast, surrounding silence, loudness, the spectral colour of a microphone or room, coloured noise, and masked bands
and frames (SpecAugment, Park et al. 2019).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from penstock.errors import ConfigError
from penstock.sounds.features import FLOOR
from penstock.training.masks import random_span
from penstock.training.recipe import at_least

__all__ = ["Augmentation", "between"]

_NEPERS = math.log(10) / 10  # natural log of power per decibel
_KNOTS = 5  # of a random spectral colour


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Strength of the augmentation; 0 everywhere for none.

    Attributes:
        trim_share: share of the starts, and of the ends, that are trimmed of what is much quieter than the loudest
            frame.
        trim_db: (least, most) decibels below that frame from which frames are trimmed.
        stretch: the tempo changes by up to this share, log-uniformly.
        warp: bands move up or down by up to this share of their position.
        blur: each band moves towards, or away from, its neighbours' mean by up to this share, so that a voice's pitch,
            whose harmonics low bands resolve, matters less.
        contrast: energies move away from, or towards, their mean over the recording by up to this share, log-uniformly.
        shift_frames: up to this many silent frames are added before and after.
        gain_db: maximum change of loudness, up or down.
        color_db: spread of a random smooth gain over the bands.
        noise_share: share of the recordings that get coloured noise.
        noise_db: (least, most) decibels of the noise below the loudest frames.
        mel_mask: up to this many adjacent bands are masked.
        time_mask: up to this many adjacent frames, and a quarter of the recording, are masked.
    """

    trim_share: float = 0.0
    trim_db: tuple[float, float] = (8.0, 45.0)
    stretch: float = 0.0
    warp: float = 0.0
    blur: float = 0.0
    contrast: float = 0.0
    shift_frames: int = 0
    gain_db: float = 0.0
    color_db: float = 0.0
    noise_share: float = 0.0
    noise_db: tuple[float, float] = (15.0, 50.0)
    mel_mask: int = 0
    time_mask: int = 0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name not in ("trim_db", "noise_db"):
                at_least(name, value, 0, whole=name in ("shift_frames", "mel_mask", "time_mask"))
        for name in ("trim_share", "stretch", "warp", "blur", "contrast", "noise_share"):
            if getattr(self, name) > 1:
                raise ConfigError(f"{name} must be at most 1; got {getattr(self, name)!r}")

    def __call__(self, energies: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Augment energies (batch, time, bands) and lengths (batch,)."""
        energies, lengths = self._trimmed(energies, lengths, generator)
        energies, lengths = self._moved(energies, lengths, generator)
        energies = self._sharpened(energies, lengths, generator)
        energies, lengths = self._shifted(energies, lengths, generator)
        return self._noisy(self._colored(energies, generator), lengths, generator), lengths

    def masks(self, x: Tensor, bands: int, lengths: Tensor, generator: torch.Generator) -> Tensor:
        """Set some bands and frames of features (batch, time, a multiple of bands) to 0."""
        if self.mel_mask:
            hidden = random_span(bands, len(x), self.mel_mask, torch.full_like(lengths, bands), generator)
            x = x.masked_fill(hidden.repeat(1, x.shape[2] // bands)[:, None], 0.0)
        if self.time_mask:
            x = x.masked_fill(random_span(x.shape[1], len(x), self.time_mask, lengths, generator)[..., None], 0.0)
        return x

    def _trimmed(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if not self.trim_share:
            return x, lengths
        outside = torch.arange(x.shape[1]) >= lengths[:, None]
        loudness = x.logsumexp(2).masked_fill(outside, -torch.inf)
        low, high = self.trim_db
        below = _NEPERS * (low + (high - low) * torch.rand(2, len(x), 1, generator=generator))
        loud = (loudness >= loudness.amax(1, keepdim=True) - below).to(x.dtype)  # for the starts, for the ends
        cut = torch.rand(2, len(x), generator=generator) < self.trim_share
        first = torch.where(cut[0], loud[0].argmax(1), 0)  # the first 1
        end = torch.where(cut[1], x.shape[1] - loud[1].flip(1).argmax(1), lengths)
        # Both masks include the loudest frame, so that at least this frame is left.
        places = (torch.arange(int((end - first).max())) + first[:, None]).clamp(max=x.shape[1] - 1)
        return x.gather(1, places[..., None].expand(-1, -1, x.shape[2])), end - first

    def _moved(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        batch, _, bands = x.shape
        if self.stretch:
            factor = torch.exp(_even(batch, self.stretch, generator))
            stretched = (lengths * factor).long().clamp(min=1)
            step = (lengths - 1).clamp(min=0) / (stretched - 1).clamp(min=1)
            places = torch.arange(int(stretched.max())) * step[:, None]
            x, lengths = between(x, torch.minimum(places, (lengths - 1).clamp(min=0)[:, None]), 1), stretched
        if self.warp:
            factor = torch.exp(_even(batch, self.warp, generator))[:, None]
            x = between(x, (torch.arange(bands) * factor).clamp(max=bands - 1), 2)
        return x, lengths

    def _sharpened(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
        if self.blur:
            around = functional.pad(x, (1, 1), mode="replicate")
            neighbours = (around[..., :-2] + around[..., 2:]) / 2
            x = torch.lerp(x, neighbours, _even(len(x), self.blur, generator)[:, None, None])
        if self.contrast:
            valid = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]
            mean = (x * valid).sum(1, keepdim=True) / lengths.clamp(min=1)[:, None, None]
            x = torch.lerp(mean, x, torch.exp(_even(len(x), self.contrast, generator))[:, None, None])
        return x

    def _shifted(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if not self.shift_frames:
            return x, lengths
        before, after = torch.randint(0, self.shift_frames + 1, (2, len(x)), generator=generator)
        longer = lengths + before + after
        places = torch.arange(int(longer.max())) - before[:, None]
        valid = (places >= 0) & (places < lengths[:, None])
        rows = torch.arange(len(x))[:, None]
        values = x[rows, places.clamp(0, x.shape[1] - 1)]
        return torch.where(valid[..., None], values, FLOOR), longer

    def _colored(self, x: Tensor, generator: torch.Generator) -> Tensor:
        gain = _even(len(x), self.gain_db * _NEPERS, generator)[:, None]
        return x + (gain + self.color_db * _NEPERS * _color(x, generator))[:, None]

    def _noisy(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> Tensor:
        if not self.noise_share:
            return x
        batch, _, bands = x.shape
        valid = torch.arange(x.shape[1]) < lengths[:, None]
        loudest = x.amax(2).masked_fill(~valid, FLOOR).amax(1)
        low, high = self.noise_db
        level = loudest - _NEPERS * (low + (high - low) * torch.rand(batch, generator=generator))
        level = torch.where(torch.rand(batch, generator=generator) < self.noise_share, level, -torch.inf)
        level = level[:, None] + self.color_db * _NEPERS * _color(x, generator)
        # The log of a band's power varies less the wider the band is.
        spread = torch.linspace(1.2, 0.4, bands)
        return torch.logaddexp(x, level[:, None] + spread * torch.randn(x.shape, generator=generator))


def _even(count: int, most: float, generator: torch.Generator) -> Tensor:
    """Draw uniform numbers (count,) from -most to most."""
    return (2 * torch.rand(count, generator=generator) - 1) * most


def _color(x: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a random smooth curve over the bands for each recording, (batch, bands), with spread about 1."""
    knots = torch.randn(len(x), 1, _KNOTS, generator=generator)
    return functional.interpolate(knots, x.shape[2], mode="linear", align_corners=True)[:, 0]


def between(x: Tensor, places: Tensor, axis: int) -> Tensor:
    """Interpolate x (batch, time, bands) linearly at places (batch, new) along axis 1 or 2."""
    if axis == 2:
        return between(x.transpose(1, 2), places, 1).transpose(1, 2)
    below = places.long()
    above = (below + 1).clamp(max=x.shape[1] - 1)
    shape = (*places.shape, x.shape[2])
    earlier, later = (x.gather(1, index[..., None].expand(shape)) for index in (below, above))
    return torch.lerp(earlier, later, (places - below)[..., None])
