"""An audio classifier at run time: predictions for recordings, or for samples as they arrive."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.audio.baselines import AudioBaselines
from penstock.audio.stream import Spotter, thresholds_of
from penstock.datasets.frames import table_column
from penstock.datasets.rows import Rows
from penstock.errors import ConfigError, DataError
from penstock.network import Numbers
from penstock.runtime.class_model import ClassModel
from penstock.runtime.columns import column_list
from penstock.runtime.question import Evidence
from penstock.runtime.reading import Reading
from penstock.runtime.tables import chosen_column
from penstock.sequences import Sequences
from penstock.sounds.features import AudioFeatures
from penstock.sounds.front import SoundFront
from penstock.sounds.recordings import Recording, recording_list

__all__ = ["AudioModel"]

_THRESHOLD = 0.7
_AT_ONCE = 512  # recordings whose features are held at once
_BAND_GROUPS = 6  # groups of neighbouring bands that occlusion leaves out together


class AudioModel(ClassModel):
    """An audio classifier without PyTorch; needs the extra `audio`.

    Inputs are recordings: paths of WAV, FLAC, MP3, Ogg or AIFF files, arrays of samples at the model's rate,
    (samples, rate), or `sounds.recordings.Recording`; or a table of pandas, Polars or Arrow whose column of recordings
    has the name of training, or `audio`. A stream's `push` takes samples at the model's rate,
    `model.features.sample_rate`.
    """

    task = "audio-classification"
    reads = "samples"
    view = "sound"
    names_files = True

    def check(self) -> None:
        """Check that the network's inputs are as many numbers as the features have."""
        super().check()
        inputs, size = self.network.inputs, self.features.size
        if not isinstance(inputs, Numbers) or inputs.size != size:
            raise ConfigError(f"an audio model needs inputs of {size} numbers, the size of its features; got {inputs}")

    @classmethod
    def read_features(cls, described: Mapping[str, Any]) -> AudioFeatures:
        """Read the filterbank's settings and scale."""
        return AudioFeatures.from_json(described)

    def read_baselines(self, arrays: Mapping[str, NDArray[Any]]) -> AudioBaselines:
        """Read the baselines: logistic regression on statistics, if there is one, and the most frequent class."""
        return AudioBaselines(arrays, self.features)

    def checked(self, inputs: Any) -> list[Recording]:
        """Return the recordings as a list, after reading files."""
        return recording_list(inputs, self.features.rate)

    def table_rows(self, table: Any, *, labelled: bool) -> Rows:
        """Read a table's column of paths or samples, and of labels."""
        audio = chosen_column(table, self.trained_column("audio"), usual="audio")
        label = chosen_column(table, self.trained_column("label"), usual="label") if labelled else None
        labels = None if label is None else column_list(table_column(table, label), f"the column {label}")
        return Rows(column_list(table_column(table, audio), f"the column {audio}"), labels)

    def encode(self, inputs: Sequence[Recording]) -> Sequences:
        """Return log-mel energies and their changes."""
        return self.features.apply(inputs)

    def outputs(self, inputs: Sequence[Recording]) -> NDArray[np.float32]:
        """See `SequenceModel.outputs`; the features of some recordings are held at a time."""
        if len(inputs) <= _AT_ONCE:
            return super().outputs(inputs)
        return np.concatenate([self.outputs(inputs[at : at + _AT_ONCE]) for at in range(0, len(inputs), _AT_ONCE)])

    def named(self, item: Recording) -> dict[str, Any]:
        """Return {"file": its name}; empty if it has none."""
        return {"file": item.name} if item.name else {}

    def reading(self, item: Any) -> Reading:
        """Return a recording as the layers read it, frame by frame."""
        (recording,) = self.checked([item])
        features = self.features
        frames = self.encode([recording])[0]
        loudness = frames[:, : features.mel_bins].mean(axis=1, keepdims=True)
        return self._reading(
            recording,
            unit="second",
            step=features.hop / features.rate,
            span=(features.window + max(features.delta_frames, default=0) * features.hop) / features.rate,
            properties={"position": np.arange(len(frames), dtype=float)[:, None], "loudness": loudness},
        )

    def evidence(self, one: Any) -> Evidence:
        """Return the energies of a recording's frames and bands; the baseline is each band's mean in training."""
        features = self.features
        energies = features.apply(self.checked([one])).values[:, : features.mel_bins]
        seconds = np.arange(len(energies)) * features.hop / features.rate
        hertz = features.band_hz()
        return Evidence(
            values=energies,
            baseline=np.zeros_like(energies),
            axes=("time", "band"),
            places={"time": [round(each, 4) for each in seconds.tolist()], "band": hertz},
            together=-(-features.mel_bins // _BAND_GROUPS),
            vectors=features.with_changes,
        )

    def answers(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield `file` (if it has a name), `prediction` and each label's `probability_<label>` for each input."""
        recordings = self.checked(self.given(inputs)[0])
        for recording, answer in zip(recordings, super().answers(recordings), strict=True):
            yield self.named(recording) | answer

    def spotter(
        self, words: Iterable[Any] | Mapping[Any, float] | None = None, *, threshold: float = _THRESHOLD
    ) -> Spotter:
        """Start a stream that detects words in endless sound, with their times and a score of each label per frame.

        Args:
            words: the labels to detect, or a dict with a threshold for each; all if None.
            threshold: the score above which a word counts as detected.

        Raises:
            ConfigError: a word is unknown, a threshold is invalid, or the model is bidirectional or does not pool by
                max.
        """
        if self.network.head.pooling != "max":
            raise ConfigError(
                f"a spotter needs a model with max pooling; this one has pooling {self.network.head.pooling}. "
                "Train one with pooling='max'."
            )
        return Spotter(self, thresholds_of(self.labels, words, threshold))

    def listen(self, words: Sequence[str] | None = None, threshold: float | None = None) -> Spotter:
        """Start a `spotter`; see `Model`."""
        return self.spotter(words, threshold=_THRESHOLD if threshold is None else threshold)

    @property
    def front(self) -> SoundFront:  # type: ignore[override]  # here it depends on the features
        """How samples become steps: a frame each."""
        return SoundFront(self.features)

    @property
    def sample_rate(self) -> int:  # type: ignore[override]  # here it depends on the features
        """Sample rate in Hz."""
        return self.features.rate

    def item(self, line: str) -> Recording:
        """Raise: a line cannot be a sound; `penstock stream DIR --raw` reads samples."""
        raise DataError(
            "an audio model streams samples, not lines. Pass --raw, and 16-bit little-endian samples at "
            f"{self.features.rate} Hz on standard input."
        )

    def info(self) -> dict[str, Any]:
        """Return `Model.info` with `sample_rate` added."""
        return super().info() | {"sample_rate": self.features.rate}
