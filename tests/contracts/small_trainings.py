"""For each task the smallest training worth the name: an estimator, and data of the form that its `fit` takes."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import penstock

OPTIONS = {"hidden_size": 4, "epochs": 2, "batch_size": 8, "learning_rate": 0.02, "baseline": False}


@dataclass(frozen=True)
class Training:
    """name: as in the table of tasks, with a word after it where a task trains in several ways
    estimator: the class; options: its arguments
    data: returns the arguments of `fit`, for a seed
    """

    name: str
    estimator: Any
    options: dict[str, Any]
    data: Callable[[int], tuple[Any, ...]]

    def make(self, **changed: Any) -> Any:
        """An estimator that is not fitted."""
        return self.estimator(**(OPTIONS | self.options | changed))


def texts(seed: int) -> tuple[list[str], list[str]]:
    draw = random.Random(seed)
    words = [draw.choices(["good", "bad", "sea", "boat", "sun"], k=draw.randint(2, 5)) for _ in range(40)]
    return [" ".join(each) for each in words], ["yes" if "good" in each else "no" for each in words]


def signals(seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    draw = np.random.default_rng(seed)
    slopes = draw.uniform(0.5, 2, 40) * np.where(np.arange(40) % 2, 1, -1)
    return [np.linspace(-slope, slope, draw.integers(4, 9))[:, None] for slope in slopes], slopes


def directions(seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    found, slopes = signals(seed)
    return found, np.where(slopes > 0, "up", "down")


def recordings(seed: int) -> tuple[Any, ...]:
    from penstock.audio.synthetic_words import synthetic_words

    return synthetic_words(8, np.random.default_rng(seed), ["yes", "no"])


def series(seed: int) -> tuple[Any, ...]:
    draw = np.random.default_rng(seed)
    return ([np.sin(np.arange(80) / 2 + shift) + draw.normal(0, 0.1, 80) for shift in (0.0, 1.0)],)


def measurements(seed: int) -> tuple[np.ndarray]:
    draw = np.random.default_rng(seed)
    return (5 + np.sin(np.arange(200) / 5) + draw.normal(0, 0.1, 200),)


def sentences(seed: int) -> tuple[list[list[str]], list[list[str]]]:
    draw = random.Random(seed)
    found = [[draw.choice(["Ada", "Kurt"]), draw.choice(["sings", "sleeps"]), "."] for _ in range(40)]
    return found, [["B-PER", "O", "O"]] * 40


def corpus(seed: int) -> tuple[list[str]]:
    draw = random.Random(seed)
    return ([" ".join(draw.choices(["the", "cat", "sat", "on", "mat"], k=200))],)


def pairs(seed: int) -> tuple[list[str], list[str]]:
    draw = random.Random(seed)
    sources = ["".join(draw.choices("abcd", k=draw.randint(1, 4))) for _ in range(40)]
    return sources, [source[::-1].upper() for source in sources]


_SPELLED = {"word_size": 4, "character_size": 2, "character_hidden_size": 2}
_TRANSLATED = {"level": "char", "embedding_size": 4, "dropout": 0.2, "word_dropout": 0.1, "sampling_share": 0.3}
_FORECAST = {"horizon": 2, "context": 8, "season": 4}
_EXAMPLES = {"kind": "reconstruct", "window": 8}
_AWD = {"level": "char", "steps": 12, "recipe": "awd", "learning_rate": 1.0}

TRAININGS = [
    Training("text-classification", penstock.TextClassifier, {"embedding_size": 4}, texts),
    Training("series-classification", penstock.SeriesClassifier, {}, directions),
    Training("series-regression", penstock.SeriesRegressor, {}, signals),
    Training("audio-classification", penstock.AudioClassifier, {"mel_bins": 8, "teachers": 1}, recordings),
    Training("speech-recognition", penstock.SpeechRecognizer, {"mel_bins": 8, "batch_size": 4}, recordings),
    Training("forecasting", penstock.Forecaster, _FORECAST, series),
    Training("forecasting carried", penstock.Forecaster, _FORECAST | {"memory": "carried"}, series),
    Training("anomaly-detection", penstock.AnomalyDetector, {"chunk": 16}, measurements),
    Training("anomaly-detection examples", penstock.AnomalyDetector, _EXAMPLES, measurements),
    Training("tagging", penstock.Tagger, _SPELLED, sentences),
    Training("language-model", penstock.LanguageModel, _AWD, corpus),
    Training("translation", penstock.Translator, _TRANSLATED, pairs),
]
