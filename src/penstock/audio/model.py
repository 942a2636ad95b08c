"""A classifier of sounds at work: recordings in, labels and probabilities out; or samples as they come."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.audio.baselines import AudioBaselines
from penstock.audio.features import AudioFeatures
from penstock.audio.recordings import Recording, as_recording
from penstock.audio.stream import Spotter, thresholds_of
from penstock.errors import ConfigError, DataError
from penstock.network import Numbers
from penstock.runtime.class_model import ClassModel
from penstock.sequences import Sequences

__all__ = ["AudioModel", "recording_list"]

_THRESHOLD = 0.7


class AudioModel(ClassModel):
    """A classifier of sounds without PyTorch; needs the extra `audio`.

    Inputs are recordings: paths of WAV, FLAC, MP3, Ogg or AIFF files, arrays of samples at the model's rate,
    (samples, rate), or `audio.recordings.Recording`. What a stream is pushed are samples at the model's rate:
    `model.features.sample_rate`.
    """

    task = "audio-classification"
    reads = "samples"
    view = "sound"

    def check(self) -> None:
        """Numbers, as many as the features have."""
        super().check()
        inputs, size = self.network.inputs, self.features.size
        if not isinstance(inputs, Numbers) or inputs.size != size:
            raise ConfigError(f"an audio model needs inputs of {size} numbers, as its features have; got {inputs}")

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> AudioFeatures:
        """The filterbank and its scale."""
        return AudioFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> AudioBaselines:
        """Summary statistics with logistic regression where there is one, and the commonest class."""
        return AudioBaselines(arrays, self.features)

    def checked(self, inputs: Any) -> list[Recording]:
        """The recordings as a list, files read."""
        return recording_list(inputs, self.features.rate)

    def encode(self, inputs: Sequence[Recording]) -> Sequences:
        """Log-mel energies and their changes."""
        return self.features.apply(inputs)

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """For each input its `file`, where it has a name, `prediction`, and each label's `probability_<label>`."""
        recordings = self.checked(inputs)
        for recording, answer in zip(recordings, super().answers(recordings), strict=True):
            yield ({"file": recording.name} if recording.name else {}) | answer

    def spotter(
        self, words: Iterable[Any] | Mapping[Any, float] | None = None, *, threshold: float = _THRESHOLD
    ) -> Spotter:
        """Words heard in a sound that doesn't end, with their times, and a score of each label for each frame.

        Args:
            words: the labels to hear, or a threshold for each; all if None.
            threshold: the score above which a word counts as heard.

        Raises:
            ConfigError: an unknown word, a threshold that makes no sense, or a model that is bidirectional or pools
                otherwise than by max.
        """
        if self.network.head.pooling != "max":
            raise ConfigError(
                f"a spotter needs a model that pools by max; this one pools by {self.network.head.pooling}. "
                "Train one with pooling='max'."
            )
        return Spotter(self, thresholds_of(self.labels, words, threshold))

    def listen(self, words: Sequence[str] | None = None, threshold: float | None = None) -> Spotter:
        """See `Model`; a `spotter`."""
        return self.spotter(words, threshold=_THRESHOLD if threshold is None else threshold)

    @property
    def sample_rate(self) -> int:  # type: ignore[override]  # here it depends on the features
        """Samples a second."""
        return self.features.rate

    def item(self, line: str) -> Recording:
        """Lines are no samples: `penstock stream DIR --raw` reads those."""
        raise DataError(
            "a model for sounds streams samples, not lines. Give --raw, and 16-bit little-endian samples at "
            f"{self.features.rate} a second on standard input."
        )

    def info(self) -> dict[str, Any]:
        """As `Model.info`, and `sample_rate`."""
        return super().info() | {"sample_rate": self.features.rate}


def recording_list(inputs: Any, sample_rate_hz: int | None) -> list[Recording]:
    """The recordings as a list.

    Args:
        inputs: what `as_recording` takes, any number.
        sample_rate_hz: of samples that come without a rate; None if that isn't known.

    Raises:
        DataError: a single path or recording, or something in it is no recording; it says which.
    """
    if isinstance(inputs, str | bytes | Recording) or not isinstance(inputs, Iterable):
        raise DataError(f"recordings must be a list; got {type(inputs).__name__}. Put a single one into a list.")
    if isinstance(inputs, np.ndarray) and inputs.ndim == 1 and inputs.dtype.kind in "fi":
        raise DataError("recordings must be a list; got one array of samples. Put a single one into a list.")
    found = []
    for position, each in enumerate(inputs):
        try:
            found.append(as_recording(each, sample_rate_hz))
        except DataError as error:
            if isinstance(each, str | Path):
                raise
            raise DataError(f"recording number {position}: {error}") from error
    return found
