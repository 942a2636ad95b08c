"""Synthetic spoken words: trained on some voices, classified in others, and detected in a stream.

`datasets.synthetic_words` generates the sounds; they are easier to classify than human speech.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from penstock.bundle import plain
from penstock.runtime.resampling import BETTER

if TYPE_CHECKING:
    from penstock.audio.model import AudioModel

__all__ = ["KEYWORD", "learn", "listen", "measure"]

KEYWORD = "stop"
"""The word to detect in the stream."""

_VOICES = {"train": 40, "test": 15}
_SAID = 12  # the number of words in the stream
_TOLERANCE_SECONDS = 0.15


def learn(folder: Path) -> "AudioModel":
    """Train on synthetic words, save the model in a folder and load it without PyTorch."""
    from penstock.audio.estimator import AudioClassifier
    from penstock.runtime import load

    classifier = AudioClassifier(
        hidden_size=64,
        num_layers=1,
        trim_share=0.0,
        stretch=0.0,
        epochs=24,
        teachers=0,
        learning_rate=0.005,
        average=0.98,
        random_state=0,
    )
    classifier.fit(*_words("train"))
    classifier.save(folder, overwrite=True)
    return cast("AudioModel", load(folder))


def measure(model: "AudioModel") -> dict[str, Any]:
    """Score the model and the baselines on other voices; `scores` is the result of `AudioModel.evaluate`."""
    recordings, labels = _words("test")
    found = model.evaluate(recordings, labels)
    return {
        "rows": {part: voices * len(model.labels) for part, voices in _VOICES.items()},
        "scores": plain(found),
        "as_expected": found["baseline_verdicts"]["majority"]["accuracy"] == BETTER,
    }


def listen(model: "AudioModel") -> dict[str, Any]:
    """Detect the keyword in a stream of words, in voices that were not in training.

    Returns:
        `said`: [{"word", "seconds"}], the end of each word in the stream; `heard`: each detection of the keyword, with
        its `score`; `seconds` and `scores`: the keyword's score over time; `as_expected`: whether each keyword was
        detected within 150 ms, without false alarms.
    """
    samples, said = _stream()
    spotter = model.spotter([KEYWORD])
    heard = spotter.push(samples)
    words = heard.words + spotter.finish().words
    ends = [each["seconds"] for each in said if each["word"] == KEYWORD]
    return {
        "keyword": KEYWORD,
        "said": said,
        "heard": [{"word": word.label, "seconds": word.seconds, "score": word.score} for word in words],
        "seconds": heard.seconds.tolist(),
        "scores": heard.scores[:, model.labels.index(KEYWORD)].tolist(),
        "as_expected": len(words) == len(ends)
        and all(abs(word.seconds - end) <= _TOLERANCE_SECONDS for word, end in zip(words, ends, strict=True)),
    }


def _words(part: str) -> Any:
    from penstock.audio.synthetic_words import synthetic_words

    return synthetic_words(_VOICES[part], np.random.default_rng(list(_VOICES).index(part)))


def _stream() -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Return samples at 8 kHz of several words with short pauses, and the end of each word."""
    from penstock.audio.synthetic_words import SYNTHETIC_WORDS, synthetic_word

    generator = np.random.default_rng(2)
    order = generator.permutation(np.resize([*SYNTHETIC_WORDS], _SAID))
    parts, said, length = [np.zeros(4000, np.float32)], [], 4000
    for word in map(str, order):
        recording = synthetic_word(word, generator)
        pause = np.zeros(int(generator.uniform(0.1, 0.4) * recording.sample_rate_hz), np.float32)
        length += len(recording.samples)
        said.append({"word": word, "seconds": length / recording.sample_rate_hz})
        length += len(pause)
        parts += [recording.samples, pause]
    return np.concatenate(parts), said
