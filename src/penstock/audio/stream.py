"""Word spotting: detects words in an endless stream of sound, with the time at which each was spoken.

At each frame the classifier predicts from a short window of its layers' outputs, so that old words have no effect; the
layers run on without a reset. Scores are smoothed over a few frames; a span in which a label's score stays above a
threshold is one detection (Chen, Parada and Heigold 2014). Its time is the span's centre of gravity, which lies near
the word's end, because training used windows there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.errors import ConfigError
from penstock.labels import LabelIndex, listed
from penstock.runtime.stream import Stream, Traces, advance, step_arrays

if TYPE_CHECKING:
    from penstock.audio.model import AudioModel

__all__ = ["SPOT_SECONDS", "Heard", "Spotter", "Word", "thresholds_of"]

SPOT_SECONDS = 0.3
"""Length of the window, the same as in training."""

_SMOOTHED_SECONDS = 0.03
_LONGEST_SECONDS = 1.0  # time above the threshold after which a word is reported without waiting for its end
_SILENT, _REPORTED = -1, -2
_LEAST = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Word:
    """A detected word.

    Attributes:
        label: the word's label.
        seconds: when it ended, from the stream's start.
        score: its highest score.
    """

    label: Any
    seconds: float
    score: float


@dataclass(frozen=True, eq=False)
class Heard:
    """The result of a push.

    Attributes:
        seconds: (frames,) float64, the end of each frame from the stream's start.
        scores: (frames, labels) float32, smoothed, in the order of the model's labels.
        words: the words whose score has fallen below the threshold again.
    """

    seconds: NDArray[np.float64]
    scores: NDArray[np.float32]
    words: list[Word]


class Spotter(Stream):
    """Detects words in endless sound with constant memory and constant work per frame.

    Made by `AudioModel.spotter`. An item is (time,) samples at the model's rate, any number; float from -1 to 1, or
    int16. A prediction is a `Heard`; that of `finish` holds the words that the end of the sound cuts off.

    Args:
        model: a model with max pooling over time.
        thresholds: (labels,) float32, the score above which each label is detected; above 1 for never.
    """

    def __init__(self, model: "AudioModel", thresholds: NDArray[np.float32]) -> None:
        super().__init__("spotter", model)
        self._thresholds = thresholds
        self._features = model.features.stream()
        self._step = model.scorer.encoder.step()
        weight = model.tensors["head.weight"]
        self._linear = engine.Linear(weight, model.tensors["head.bias"])
        labels, outputs = weight.shape
        window = max(round(SPOT_SECONDS / model.features.hop_seconds), 1)
        self._outputs = np.empty((window - 1, outputs), np.float32)
        smoothed = max(round(_SMOOTHED_SECONDS / model.features.hop_seconds), 1)
        self._scores = np.empty((smoothed - 1, labels), np.float32)
        self._frames = np.empty(1, np.int64)
        # Each label's current span above its threshold: its first frame or a marker; sums over the span.
        self._begun = np.empty(labels, np.int64)
        self._weight, self._moment, self._highest = (np.empty(labels, np.float32) for _ in range(3))
        self._clear()

    def as_json(self, prediction: Heard) -> dict[str, Any]:
        """Return {"seconds": t, "scores": {label: p}, "words": [...]}, with the last frame's scores, if any."""
        words = [
            {"word": word.label, "seconds": round(word.seconds, 4), "score": word.score} for word in prediction.words
        ]
        if len(prediction.seconds):
            scores = dict(zip(self._model.label_texts, prediction.scores[-1].tolist(), strict=True))
            return {"seconds": round(float(prediction.seconds[-1]), 4), "scores": scores, "words": words}
        return {"words": words} if words else {}

    def _push(self, item: Any, traces: Traces | None) -> Heard:
        vectors = self._features.push(item)
        outputs = np.empty((len(vectors), self._outputs.shape[1]), np.float32)
        for row, vector in enumerate(vectors):
            outputs[row] = advance(self._step, vector[None], traces)[0]
        scores = self._smoothed(self._predictions(outputs))
        first = int(self._frames[0])
        words = [word for row, score in enumerate(scores) for word in self._follow(first + row, score)]
        self._frames[0] += len(scores)
        return Heard(self._seconds(first + np.arange(len(scores))), scores, words)

    def _whole(self) -> Heard:
        words = [self._word(label) for label in np.flatnonzero(self._begun >= 0)]
        return Heard(np.zeros(0), np.zeros((0, len(self._thresholds)), np.float32), words)

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Arrays of the features, the layers' states, the window, the last scores and the current spans."""
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        spotter = {
            "outputs": self._outputs,
            "scores": self._scores,
            "frames": self._frames,
            "begun": self._begun,
            "weight": self._weight,
            "moment": self._moment,
            "highest": self._highest,
        }
        return features | dict(step_arrays(self._step, "encoder.")) | spotter

    def _bounds(self) -> dict[str, tuple[int, int]]:
        return super()._bounds() | {"begun": (_REPORTED, 1 << 53)}

    def _forget(self) -> None:
        self._features.reset()
        self._step.reset()
        self._clear()

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, self._thresholds

    def _clear(self) -> None:
        self._outputs[:] = -np.inf
        self._begun[:] = _SILENT
        for array in (self._scores, self._frames, self._weight, self._moment, self._highest):
            array[:] = 0

    def _predictions(self, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities (frames, labels) for the window that ends at each frame."""
        joined = np.concatenate([self._outputs, outputs])
        window = len(self._outputs) + 1
        highest = joined[window - 1 :].copy()
        for earlier in range(window - 1):
            np.maximum(highest, joined[earlier : earlier + len(outputs)], out=highest)
        self._outputs[:] = joined[len(joined) - window + 1 :]
        return engine.softmax(self._linear(highest + np.float32(0)))  # + 0 as in the head

    def _smoothed(self, predictions: NDArray[np.float32]) -> NDArray[np.float32]:
        joined = np.concatenate([self._scores, predictions])
        frames = len(self._scores) + 1
        total = joined[frames - 1 :].copy()
        for earlier in range(frames - 1):
            total += joined[earlier : earlier + len(predictions)]
        self._scores[:] = joined[len(joined) - frames + 1 :]
        total /= np.float32(frames)
        return total

    def _follow(self, frame: int, scores: NDArray[np.float32]) -> Iterator[Word]:
        """Process one frame's scores (labels,) and yield the words that end with it."""
        above = scores >= self._thresholds
        for label in np.flatnonzero(above & (self._begun == _SILENT)):
            self._begun[label] = frame
            self._weight[label] = self._moment[label] = self._highest[label] = 0
        ended = (self._begun >= 0) & (~above | (frame - self._begun > round(_LONGEST_SECONDS / self._hop)))
        for label in np.flatnonzero(ended):
            yield self._word(label)
            self._begun[label] = _REPORTED
        self._begun[~above] = _SILENT
        weights = np.where(self._begun >= 0, scores, np.float32(0))
        self._weight += weights
        self._moment += weights * (frame - self._begun).astype(np.float32)
        np.maximum(self._highest, weights, out=self._highest)

    def _word(self, label: Any) -> Word:
        """Return the word of a label's span: its centre and highest score."""
        middle = self._begun[label] + self._moment[label] / max(self._weight[label], _LEAST)  # a state may be forged
        return Word(self._model.labels[label], float(self._seconds(middle)), float(self._highest[label]))

    @property
    def _hop(self) -> float:
        return self._model.features.hop / self._model.features.rate

    def _seconds(self, frames: Any) -> Any:
        """Return the end of frames in seconds from the start."""
        features = self._model.features
        return (frames * features.hop + features.window) / features.rate


def thresholds_of(labels: list[Any], words: Iterable[Any] | Mapping[Any, float] | None, usual: float) -> Any:
    """Return the threshold of each label, (labels,) float32.

    Args:
        labels: the model's labels.
        words: the words to detect, or a dict of a threshold for each; None for all.
        usual: the threshold where none is given.

    Raises:
        ConfigError: an unknown word, or a threshold that is not between 0 and 1.
    """
    if isinstance(words, str):
        words = [words]
    wanted = dict(words) if isinstance(words, Mapping) else dict.fromkeys(labels if words is None else words, usual)
    index = LabelIndex(labels)
    thresholds = np.full(len(labels), 2, np.float32)
    for word, threshold in wanted.items():
        place = index.find(word)
        if place is None:
            raise ConfigError(f"the model has no label {word!r:.80}; its labels are {listed(labels)}")
        if not isinstance(threshold, int | float) or not 0 < threshold < 1:
            raise ConfigError(f"a threshold must be a number between 0 and 1; got {threshold!r} for {word!r}")
        thresholds[place] = threshold
    return thresholds
