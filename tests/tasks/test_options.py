"""Options that are numbers: what makes no sense is one clear error, before anything is trained."""

import dataclasses
import math

import numpy as np
import pytest

from penstock import (
    AudioClassifier,
    Forecaster,
    SeriesClassifier,
    SeriesRegressor,
    SpeechRecognizer,
    Tagger,
    TextClassifier,
)
from penstock.errors import ConfigError

SIGNALS = np.random.default_rng(0).normal(size=(16, 6, 1))
SOUNDS = [(np.random.default_rng(row).normal(size=900).astype(np.float32) / 9, 8000) for row in range(16)]
KINDS = {
    TextClassifier: ["a b", "c d"] * 8,
    Tagger: [["ab", "b"], ["c"]] * 8,
    SeriesClassifier: SIGNALS,
    SeriesRegressor: SIGNALS,
    AudioClassifier: SOUNDS,
    SpeechRecognizer: SOUNDS,
    Forecaster: np.sin(np.arange(80.0)),
}
COUNTS = (1.5, "2", -1, True, math.nan, math.inf)
SHARES = ("2", -1, math.nan, math.inf)


class Never:
    """Training does not begin."""

    def on_start(self, *_):
        raise AssertionError("training began")


def numbers(kind):
    """The options of an estimator that are numbers, each with values that make no sense."""
    for field in dataclasses.fields(kind):
        words = str(field.type)
        if "int" in words or "float" in words:
            yield from ((field.name, value) for value in (SHARES if "float" in words else COUNTS))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_invalid_numbers_are_refused_before_training(kind):
    labels = SIGNALS[:, 0, 0] if kind is SeriesRegressor else ["x", "y"] * 8
    labels = [["x", "y"], ["x"]] * 8 if kind is Tagger else labels
    data = (KINDS[kind],) if kind is Forecaster else (KINDS[kind], labels)
    accepted = []
    for name, value in numbers(kind):
        options = {"hidden_size": 4, "epochs": 1, "baseline": False} | {name: value}
        try:
            kind(**options).fit(*data, callbacks=[Never()])
        except ConfigError:
            continue
        except AssertionError:
            accepted.append((name, value))
    assert accepted == [("clip", math.inf), ("verbose", True)]  # no limit; 1, as in scikit-learn
