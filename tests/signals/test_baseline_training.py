"""What a classifier of signals must beat, where it does badly itself."""

import numpy as np
import pytest

from penstock.signals.baseline_training import fit_class_baselines
from penstock.signals.baselines import SignalBaselines
from penstock.signals.features import SignalFeatures
from penstock.tasks.labelled import Part


@pytest.mark.parametrize("classes", [2, 3])
def test_a_neighbour_that_is_mostly_wrong_is_still_the_answer(classes):
    draw = np.random.default_rng(0)
    signals = [draw.normal(size=(12, 1)) for _ in range(6 * classes)]
    targets = np.arange(len(signals)) % classes
    train = Part(signals, targets)
    wrong = Part(signals, (targets + 1) % classes)  # each signal's nearest one is itself, of another class here
    features = SignalFeatures().fit(signals)
    arrays, _ = fit_class_baselines(train, wrong, features, np.ones(classes))
    baselines = SignalBaselines(arrays, features)
    for name in ("nearest", "nearest_dtw"):
        found = baselines.answers(name, signals)
        np.testing.assert_array_equal(found.argmax(axis=1), targets)
        np.testing.assert_allclose(found.sum(axis=1), 1)
