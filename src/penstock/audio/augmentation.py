"""What training does to log-mel energies, so that other voices, rooms and microphones are no news.

All of it happens to energies, frame by frame, which is much quicker than to samples, and anew for each batch: closer
cuts at the ends, other tempo and other length of the vocal tract (Jaitly and Hinton 2013), sharper or more blurred
spectra, more or less contrast, silence around, loudness, a microphone's or room's colour, noise of any colour, and
hidden bands and frames (SpecAugment, Park et al. 2019).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from penstock.audio.features import FLOOR
from penstock.errors import ConfigError
from penstock.training.recipe import at_least

__all__ = ["Augmentation", "between"]

_NEPERS = math.log(10) / 10  # natural log of power for a decibel
_KNOTS = 5  # of a random colour over the bands


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far training augments recordings; 0 everywhere for not at all.

    trim_share: of the beginnings, and of the ends, from which what is much quieter than the loudest frame is cut off,
        as other people cut their recordings closer
    trim_db: (least, most) decibels that it must lie below that frame
    stretch: the tempo is changed by up to this share, drawn evenly on a log scale
    warp: the bands are moved up or down by up to this share of their place
    blur: each band is moved towards its neighbours' mean by up to this share of the way, or away from it, so that a
        voice's pitch, whose harmonics low bands resolve, counts less
    contrast: energies lie further from their mean over the recording, or nearer to it, by up to this share, drawn
        evenly on a log scale
    shift_frames: silent frames before and after, up to this many
    gain_db: louder or softer by up to this
    color_db: spread of a random smooth gain over the bands
    noise_share: of the recordings, that get noise of a random colour
    noise_db: (least, most) decibels that the noise lies below the loudest frames
    mel_mask: bands hidden at a random place, up to this many
    time_mask: frames hidden at a random place, up to this many and a quarter of the recording
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
                at_least(name, value, 0)
        for name in ("trim_share", "stretch", "warp", "blur", "contrast", "noise_share"):
            if getattr(self, name) > 1:
                raise ConfigError(f"{name} must be at most 1; got {getattr(self, name)!r}")

    def __call__(self, energies: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Energies (batch, time, bands) and lengths (batch,) as training sees them, drawn anew."""
        energies, lengths = self._trimmed(energies, lengths, generator)
        energies, lengths = self._moved(energies, lengths, generator)
        energies = self._sharpened(energies, lengths, generator)
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

    def _trimmed(self, x: Tensor, lengths: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if not self.trim_share:
            return x, lengths
        outside = torch.arange(x.shape[1]) >= lengths[:, None]
        loudness = x.logsumexp(2).masked_fill(outside, -torch.inf)
        low, high = self.trim_db
        below = _NEPERS * (low + (high - low) * torch.rand(2, len(x), 1, generator=generator))
        loud = (loudness >= loudness.amax(1, keepdim=True) - below).to(x.dtype)  # beginnings' view, ends' view
        cut = torch.rand(2, len(x), generator=generator) < self.trim_share
        first = torch.where(cut[0], loud[0].argmax(1), 0)  # the first 1
        end = torch.where(cut[1], x.shape[1] - loud[1].flip(1).argmax(1), lengths)
        # The loudest frame is in both views, so that at least it is left.
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
            inside = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]
            mean = (x * inside).sum(1, keepdim=True) / lengths.clamp(min=1)[:, None, None]
            x = torch.lerp(mean, x, torch.exp(_even(len(x), self.contrast, generator))[:, None, None])
        return x

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


def _even(count: int, most: float, generator: torch.Generator) -> Tensor:
    """Numbers (count,) from -most to most."""
    return (2 * torch.rand(count, generator=generator) - 1) * most


def _color(x: Tensor, generator: torch.Generator) -> Tensor:
    """A random smooth curve over the bands for each of the batch, (batch, bands), of spread about 1."""
    knots = torch.randn(len(x), 1, _KNOTS, generator=generator)
    return functional.interpolate(knots, x.shape[2], mode="linear", align_corners=True)[:, 0]


def between(x: Tensor, places: Tensor, axis: int) -> Tensor:
    """x (batch, time, bands) at places (batch, new) of axis 1 or 2, between two neighbours in proportion."""
    if axis == 2:
        return between(x.transpose(1, 2), places, 1).transpose(1, 2)
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
