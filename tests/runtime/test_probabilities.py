"""Reliability, curves and thresholds against scikit-learn and plain loops."""

import numpy as np
import pytest
from sklearn import calibration, metrics

from penstock.runtime.probabilities import best_threshold, reliability, two_classes


@pytest.fixture(params=[np.float32, np.float64])
def drawn(request):
    rng = np.random.default_rng(0)
    truth = rng.random(300) < 0.3
    scores = np.clip(rng.normal(0.35 + 0.3 * truth, 0.2), 0, 1).round(2).astype(request.param)  # many are equal
    return scores, truth


def test_reliability_is_scikit_learns():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet([1, 1, 1], 400)
    truth = rng.integers(0, 3, 400)
    found = reliability(probabilities, truth)
    right, sure = probabilities.argmax(axis=1) == truth, probabilities.max(axis=1)
    accuracy, confidence = calibration.calibration_curve(right, sure, n_bins=10)
    assert [each["accuracy"] for each in found["bins"]] == pytest.approx(accuracy)
    assert [each["confidence"] for each in found["bins"]] == pytest.approx(confidence)
    assert sum(each["rows"] for each in found["bins"]) == 400
    by_hand = sum(each["rows"] * abs(each["accuracy"] - each["confidence"]) for each in found["bins"]) / 400
    assert found["ece"] == pytest.approx(by_hand)
    assert all(each["interval"][0] <= each["accuracy"] <= each["interval"][1] for each in found["bins"])


def test_a_probability_of_one_lies_in_the_last_bin():
    (only,) = reliability(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1, 1]))["bins"]
    assert (only["low"], only["high"], only["rows"], only["accuracy"]) == (0.9, 1.0, 2, 0.5)


def test_areas_and_points_are_scikit_learns(drawn):
    scores, truth = drawn
    found = two_classes(scores, truth)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(truth, scores))
    fpr, tpr, _ = metrics.roc_curve(truth, scores, drop_intermediate=False)
    assert set(zip(found["fpr"], found["tpr"], strict=True)) <= set(zip(fpr.tolist(), tpr.tolist(), strict=True))
    assert (found["fpr"][0], found["tpr"][-1], found["recall"][-1]) == (0.0, 1.0, 1.0)
    for each in found["thresholds"]:
        said = scores >= each["threshold"]
        assert each["predicted"] == said.sum()
        for name, score in (
            ("precision", metrics.precision_score),
            ("recall", metrics.recall_score),
            ("f1", metrics.f1_score),
        ):
            assert each[name] == pytest.approx(score(truth, said, zero_division=0))


def test_the_best_threshold_has_the_highest_f1(drawn):
    scores, truth = drawn
    found = metrics.f1_score(truth, scores >= best_threshold(scores, truth))
    assert found == max(metrics.f1_score(truth, scores >= value) for value in np.unique(scores))


def test_of_equally_good_thresholds_the_one_nearest_to_a_half_is_taken():
    assert best_threshold(np.array([0.1, 0.9]), np.array([False, True])) == 0.5
