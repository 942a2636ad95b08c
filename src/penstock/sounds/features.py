"""Audio features: log-mel energies and their changes, frame by frame; the same bits whole or in pieces.

A frame depends only on its window of samples (kaldi-native-fbank, Kaldi's `snip_edges`), and a change is the difference
to an earlier frame; the scale of each mel band comes from the training data. An unknown microphone or room shifts the
energies of a band permanently, so each band can be taken relative to its running mean, like RASTA's filter (Hermansky
and Morgan 1994). The memory between pieces is a window of samples, a few frames, and these means.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.errors import ConfigError, DataError, NotFittedError
from penstock.pauses import pause
from penstock.sequences import Sequences
from penstock.sounds.recordings import Recording, as_samples, audio_module, resampled

__all__ = ["FLOOR", "QUIETEST", "AudioFeatures", "AudioPieces"]

_LOWEST_RATE, _HIGHEST_RATE = 4000, 192_000
# Seconds of samples that are converted to frames at once, so that memory does not grow with a long recording.
_SECONDS_AT_ONCE = 5
# About the noise of a 16-bit converter in one band: lower energies, such as digital silence, are inaudible.
FLOOR = -15.0
_FIELDS = (
    "sample_rate",
    "mel_bins",
    "window_seconds",
    "hop_seconds",
    "lowest_hz",
    "highest_hz",
    "mean_seconds",
    "delta_frames",
)
# In standard deviations of the training data. Quieter energies count as this in a running mean, so that pauses do not
# lower it.
QUIETEST = -1.5


class AudioFeatures:
    """Converts recordings to sequences of vectors: log-mel energies, scaled with the training data, and their changes.

    Args:
        sample_rate: sample rate in Hz to which recordings are converted; None for the most frequent one in training.
        mel_bins: bands on the mel scale.
        window_seconds, hop_seconds: length of a frame, and distance from one frame to the next.
        lowest_hz, highest_hz: limits of the bands; None for half the sample rate.
        mean_seconds: time constant of a running mean of each band, which starts at the training data's mean and is
            subtracted; 0 for none.
        delta_frames: for each number n, the changes of all bands since n frames ago are features too (Furui 1986).
    """

    kind: ClassVar[str] = "audio"

    def __init__(
        self,
        *,
        sample_rate: int | None = None,
        mel_bins: int = 24,
        window_seconds: float = 0.03,
        hop_seconds: float = 0.02,
        lowest_hz: float = 20.0,
        highest_hz: float | None = None,
        mean_seconds: float = 0.0,
        delta_frames: Sequence[int] = (2,),
    ) -> None:
        self.sample_rate = sample_rate
        self.mel_bins = check_whole("mel_bins", mel_bins, at_least=4, at_most=256)
        self.window_seconds = _checked_number("window_seconds", window_seconds, 0.002, 1)
        self.hop_seconds = _checked_number("hop_seconds", hop_seconds, 0.001, self.window_seconds)
        self.lowest_hz = _checked_number("lowest_hz", lowest_hz, 0, _HIGHEST_RATE / 2)
        self.highest_hz = highest_hz
        self.mean_seconds = _checked_number("mean_seconds", mean_seconds, 0, 3600)
        self.delta_frames = tuple(
            check_whole("delta_frames", frames, at_least=1, at_most=100) for frames in delta_frames
        )
        self._mean: NDArray[np.float32] | None = None
        self._scale: NDArray[np.float32] | None = None
        if sample_rate is not None:
            self._check_rate(sample_rate)

    @property
    def size(self) -> int:
        """Number of features of a frame."""
        return self.mel_bins * (1 + len(self.delta_frames))

    @property
    def rate(self) -> int:
        """Sample rate in Hz; NotFittedError before it is known."""
        if self.sample_rate is None:
            raise NotFittedError("these AudioFeatures have no sample rate yet: call fit(recordings) first")
        return self.sample_rate

    @property
    def window(self) -> int:
        """Number of samples of a frame."""
        return round(self.window_seconds * self.rate)

    @property
    def hop(self) -> int:
        """Number of samples from one frame to the next."""
        return max(round(self.hop_seconds * self.rate), 1)

    @property
    def mean_share(self) -> float:
        """Weight of a frame in the running mean; 0 if none is subtracted."""
        return min(self.hop_seconds / self.mean_seconds, 1.0) if self.mean_seconds else 0.0

    def fit(self, recordings: Iterable[Recording]) -> "AudioFeatures":
        """Fit the mean and spread of each band, and the sample rate if none was given.

        Raises:
            DataError: no recording is as long as one frame.
        """
        recordings = list(recordings)
        if self.sample_rate is None and recordings:
            rates = Counter(recording.sample_rate_hz for recording in recordings)
            self.sample_rate = max(rates, key=lambda rate: (rates[rate], rate))
        self._check_rate(self.sample_rate)
        total, squares, frames = np.zeros(self.mel_bins), np.zeros(self.mel_bins), 0
        for recording in recordings:
            values = self.log_mel(resampled(recording, self.rate)).astype(np.float64)
            total, squares, frames = total + values.sum(0), squares + (values**2).sum(0), frames + len(values)
        if not frames:
            raise DataError(f"no recording is as long as one frame, {self.window_seconds} s. Are they the right files?")
        mean = total / frames
        spread = np.sqrt(np.maximum(squares / frames - mean**2, 0))
        self._mean = mean.astype(np.float32)
        self._scale = (1 / np.maximum(spread, 1e-3)).astype(np.float32)
        return self

    def apply(self, recordings: Iterable[Recording]) -> Sequences:
        """Return a vector for each whole frame of each recording, float32 (frames, size), after resampling."""
        return self._sequences(self._whole(recording) for recording in recordings)

    def log_mels(self, recordings: Iterable[Recording]) -> Sequences:
        """Return the unscaled log-mel energies of each recording, float32 (frames, mel_bins), for augmentation."""
        sequences = self._sequences(self.log_mel(resampled(recording, self.rate)) for recording in recordings)
        return sequences if len(sequences) else Sequences(np.zeros((0, self.mel_bins), np.float32), sequences.offsets)

    def log_mel(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the log-mel energies (frames, mel_bins) of samples (time,) at the right rate."""
        frames = max((len(samples) - self.window) // self.hop + 1, 0)
        values = np.empty((frames, self.mel_bins), np.float32)
        at_once = max(int(_SECONDS_AT_ONCE * self.rate) // self.hop, 1)
        for first in range(0, frames, at_once):
            last = min(first + at_once, frames)
            bank = _bank(self.rate, self.window, self.hop, self.mel_bins, self.lowest_hz, self.highest_hz)
            span = samples[first * self.hop : (last - 1) * self.hop + self.window]
            bank.accept_waveform(self.rate, span.tolist())  # it reads numbers one by one, which is faster from a list
            for frame in range(first, last):
                values[frame] = bank.get_frame(frame - first)
            pause()
        return np.maximum(values, np.float32(FLOOR), out=values)

    @property
    def scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (mean, factor), each (mel_bins,): a band is (energy - mean) * factor. NotFittedError before `fit`."""
        if self._mean is None or self._scale is None:
            raise NotFittedError("these AudioFeatures have no scale yet: call fit(recordings) first")
        return self._mean, self._scale

    def with_changes(self, energies: Any) -> Any:
        """Return the vectors (sounds, frames, size) of equally long sounds (sounds, frames, mel_bins).

        The same as `apply`, but from the first `mel_bins` features of its vectors, of NumPy or PyTorch.
        """
        frames = np.arange(energies.shape[1])
        before = [energies[:, np.maximum(frames - ago, 0)] for ago in self.delta_frames]
        return array_namespace(energies).concat([energies, *(energies - each for each in before)], axis=-1)

    def band_hz(self) -> list[int]:
        """Return the middle of each band in Hz; the middles are equally far apart on Kaldi's mel scale."""
        highest = self.rate / 2 if self.highest_hz is None else self.highest_hz
        low, high = (1127 * np.log1p(hertz / 700) for hertz in (self.lowest_hz, highest))
        mels = np.linspace(low, high, self.mel_bins + 2)[1:-1]
        return [round(hertz) for hertz in (700 * np.expm1(mels / 1127)).tolist()]

    def stream(self) -> "AudioPieces":
        """Return a converter for a sound that arrives piece by piece."""
        return AudioPieces(self)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        mean, scale = self.scale
        plain = {name: getattr(self, name) for name in _FIELDS} | {"delta_frames": list(self.delta_frames)}
        return {"kind": self.kind} | plain | {"mean": mean.tolist(), "scale": scale.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "AudioFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing or unknown entries.
        """
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        data = {"mean_seconds": 0.0} | dict(data)  # models saved before there was a running mean
        expected = {"kind", *_FIELDS, "mean", "scale"}
        if set(data) != expected:
            raise ConfigError(
                f"audio features have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}"
            )
        if not isinstance(data["delta_frames"], list) or data["sample_rate"] is None:
            raise ConfigError("audio features need a sample_rate, and delta_frames as a list")
        features = cls(**{name: data[name] for name in _FIELDS})
        for name in ("mean", "scale"):
            try:
                values = np.asarray(data[name], np.float32)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"the {name} of audio features must be numbers: {error}") from error
            if values.shape != (features.mel_bins,) or not np.isfinite(values).all():
                raise ConfigError(f"the {name} of audio features must be {features.mel_bins} finite numbers")
            setattr(features, f"_{name}", values)
        return features

    def _whole(self, recording: Recording) -> NDArray[np.float32]:
        return self.stream().push(resampled(recording, self.rate))

    def _sequences(self, parts: Iterable[NDArray[np.float32]]) -> Sequences:
        found = list(parts)
        offsets = np.zeros(len(found) + 1, np.int64)
        np.cumsum([len(part) for part in found], out=offsets[1:])
        return Sequences(np.concatenate(found) if found else np.zeros((0, self.size), np.float32), offsets)

    def _check_rate(self, rate: Any) -> None:
        self.sample_rate = check_whole("sample_rate", rate, at_least=_LOWEST_RATE, at_most=_HIGHEST_RATE)
        highest = self.sample_rate / 2 if self.highest_hz is None else self.highest_hz
        if not isinstance(highest, int | float) or not self.lowest_hz < highest <= self.sample_rate / 2:
            raise ConfigError(
                f"highest_hz must be above lowest_hz={self.lowest_hz:g} and at most half of the sample rate, "
                f"{self.sample_rate / 2:g}; got {self.highest_hz!r}"
            )


class AudioPieces:
    """Vectors of a sound that arrives piece by piece: bit for bit those of the whole sound.

    Args:
        features: fitted.
    """

    def __init__(self, features: AudioFeatures) -> None:
        self._features = features
        self._longest = max(features.delta_frames, default=0)
        # Samples that belong to later frames, and their number; the last frames, and whether there were any; the
        # running mean.
        self._tail = np.zeros(features.window, np.float32)
        self._past = np.zeros((self._longest, features.mel_bins), np.float32)
        self._held = np.zeros(1, np.int64)
        self._begun = np.zeros(1, np.int64)
        self._running = np.zeros(features.mel_bins, np.float32)

    def push(self, samples: Any) -> NDArray[np.float32]:
        """Return the vectors (frames, size) of the frames that these samples complete.

        Args:
            samples: (time,) at the features' rate, any number; float from -1 to 1, or int16. Several channels,
                (time, channels), are mixed into one.

        Raises:
            DataError, ShapeError: the samples have another type or shape.
        """
        new = as_samples(samples)
        new = new.mean(axis=1, dtype=np.float32) if new.ndim == 2 else new
        joined = np.concatenate([self._tail[: self._held[0]], new])
        log_mel = self._features.log_mel(joined)
        remaining = joined[len(log_mel) * self._features.hop :]
        self._tail[: len(remaining)] = remaining
        self._tail[len(remaining) :] = 0  # equal states are equal bytes
        self._held[0] = len(remaining)
        return self._vectors(log_mel)

    def finish(self) -> NDArray[np.float32]:
        """Return no vectors (0, size): the remaining samples are less than a frame."""
        return np.zeros((0, self._features.size), np.float32)

    def reset(self) -> None:
        """Reset, to start the next sound."""
        for array in self.arrays().values():
            array[...] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the memory by name."""
        return {
            "tail": self._tail,
            "past": self._past,
            "held": self._held,
            "begun": self._begun,
            "running": self._running,
        }

    def _vectors(self, log_mel: NDArray[np.float32]) -> NDArray[np.float32]:
        mean, scale = self._features.scale
        now = (log_mel - mean) * scale
        if not len(now):
            return np.zeros((0, self._features.size), np.float32)
        if share := np.float32(self._features.mean_share):
            for frame in now:
                self._running += share * (np.maximum(frame, QUIETEST) - self._running)
                frame -= self._running
        if not self._begun[0]:  # the first frame has no changes
            self._past[:] = now[0]
            self._begun[0] = 1
        joined = np.concatenate([self._past, now])
        ago = (joined[self._longest - frames :][: len(now)] for frames in self._features.delta_frames)
        vectors = np.concatenate([now, *(now - before for before in ago)], axis=1)
        self._past[:] = joined[len(joined) - self._longest :]
        return vectors


def _bank(rate: int, window: int, hop: int, bins: int, lowest: float, highest: float | None) -> Any:
    """Make a filterbank with no input yet; it returns natural logarithms of powers."""
    return audio_module("kaldi_native_fbank", "log-mel features").OnlineFbank(
        _options(rate, window, hop, bins, lowest, highest)
    )


@cache
def _options(rate: int, window: int, hop: int, bins: int, lowest: float, highest: float | None) -> Any:
    options = audio_module("kaldi_native_fbank", "log-mel features").FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.samp_freq, frame.dither, frame.snip_edges = rate, 0.0, True
    # Kaldi multiplies by the rate and truncates: adding half a sample ensures the right number.
    frame.frame_length_ms, frame.frame_shift_ms = (window + 0.5) * 1000 / rate, (hop + 0.5) * 1000 / rate
    mel.num_bins, mel.low_freq, mel.high_freq = bins, lowest, 0.0 if highest is None else highest
    return options


def _checked_number(name: str, value: Any, least: float, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise ConfigError(f"{name} must be a number from {least:g} to {most:g}; got {value!r}")
    return float(value)
