"""Recordings as samples, from files (WAV, FLAC, MP3, Ogg, AIFF) or arrays, converted to one channel and one rate.

The extra `audio` is needed only to read a file (soundfile) or to change the sample rate (soxr).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from io import SEEK_SET, BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.decoded import Decoded
from penstock.errors import DataError, MissingExtraError, ShapeError
from penstock.pauses import pause

__all__ = [
    "AUDIO_ENDINGS",
    "Recording",
    "as_recording",
    "audio_module",
    "decode",
    "file_bytes",
    "read_recording",
    "recording_list",
    "resampled",
]

AUDIO_ENDINGS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aif", ".aiff")
"""File name endings of recordings in folders and zips. The format is detected from the content, whatever the name."""

MOST_CHANNELS = 16
_FULL_SCALE = 32768  # of 16-bit samples
_CLIPPED = 0.999  # of full scale
_LARGEST = 1e10  # the power of larger samples exceeds float32
_AT_ONCE = 1 << 20  # samples that are decoded before their number is checked
_RATES = (1_000, 1_000_000)  # in Hz; resampling from a rate far outside takes unbounded memory


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording.

    Attributes:
        samples: (time,) float32, one channel, full scale from -1 to 1.
        sample_rate_hz: the sample rate.
        name: the name, such as a file's path.
        channels: the number of channels before they were mixed into one.
        speaker: who speaks; empty if unknown.
    """

    samples: NDArray[np.float32]
    sample_rate_hz: int
    name: str = ""
    channels: int = 1
    speaker: str = ""

    @property
    def length(self) -> int:
        """Number of samples."""
        return len(self.samples)

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.length / self.sample_rate_hz

    @property
    def peak(self) -> float:
        """The largest absolute value of the samples; 0 without samples."""
        return float(np.abs(self.samples).max(initial=0.0))

    @property
    def clipped_share(self) -> float:
        """Share of the samples that are at full scale."""
        return float((np.abs(self.samples) >= _CLIPPED).mean()) if self.length else 0.0

    def spoken_by(self, speaker: str) -> "Recording":
        """Return the recording with who speaks."""
        return replace(self, speaker=speaker)


def as_recording(value: Any, sample_rate_hz: int | None) -> Recording:
    """Convert a path, samples, or (samples, rate) to a recording.

    Args:
        value: samples are (time,) or (time, channels), float from -1 to 1, or int16.
        sample_rate_hz: the rate of samples that have none; None if unknown.

    Raises:
        DataError: another type, a file that cannot be read, or samples that are not finite numbers.
        ShapeError: samples of another shape.
    """
    if isinstance(value, Recording):
        return value
    if isinstance(value, str | Path):
        return read_recording(value)
    if isinstance(value, tuple) and len(value) == 2:
        value, sample_rate_hz = value
    if sample_rate_hz is None:
        raise DataError("samples have no sample rate: give (samples, rate), or set sample_rate= for all")
    if not isinstance(sample_rate_hz, int | np.integer) or isinstance(sample_rate_hz, bool) or sample_rate_hz < 1:
        raise DataError(f"a sample rate must be a whole number of samples a second; got {sample_rate_hz!r}")
    samples = as_samples(value)
    return Recording(_mixed(samples), int(sample_rate_hz), channels=samples.shape[1] if samples.ndim == 2 else 1)


def as_samples(value: Any, name: str = "samples") -> NDArray[np.float32]:
    """Convert samples to float32 (time,) or (time, channels), full scale from -1 to 1; int16 is divided by 32768.

    Raises:
        DataError: other types, or NaN or infinity among them.
        ShapeError: another shape.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:  # lists of unequal lengths, or too deep
        raise DataError(f"{name} must be numbers (time,) or (time, channels); got {value!r:.60}") from error
    if array.dtype == np.int16:
        array = array.astype(np.float32) / np.float32(_FULL_SCALE)
    elif array.dtype.kind != "f" and array.size:
        raise DataError(f"{name} must be float from -1 to 1, or int16; got {array.dtype}. Divide by the full scale.")
    with np.errstate(over="ignore"):  # infinity is reported below
        array = np.ascontiguousarray(array, np.float32)
    if array.ndim not in (1, 2):
        raise ShapeError(f"{name} must be (time,) or (time, channels); got {array.shape}")
    if array.ndim == 2 and not 1 <= array.shape[1] <= MOST_CHANNELS:
        raise ShapeError(
            f"{name} must have 1 to {MOST_CHANNELS} channels, (time, channels); got {array.shape}. "
            "Transpose it if its first axis is the channels."
        )
    if not (np.abs(array) <= _LARGEST).all():  # False for NaN too
        raise DataError(
            f"{name} must be finite numbers, full scale from -1 to 1; got NaN or infinity, or beyond {_LARGEST:g}. "
            "Repair the recording, or leave it out."
        )
    return array


def read_recording(path: str | Path) -> Recording:
    """Read the recording in a file.

    Raises:
        DataError: the file does not exist or is not a recording.
        MissingExtraError: soundfile isn't installed.
    """
    return decode(file_bytes(path), str(path))


def file_bytes(path: str | Path) -> bytes:
    """Return what a file holds; DataError if it can't be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}") from error


def decode(data: bytes, name: str, decoded: Decoded | None = None) -> Recording:
    """Decode a recording: WAV, FLAC, MP3, Ogg, AIFF, or another format of libsndfile.

    Args:
        data: the file's content.
        name: its name, for messages.
        decoded: counts what was decoded, together with other recordings of one archive; None to count it alone.

    Raises:
        DataError: it is not such a file, is damaged, holds more than it may, or contains NaN.
        MissingExtraError: soundfile isn't installed.
    """
    soundfile = audio_module("soundfile", "reading recordings")
    try:
        samples, rate = _samples(soundfile, data, decoded or Decoded(name, len(data)))
    except DataError:
        raise
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        reason = str(error).split(": ")[-1].rstrip(".")
        raise DataError(f"{name}: can't be read as a recording: {reason}. Replace it, or leave it out.") from error
    if not _RATES[0] <= rate <= _RATES[1]:
        raise DataError(f"{name}: a recording's sample rate must be from {_RATES[0]} to {_RATES[1]} Hz; got {rate} Hz")
    try:
        return Recording(_mixed(as_samples(samples)), rate, name, samples.shape[1])
    except (DataError, ShapeError) as error:
        raise DataError(f"{name}: {error}") from error


def recording_list(inputs: Any, sample_rate_hz: int | None) -> list[Recording]:
    """Return the recordings as a list.

    Args:
        inputs: any number of values that `as_recording` takes.
        sample_rate_hz: the rate of samples that have none; None if unknown.

    Raises:
        DataError: the inputs are a single path or recording, or one of them is not a recording.
    """
    if isinstance(inputs, str | bytes | Recording) or not isinstance(inputs, Iterable):
        raise DataError(f"recordings must be a list; got {type(inputs).__name__}. Put a single one into a list.")
    if isinstance(inputs, np.ndarray) and inputs.ndim == 1 and inputs.dtype.kind in "fi":
        raise DataError("recordings must be a list; got one array of samples. Put a single one into a list.")
    recordings = []
    for position, each in enumerate(inputs):
        try:
            recordings.append(as_recording(each, sample_rate_hz))
        except DataError as error:
            if isinstance(each, str | Path):
                raise
            raise DataError(f"recording number {position}: {error}") from error
    return recordings


class _Seekable(BytesIO):
    """Damaged files make libsndfile look for places before the first byte; an error there could only be printed."""

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        return super().seek(max(offset, 0) if whence == SEEK_SET else offset, whence)


def _samples(soundfile: ModuleType, data: bytes, decoded: Decoded) -> tuple[NDArray[np.float32], int]:
    """Decode block by block: the header's number of samples may be anything."""
    with soundfile.SoundFile(_Seekable(data)) as file:
        size = max(_AT_ONCE // file.channels, 1)
        blocks = [np.zeros((0, file.channels), np.float32)]
        while len(block := file.read(size, dtype="float32", always_2d=True)):
            decoded.add(block.nbytes)
            blocks.append(block)
            pause()
        return np.concatenate(blocks), file.samplerate


def resampled(recording: Recording, sample_rate_hz: int) -> NDArray[np.float32]:
    """Return the samples (time,) at another rate, by soxr's high quality recipe; unchanged if the rate is the same."""
    samples = (
        recording.samples
    )  # once, because those of a `FileRecording` are decoded again whenever they are asked for
    if recording.sample_rate_hz == sample_rate_hz or not len(samples):
        return samples
    soxr = audio_module("soxr", "changing a recording's sample rate")
    return soxr.resample(samples, recording.sample_rate_hz, sample_rate_hz)


def audio_module(name: str, purpose: str) -> ModuleType:
    """Import a module of the extra `audio`.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(name)
    except (ImportError, OSError) as error:  # soundfile raises OSError if its library is missing
        raise MissingExtraError(f"{purpose} needs the extra audio: pip install 'penstock[audio]'") from error


def _mixed(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the channels, (time,)."""
    if samples.ndim == 1:
        return samples
    return samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1, dtype=np.float32)
