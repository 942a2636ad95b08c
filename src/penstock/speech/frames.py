"""Features of speech that were made elsewhere, such as cepstra, in place of recordings: frames at a constant rate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.errors import ConfigError, DataError, NotFittedError, ShapeError
from penstock.sequences import Sequences
from penstock.sounds.file_recording import FileRecording
from penstock.sounds.recordings import Recording

__all__ = ["Frames", "GivenFrames", "GivenPieces", "between", "faster", "frame_array"]

_FIELDS = ("size", "frames_per_second", "mean_seconds")


@dataclass(frozen=True, eq=False)
class Frames:
    """The features of one recording, made elsewhere.

    Attributes:
        samples: (frames, features) float32.
        frames_per_second: their rate.
        name: the name, such as the id of an utterance.
        speaker: who speaks; empty if unknown.
    """

    samples: NDArray[np.float32]
    frames_per_second: float = 100.0
    name: str = ""
    speaker: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "samples", frame_array(self.samples, self.name or "frames"))

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.frames_per_second

    def spoken_by(self, speaker: str) -> "Frames":
        """Return the features with who speaks."""
        return replace(self, speaker=speaker)


def frame_array(values: Any, name: str, size: int | None = None) -> NDArray[np.float32]:
    """Convert features to float32 (frames, features).

    Args:
        values: (frames, features), or (features,) for one frame.
        name: what they are called in errors.
        size: number of features; None for any.

    Raises:
        ShapeError: another shape.
        DataError: they are not finite numbers.
    """
    try:
        with np.errstate(over="ignore"):  # infinity is reported below
            array = np.asarray(values, np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{name}: must be numbers (frames, features); got {values!r:.60}") from error
    array = array[None] if array.ndim == 1 and size is not None else array
    if array.ndim != 2 or (size is not None and array.shape[1] != size):
        wanted = "features" if size is None else f"features={size}"
        raise ShapeError(f"{name}: must be (frames, {wanted}); got {array.shape}")
    if not np.isfinite(array).all():
        raise DataError(f"{name}: must be finite numbers; got NaN or infinity. Repair it, or leave it out.")
    return np.ascontiguousarray(array)


class GivenFrames:
    """Scales features that were made elsewhere with the training data, as `sounds.features.AudioFeatures` does its own.

    Args:
        size: number of features of a frame; None for that of the training data.
        frames_per_second: rate of the frames; None for that of the training data.
        mean_seconds: time constant of a running mean of each feature, which starts at the training data's mean and is
            subtracted; 0 for none.
    """

    kind: ClassVar[str] = "frames"

    def __init__(
        self, *, size: int | None = None, frames_per_second: float | None = None, mean_seconds: float = 0.0
    ) -> None:
        if not isinstance(mean_seconds, int | float) or isinstance(mean_seconds, bool) or not 0 <= mean_seconds <= 3600:
            raise ConfigError(f"mean_seconds must be a number from 0 to 3600; got {mean_seconds!r}")
        self._size, self._rate, self.mean_seconds = size, frames_per_second, mean_seconds
        self._mean: NDArray[np.float32] | None = None
        self._scale: NDArray[np.float32] | None = None

    @property
    def size(self) -> int:
        """Number of features of a frame; NotFittedError before it is known."""
        if self._size is None:
            raise NotFittedError("these GivenFrames have no size yet: call fit(inputs) first")
        return self._size

    @property
    def frames_per_second(self) -> float:
        """Rate of the frames; NotFittedError before it is known."""
        if self._rate is None:
            raise NotFittedError("these GivenFrames have no rate yet: call fit(inputs) first")
        return self._rate

    @property
    def mean_share(self) -> float:
        """Weight of a frame in the running mean; 0 if none is subtracted."""
        return min(1 / (self.frames_per_second * self.mean_seconds), 1.0) if self.mean_seconds else 0.0

    @property
    def scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (mean, factor), each (size,): a feature is (value - mean) * factor. NotFittedError before `fit`."""
        if self._mean is None or self._scale is None:
            raise NotFittedError("these GivenFrames have no scale yet: call fit(inputs) first")
        return self._mean, self._scale

    def fit(self, inputs: Iterable[Frames]) -> "GivenFrames":
        """Fit the mean and spread of each feature, their number and their rate.

        Raises:
            DataError: there are no frames, or inputs differ in size or rate.
        """
        several = list(inputs)
        sizes = {each.samples.shape[1] for each in several}
        rates = {each.frames_per_second for each in several}
        if len(sizes) != 1 or len(rates) != 1:
            raise DataError(
                f"frames must all have the same features and rate; got {sorted(sizes)} features and {sorted(rates)} "
                "frames a second"
            )
        (self._size,), (self._rate,) = sizes, rates
        values = np.concatenate([each.samples for each in several]).astype(np.float64)
        if not len(values):
            raise DataError("there is no frame in the training data. Are these the right files?")
        self._mean = values.mean(axis=0).astype(np.float32)
        self._scale = (1 / np.maximum(values.std(axis=0), 1e-3)).astype(np.float32)
        return self

    def apply(self, inputs: Iterable[Frames]) -> Sequences:
        """Return a scaled vector for each frame of each input, float32 (frames, size)."""
        return Sequences.from_list([self.stream().push(each.samples) for each in inputs], np.float32)

    def stream(self) -> "GivenPieces":
        """Return a converter for frames that arrive piece by piece."""
        return GivenPieces(self)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        mean, scale = self.scale
        plain = {name: getattr(self, name) for name in _FIELDS}
        return {"kind": self.kind} | plain | {"mean": mean.tolist(), "scale": scale.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "GivenFrames":
        """Read the result of `to_json`; ConfigError if an entry is missing, unknown or invalid."""
        expected = {"kind", *_FIELDS, "mean", "scale"}
        if set(data) != expected:
            raise ConfigError(f"frames have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}")
        size, rate = data["size"], data["frames_per_second"]
        check_whole("the size of frames", size, at_least=1, at_most=1 << 16)
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 < rate <= 1e6:
            raise ConfigError(f"frames_per_second must be a number above 0, at most 1e6; got {rate!r:.40}")
        found = cls(**{name: data[name] for name in _FIELDS})
        for name in ("mean", "scale"):
            try:
                values = np.asarray(data[name], np.float32)
            except (TypeError, ValueError) as error:
                raise ConfigError(f"the {name} of frames must be numbers: {error}") from error
            if values.shape != (size,) or not np.isfinite(values).all():
                raise ConfigError(f"the {name} of frames must be {size} finite numbers")
            setattr(found, f"_{name}", values)
        return found


class GivenPieces:
    """Scaled vectors of frames that arrive piece by piece, with the same bits as for the whole.

    Args:
        frames: fitted.
    """

    def __init__(self, frames: GivenFrames) -> None:
        self._frames = frames
        self._running = np.zeros(frames.size, np.float32)

    def push(self, values: Any) -> NDArray[np.float32]:
        """Return the vectors (frames, size) of new frames: (frames, size), or (size,) for one.

        Raises:
            DataError, ShapeError: other values.
        """
        mean, scale = self._frames.scale
        now = (frame_array(values, "frames", self._frames.size) - mean) * scale
        if share := np.float32(self._frames.mean_share):
            for frame in now:
                self._running += share * (frame - self._running)
                frame -= self._running
        return now

    def finish(self) -> NDArray[np.float32]:
        """Return no vectors (0, size): none waits."""
        return np.zeros((0, self._frames.size), np.float32)

    def reset(self) -> None:
        """Start the next recording."""
        self._running[:] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the memory by name."""
        return {"running": self._running}


def faster(one: Recording | Frames, speed: float) -> Recording | Frames:
    """Return a recording as it sounds when it is played faster, at another pitch too; frames are interpolated."""
    if isinstance(one, FileRecording):
        one = one.loaded()
    if isinstance(one, Recording):
        return replace(one, sample_rate_hz=round(one.sample_rate_hz * speed))
    return replace(one, samples=between(one.samples, speed))


def between(values: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
    """Return frames (frames, features) at another speed, by linear interpolation between neighbours."""
    count = max(round(len(values) / speed), 1) if len(values) else 0
    places = np.linspace(0, max(len(values) - 1, 0), count)
    below = places.astype(np.int64)
    above = np.minimum(below + 1, len(values) - 1)
    share = (places - below).astype(np.float32)[:, None]
    return values[below] + share * (values[above] - values[below])
