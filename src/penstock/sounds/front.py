"""How a sound becomes the steps of a network, as a program without Python would have to do it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sounds.features import AudioFeatures

__all__ = ["ENERGY_FLOOR", "PREEMPHASIS", "SoundFront", "band_weights", "window_shape"]

PREEMPHASIS = 0.97
"""Kaldi's: each sample loses this share of the one before."""
ENERGY_FLOOR = 1.1920929e-07
"""Kaldi's: no energy of a band is lower, before its logarithm."""


@dataclass(frozen=True)
class SoundFront:
    """What makes steps from samples.

    Attributes:
        frames: fitted.
        stack: frames of a step, side by side.
        subsampling: frames from one step to the next.
        tokens: for a recogniser of speech the text of each score of a step, the blank's first and empty; else empty.
    """

    frames: AudioFeatures
    stack: int = 1
    subsampling: int = 1
    tokens: tuple[str, ...] = ()


def window_shape(size: int) -> NDArray[np.float64]:
    """Return Kaldi's window ("povey") of `size` samples."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / (size - 1))) ** 0.85


def band_weights(frames: AudioFeatures, fourier_size: int) -> NDArray[np.float64]:
    """Return the weight of each frequency in each band, (bands, fourier_size / 2): triangles on Kaldi's mel scale."""
    corners = np.linspace(_mel(frames.lowest_hz), _mel(frames.highest_hz or frames.rate / 2), frames.mel_bins + 2)
    places = _mel(np.arange(fourier_size // 2) * frames.rate / fourier_size)
    rising = (places - corners[:-2, None]) / (corners[1] - corners[0])
    return np.maximum(0, np.minimum(rising, 2 - rising))


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127 * np.log1p(np.asarray(hertz) / 700)
