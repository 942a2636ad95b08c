"""Conversion of signals to vectors: channels are standardised, and a vector holds several steps.

Each channel's mean and standard deviation come from the training data alone, so that streams can use them.
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.errors import ConfigError, DataError, NotFittedError, ShapeError
from penstock.pauses import pause
from penstock.sequences import Sequences
from penstock.signals.arrays import signal_array

__all__ = ["SignalFeatures", "SignalStream", "signal_steps"]

# Approximate number of network steps for a signal of the median length: few enough to learn dependencies across it.
_NETWORK_STEPS = 64
# In standard deviations. Larger values carry no more information, and limiting them keeps products finite.
_LIMIT = 100.0
_FIELDS = ("stride", "width", "window", "mean", "scale")


class SignalFeatures:
    """Converts signals to the vectors that a network reads, one for every `stride` steps.

    A vector holds the last `width * stride` steps, the oldest first, each with its channels. Channels are scaled to
    mean 0 and standard deviation 1 in the training data. A missing value (NaN) is replaced by the channel's last value,
    or at the start of a signal by the channel's mean. Before its first step a signal is taken to have the values of
    that step; an incomplete last stride is filled with the last step.

    Args:
        stride: steps from one vector to the next; None for the stride that gives about 64 vectors for the median signal
            of the training data.
        width: number of strides that a vector looks back over.
        window: number of steps that a prediction may look back over, if each step has its own; None for one prediction
            per signal.
    """

    kind: ClassVar[str] = "signals"

    def __init__(self, *, stride: int | None = None, width: int = 8, window: int | None = None) -> None:
        self.stride = None if stride is None else check_whole("stride", stride, at_least=1)
        self.width = check_whole("width", width, at_least=1)
        self.window = None if window is None else check_whole("window", window, at_least=1)
        self._mean: NDArray[np.float64] | None = None
        self._scale: NDArray[np.float64] | None = None

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean of each channel, (channels,)."""
        if self._mean is None:
            raise NotFittedError("these SignalFeatures have no scale yet: call fit(signals) first")
        return self._mean

    @property
    def scale(self) -> NDArray[np.float64]:
        """The standard deviation of each channel, (channels,); 1 where a channel is constant."""
        if self._scale is None:
            raise NotFittedError("these SignalFeatures have no scale yet: call fit(signals) first")
        return self._scale

    @property
    def channels(self) -> int:
        """Number of channels of a signal."""
        return len(self.mean)

    @property
    def size(self) -> int:
        """Number of values in a vector."""
        return self.width * (self.stride or 1) * self.channels

    def fit(self, signals: Iterable[NDArray[Any]]) -> "SignalFeatures":
        """Fit scale, and stride if it is None, to the training signals, each (steps, channels).

        Raises:
            DataError: no signal, or a channel that has no value or one that is too large.
        """
        several = list(signals)
        values = np.concatenate([np.asarray(each, np.float64) for each in several]) if several else np.zeros((0, 1))
        seen = np.isfinite(values).sum(axis=0)
        if not seen.all():
            channel = int(np.flatnonzero(seen == 0)[0])
            raise DataError(
                f"channel {channel} (counted from 0) has no value in any training signal. Leave that channel out."
            )
        self._mean = np.nanmean(values, axis=0)
        with np.errstate(over="ignore"):
            spread = np.nanstd(values, axis=0)
        if not np.isfinite(spread).all():
            channel = int(np.flatnonzero(~np.isfinite(spread))[0])
            raise DataError(
                f"channel {channel} (counted from 0) must have values that can be squared; got one of size "
                f"{np.nanmax(np.abs(values[:, channel])):.3g}. If it stands for a missing value, use NaN instead."
            )
        # Rounding gives a constant channel a tiny spread, by which tiny differences must not be divided.
        flat = spread <= 1e-12 * np.nanmax(np.abs(values), axis=0)
        self._scale = np.where(flat, 1.0, spread)
        if self.stride is None:
            median = float(np.median([min(len(each), self.window or len(each)) for each in several]))
            self.stride = max(1, round(median / _NETWORK_STEPS))
        return self

    def windows(self, signal: NDArray[Any]) -> list[NDArray[Any]]:
        """Return for each step of a signal the last `window` steps up to it, fewer at the start; views."""
        assert self.window is not None
        return [signal[max(0, end - self.window) : end] for end in range(1, len(signal) + 1)]

    def apply(self, signals: Iterable[NDArray[Any]]) -> Sequences:
        """Return the vectors of each signal (steps, channels), float32 (total, size).

        Raises:
            ShapeError: a signal with another number of channels.
        """
        stream, parts, offsets = self.stream(), [np.zeros((0, self.size), np.float32)], [0]
        for signal in signals:
            stream.reset()
            parts += [stream.push(signal), stream.finish()]
            pause()
            offsets.append(offsets[-1] + len(parts[-2]) + len(parts[-1]))
        return Sequences(np.concatenate(parts), np.array(offsets, np.int64))

    def standardised(self, signal: NDArray[Any]) -> NDArray[np.float32]:
        """Return a whole signal (steps, channels), standardised and without missing values."""
        return self.stream().standardise(signal_steps(signal, self.channels))

    def vectors(self, standardised: Any) -> Any:
        """Return the vectors (signals, vectors, size) of equally long signals (signals, steps, channels).

        The same as `apply`, but from standardised values, of NumPy or PyTorch.
        """
        stride, (signals, steps) = self.stride or 1, standardised.shape[:2]
        ends = np.arange(stride, steps + stride, stride)  # the last may lie past the signal, which then repeats its end
        places = np.clip(ends[:, None] + np.arange(-self.width * stride, 0), 0, steps - 1)
        return standardised[:, places].reshape(signals, len(ends), self.size)

    def stream(self) -> "SignalStream":
        """Return a converter for a signal that arrives step by step."""
        return SignalStream(self)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        sizes = {"stride": self.stride, "width": self.width, "window": self.window}
        return {"kind": self.kind, **sizes, "mean": self.mean.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SignalFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing or unknown entries.
        """
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        if set(data) != {"kind", *_FIELDS}:
            raise ConfigError(f"signal features have {', '.join(_FIELDS)}; got {', '.join(sorted(map(str, data)))}")
        features = cls(**{name: data[name] for name in ("stride", "width", "window")})
        features._mean, features._scale = _numbers("mean", data["mean"]), _numbers("scale", data["scale"])
        if features.stride is None or len(features.mean) != len(features.scale) or not (features.scale > 0).all():
            raise ConfigError("signal features need a stride, and a mean and a scale above 0 for each channel")
        return features


class SignalStream:
    """Vectors of a signal that arrives step by step, bit for bit those of the whole signal; memory is constant."""

    def __init__(self, features: SignalFeatures) -> None:
        self._features = features
        self._stride = features.stride or 1
        self._recent = np.zeros((features.width * self._stride, features.channels), np.float32)
        self._last = np.zeros(features.channels, np.float32)
        self._seen = np.zeros(1, np.int64)

    def push(self, piece: Any) -> NDArray[np.float32]:
        """Return the vectors (new, size) that these steps complete.

        Args:
            piece: (steps, channels), or (channels,) for one step, or a number for one channel.

        Raises:
            DataError: the values are not finite numbers.
            ShapeError: another number of channels.
        """
        return self._vectors(self.standardise(signal_steps(piece, self._features.channels)))

    def finish(self) -> NDArray[np.float32]:
        """Return the vectors (0 or 1, size) of an incomplete last stride, filled with the last step."""
        missing = -int(self._seen[0]) % self._stride
        return self._vectors(np.repeat(self._recent[-1:], missing, axis=0))

    def reset(self) -> None:
        """Reset, to start the next signal."""
        for array in self.arrays().values():
            array[...] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the memory: the latest steps, each channel's last value, the number of steps."""
        return {"recent": self._recent, "last": self._last, "seen": self._seen}

    def standardise(self, steps: NDArray[Any]) -> NDArray[np.float32]:
        """Return the next steps (steps, channels), standardised and without missing values."""
        with np.errstate(over="ignore"):
            far = (steps.astype(np.float64) - self._features.mean) / self._features.scale
        values = np.clip(far, -_LIMIT, _LIMIT).astype(np.float32)
        present = ~np.isnan(values)
        if not present.all():
            known = np.concatenate([self._last[None], values])
            latest = np.where(present, np.arange(1, len(values) + 1)[:, None], 0)
            values = np.take_along_axis(known, np.maximum.accumulate(latest, axis=0), axis=0)
        if len(values):
            self._last[...] = values[-1]
        return values

    def _vectors(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(values) and not self._seen[0]:
            self._recent[...] = values[0]
        joined = np.concatenate([self._recent, values])
        first = -int(self._seen[0]) % self._stride or self._stride  # steps until a stride is complete
        ends = np.arange(first, len(values) + 1, self._stride)
        windows = sliding_window_view(joined, len(self._recent), axis=0)[ends]  # (new, channels, steps)
        self._seen += len(values)
        self._recent[...] = joined[len(values) :]
        return windows.transpose(0, 2, 1).reshape(len(ends), self._features.size)


def signal_steps(piece: Any, channels: int) -> NDArray[Any]:
    """Return steps of a signal as (steps, channels); (channels,) is one step, and with one channel (steps,) are many.

    Raises:
        DataError: the values are not finite numbers.
        ShapeError: another number of channels.
    """
    steps = signal_array(piece, "a piece of a signal")
    if steps.ndim == 0 or (steps.ndim == 1 and channels > 1):
        steps = steps.reshape(1, -1)
    elif steps.ndim == 1:
        steps = steps[:, None]
    if steps.ndim != 2 or steps.shape[1] != channels:
        raise ShapeError(
            f"a signal must be (steps, channels={channels}), as in training; got {np.shape(piece)}. Check the columns."
        )
    return steps


def _numbers(name: str, values: Any) -> NDArray[np.float64]:
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError):
        array = np.zeros(0)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ConfigError(f"the {name} of signal features must be finite numbers, one for each channel")
    return array
