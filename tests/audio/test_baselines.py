"""The baseline of sounds from arrays: as scikit-learn has it, and what is said of damaged arrays."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from penstock.audio.baseline_training import fit_baseline
from penstock.audio.baselines import AudioBaselines, statistics
from penstock.audio.model import AudioModel
from penstock.errors import BundleError
from penstock.sequences import Sequences
from penstock.sounds.features import AudioFeatures
from penstock.tasks.labelled import Part


@pytest.mark.parametrize("words", [["yes", "no", "stop"], ["yes", "no"]], ids=["three classes", "two classes"])
def test_probabilities_are_scikit_learns(words, spoken):
    rows = [(sound, words.index(word)) for sound, word in zip(*spoken, strict=True) if word in words]
    part = Part([sound for sound, _ in rows], np.array([target for _, target in rows]))
    features = AudioFeatures(mel_bins=8).fit(part.inputs)
    arrays, settings = fit_baseline(part, part, features, np.ones(len(words)), candidates=[0.1])
    assert settings == {"C": 0.1, "candidates": [0.1], "statistics": 2 * features.size}
    found = AudioBaselines(arrays, features)
    assert found.names == ("statistics", "majority")
    x = statistics(features.apply(part.inputs))
    expected = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000)).fit(x, part.targets)
    # the arrays are kept as float32
    np.testing.assert_allclose(found.answers("statistics", part.inputs), expected.predict_proba(x), atol=1e-4)
    np.testing.assert_allclose(found.answers("majority", part.inputs), 1 / len(words))


def test_statistics_of_nothing_are_zeros():
    values = np.arange(8, dtype=np.float32).reshape(4, 2)
    found = statistics(Sequences(values, np.array([0, 0, 4])))
    assert found.tolist() == [[0, 0, 0, 0], [3, 4, np.sqrt(5), np.sqrt(5)]]


def test_a_class_that_training_lacks_leaves_the_majority(spoken):
    part = Part(spoken[0][:8], np.zeros(8, np.int64))
    arrays, settings = fit_baseline(part, part, AudioFeatures(mel_bins=8).fit(part.inputs), np.ones(2))
    assert (arrays["class_counts"].tolist(), settings) == ([8, 0], {})


def test_damaged_arrays(audio_model: AudioModel):
    arrays = {"class_counts": np.array([1, 2, 3]), "mean": np.zeros(48), "scale": np.ones(48)}
    with pytest.raises(BundleError, match="lacks coef, intercept"):
        AudioBaselines(arrays, audio_model.features)
    arrays |= {"coef": np.zeros((2, 48)), "intercept": np.zeros(3)}
    with pytest.raises(BundleError, match=r"coef \(classes=3, statistics\).*\(2, 48\)"):
        AudioBaselines(arrays, audio_model.features)
