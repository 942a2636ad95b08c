"""Synthetic words from a small formant synthesiser, for demonstrations and tests without recordings.

Voiced sounds are sums of harmonics, shaped by the resonances of a vocal tract (Fant 1960; vowel formants after Peterson
and Barney 1952); fricatives and bursts are band-limited noise. A speaker has a pitch, a vocal tract length, a tempo and
a distance from the microphone. It is a toy and sounds like one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.sounds.recordings import Recording

__all__ = ["SYNTHETIC_WORDS", "synthetic_word", "synthetic_words"]

_RATE = 8000
_BANDWIDTHS_HZ = (80.0, 110.0, 160.0)


@dataclass(frozen=True)
class _Sound:
    """A speech sound: its formants, duration, loudness of voice and noise, and the noise's band."""

    formants_hz: tuple[float, float, float]
    seconds: float
    voice: float = 1.0
    noise: float = 0.0
    band_hz: tuple[float, float] = (0.0, 0.0)


_SOUNDS = {
    "a": _Sound((730, 1090, 2440), 0.16),
    "e": _Sound((530, 1840, 2480), 0.14),
    "i": _Sound((270, 2290, 3010), 0.14),
    "o": _Sound((570, 840, 2410), 0.16),
    "u": _Sound((300, 870, 2240), 0.14),
    "l": _Sound((360, 1100, 2700), 0.07, voice=0.5),
    "m": _Sound((250, 1100, 2200), 0.08, voice=0.35),
    "n": _Sound((250, 1600, 2600), 0.08, voice=0.35),
    "y": _Sound((280, 2200, 2900), 0.06, voice=0.6),
    "w": _Sound((300, 700, 2200), 0.07, voice=0.6),
    "s": _Sound((400, 1800, 2600), 0.12, voice=0.0, noise=0.25, band_hz=(2800, 3900)),
    "f": _Sound((400, 1200, 2300), 0.1, voice=0.0, noise=0.08, band_hz=(800, 3900)),
    "_": _Sound((400, 1500, 2500), 0.06, voice=0.0),
    "t": _Sound((400, 1800, 2600), 0.03, voice=0.0, noise=0.3, band_hz=(2200, 3900)),
    "p": _Sound((400, 1000, 2300), 0.03, voice=0.0, noise=0.25, band_hz=(300, 1300)),
    "k": _Sound((400, 1600, 2500), 0.03, voice=0.0, noise=0.3, band_hz=(1200, 2300)),
}

SYNTHETIC_WORDS = {
    "yes": "yes",
    "no": "nou",
    "stop": "s_to_p",
    "left": "lef_t",
    "wait": "wei_t",
    "computer": "kom_pyu_ta",
}
"""Each word and its sounds."""


def synthetic_words(
    count: int, generator: np.random.Generator, words: Sequence[str] = tuple(SYNTHETIC_WORDS)
) -> tuple[list[Recording], list[str]]:
    """Return recordings at 8 kHz of each word by `count` speakers, and their labels."""
    labels = [word for word in words for _ in range(count)]
    return [synthetic_word(word, generator) for word in labels], labels


def synthetic_word(word: str, generator: np.random.Generator) -> Recording:
    """Synthesise a word of SYNTHETIC_WORDS at 8 kHz, by a speaker that the generator draws.

    The samples contain only the word, with a little noise like that of a microphone.
    """
    tract, tempo = np.exp(generator.uniform(-0.15, 0.15)), np.exp(generator.uniform(-0.25, 0.25))
    pitch = generator.uniform(95, 220) * np.linspace(1.1, 0.85, 2)
    sounds = [_SOUNDS[sound] for sound in SYNTHETIC_WORDS[word]]
    lengths = [int(sound.seconds * tempo * np.exp(generator.normal(0, 0.1)) * _RATE) for sound in sounds]
    formants = _tracks(sounds, lengths) * tract
    voice, noise = (_loudness(sounds, lengths, name) for name in ("voice", "noise"))
    samples = _voiced(np.interp(np.arange(sum(lengths)), (0, sum(lengths)), pitch), formants) * voice
    hiss = np.concatenate(
        [_band(length, sound.band_hz, generator) for sound, length in zip(sounds, lengths, strict=True)]
    )
    samples += hiss * noise
    samples *= 0.5 * np.exp(generator.uniform(-1.5, 0)) / max(np.abs(samples).max(), 1e-9)
    samples += generator.normal(0, 10 ** generator.uniform(-4, -2.5), len(samples))
    return Recording(samples.astype(np.float32), _RATE, f"synthetic {word}")


def _tracks(sounds: Sequence[_Sound], lengths: Sequence[int]) -> NDArray[np.float64]:
    """Return formants (time, 3): each sound's at its middle, interpolated linearly."""
    middles = np.cumsum(lengths) - np.array(lengths) / 2
    return np.stack(
        [np.interp(np.arange(sum(lengths)), middles, [sound.formants_hz[k] for sound in sounds]) for k in range(3)],
        axis=1,
    )


def _loudness(sounds: Sequence[_Sound], lengths: Sequence[int], name: str) -> NDArray[np.float64]:
    """Return the loudness over time (time,), smoothed to avoid clicks between sounds."""
    steps = np.concatenate(
        [np.full(length, getattr(sound, name)) for sound, length in zip(sounds, lengths, strict=True)]
    )
    soft = np.hanning(int(0.012 * _RATE))
    return np.convolve(steps, soft / soft.sum(), mode="same")


def _voiced(pitch_hz: NDArray[np.float64], formants_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a sum of the pitch's harmonics through three resonances, (time,)."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / _RATE
    harmonics = np.arange(1, int(_RATE / 2 / pitch_hz.min()))[:, None]
    frequency = harmonics * pitch_hz
    gain = np.where(frequency < _RATE / 2, 1.0 / harmonics, 0.0)  # the voice falls by 6 dB an octave
    for number, bandwidth in enumerate(_BANDWIDTHS_HZ):
        center = formants_hz[:, number]
        ratio = frequency / center
        gain = gain / np.sqrt((1 - ratio**2) ** 2 + (bandwidth * ratio / center) ** 2)
    return (gain * np.sin(harmonics * phase)).sum(axis=0) / 20


def _band(length: int, band_hz: tuple[float, float], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return band-limited noise, (length,)."""
    spectrum = np.fft.rfft(generator.normal(size=length))
    frequency = np.fft.rfftfreq(length, 1 / _RATE)
    return np.fft.irfft(spectrum * ((frequency >= band_hz[0]) & (frequency <= band_hz[1])), length)
