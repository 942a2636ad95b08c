"""Words found in a stream of sound, with the time at which each was said, as it goes on for ever.

At each frame the classifier answers from a short window of its layers' outputs alone, so that an old word doesn't stay;
its layers go on without a reset. Scores are smoothed over a few frames, and where a label's score is above a threshold
from one frame to another, it was heard once (Chen, Parada and Heigold 2014). Its time is that stretch's centre of
gravity, which lies at the word's end, where training taught the window to be sure.
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
"""The window: as in training."""

_SMOOTHED_SECONDS = 0.03
_LONGEST_SECONDS = 1.0  # above the threshold, after which a word is told without waiting for its end
_SILENT, _TOLD = -1, -2
_LEAST = np.finfo(np.float32).tiny


@dataclass(frozen=True)
class Word:
    """A word that was heard.

    label: which
    seconds: when it ended, from the stream's beginning
    score: its highest score
    """

    label: Any
    seconds: float
    score: float


@dataclass(frozen=True, eq=False)
class Heard:
    """What a push brought.

    seconds: (frames,) float64, where each frame ends, from the stream's beginning
    scores: (frames, labels) float32, smoothed, in the order of the model's labels
    words: those whose score has fallen again
    """

    seconds: NDArray[np.float64]
    scores: NDArray[np.float32]
    words: list[Word]


class Spotter(Stream):
    """Words spotted in a sound that doesn't end; memory, and work for a frame, stay the same.

    Made by `AudioModel.spotter`. An item is (time,) samples at the model's rate, any number; float from -1 to 1, or
    int16. A prediction is what was `Heard` in them; that of `finish` are the words that the end of the sound cut short.

    Args:
        model: pools over time by max.
        thresholds: (labels,) float32, the score from which on each counts as heard; above 1 for never.
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
        # Of each label's stretch above its threshold: the frame it began at, or one of the two below; sums over it.
        self._begun = np.empty(labels, np.int64)
        self._weight, self._moment, self._highest = (np.empty(labels, np.float32) for _ in range(3))
        self._clear()

    def as_json(self, prediction: Heard) -> dict[str, Any]:
        """{"seconds": t, "scores": {label: p}, "words": [...]}: the scores of the last frame, where there was one."""
        said = [
            {"word": word.label, "seconds": round(word.seconds, 4), "score": word.score} for word in prediction.words
        ]
        if len(prediction.seconds):
            scores = dict(zip(self._model.label_texts, prediction.scores[-1].tolist(), strict=True))
            return {"seconds": round(float(prediction.seconds[-1]), 4), "scores": scores, "words": said}
        return {"words": said} if said else {}

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
        """Features, the layers' states, the window, the last scores, what is being heard."""
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        own = {
            "outputs": self._outputs,
            "scores": self._scores,
            "frames": self._frames,
            "begun": self._begun,
            "weight": self._weight,
            "moment": self._moment,
            "highest": self._highest,
        }
        return features | dict(step_arrays(self._step, "encoder.")) | own

    def _bounds(self) -> dict[str, tuple[int, int]]:
        return super()._bounds() | {"begun": (_TOLD, 1 << 53)}

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
        """The probabilities (frames, labels) by the window that ends at each frame."""
        joined = np.concatenate([self._outputs, outputs])
        window = len(self._outputs) + 1
        highest = joined[window - 1 :].copy()
        for earlier in range(window - 1):
            np.maximum(highest, joined[earlier : earlier + len(outputs)], out=highest)
        self._outputs[:] = joined[len(joined) - window + 1 :]
        return engine.softmax(self._linear(highest + np.float32(0)))  # + 0: as the head has it

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
        """Take one frame's scores (labels,): the words that end with it."""
        above = scores >= self._thresholds
        for label in np.flatnonzero(above & (self._begun == _SILENT)):
            self._begun[label] = frame
            self._weight[label] = self._moment[label] = self._highest[label] = 0
        ended = (self._begun >= 0) & (~above | (frame - self._begun > round(_LONGEST_SECONDS / self._hop)))
        for label in np.flatnonzero(ended):
            yield self._word(label)
            self._begun[label] = _TOLD
        self._begun[~above] = _SILENT
        weighed = np.where(self._begun >= 0, scores, np.float32(0))
        self._weight += weighed
        self._moment += weighed * (frame - self._begun).astype(np.float32)
        np.maximum(self._highest, weighed, out=self._highest)

    def _word(self, label: Any) -> Word:
        """What is known of a label's stretch above its threshold: its middle, its highest score."""
        middle = self._begun[label] + self._moment[label] / max(self._weight[label], _LEAST)  # a state may be forged
        return Word(self._model.labels[label], float(self._seconds(middle)), float(self._highest[label]))

    @property
    def _hop(self) -> float:
        return self._model.features.hop / self._model.features.rate

    def _seconds(self, frames: Any) -> Any:
        """Where frames end, in seconds from the beginning."""
        features = self._model.features
        return (frames * features.hop + features.window) / features.rate


def thresholds_of(labels: list[Any], words: Iterable[Any] | Mapping[Any, float] | None, usual: float) -> Any:
    """The threshold of each label, (labels,) float32.

    Args:
        labels: the model's.
        words: those to hear, or those with a threshold each; None for all.
        usual: the threshold where none is given.

    Raises:
        ConfigError: an unknown word, or a threshold that isn't between 0 and 1.
    """
    if isinstance(words, str):
        words = [words]
    wanted = dict(words) if isinstance(words, Mapping) else dict.fromkeys(labels if words is None else words, usual)
    index = LabelIndex(labels)
    thresholds = np.full(len(labels), 2, np.float32)
    for word, threshold in wanted.items():
        place = index.find(word)
        if place is None:
            raise ConfigError(f"the model knows no {word!r:.80}; it knows {listed(labels)}")
        if not isinstance(threshold, int | float) or not 0 < threshold < 1:
            raise ConfigError(f"a threshold must be a number between 0 and 1; got {threshold!r} for {word!r}")
        thresholds[place] = threshold
    return thresholds
