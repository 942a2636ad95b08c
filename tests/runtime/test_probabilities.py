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


def bootstrapped(score, *columns, draws=300):
    """The slow, obvious percentile bootstrap over rows."""
    rng, rows = np.random.default_rng(3), len(columns[0])
    found = [score(*(column[chosen] for column in columns)) for chosen in rng.integers(0, rows, (draws, rows))]
    return np.quantile(found, (0.025, 0.975))


@pytest.mark.slow
@pytest.mark.parametrize("drawn", [np.float32], indirect=True)  # the areas themselves are compared for both above
def test_intervals_of_areas_are_those_of_a_plain_bootstrap(drawn):
    scores, truth = drawn
    found = two_classes(scores, truth)["interval"]
    for name, score in (("auc", metrics.roc_auc_score), ("average_precision", metrics.average_precision_score)):
        expected = bootstrapped(score, truth, scores)
        np.testing.assert_allclose(found[name], expected, atol=0.2 * (expected[1] - expected[0]), err_msg=name)


def test_many_different_scores_are_binned_for_intervals_only():
    rng = np.random.default_rng(0)
    truth = rng.random(5000) < 0.4
    scores = rng.normal(truth, 1.5)
    found = two_classes(scores, truth)
    assert found["auc"] == pytest.approx(metrics.roc_auc_score(truth, scores))
    low, high = found["interval"]["auc"]
    assert low < found["auc"] < high
    # Hanley and McNeil 1982, with both variances bounded by those of normal scores
    assert 0.02 < high - low < 0.04


def f1_score(truth, said):
    """As scikit-learn's, which checks its arguments for longer than it computes."""
    return 2 * (truth & said).sum() / (truth.sum() + said.sum())


def test_intervals_at_each_threshold(drawn):
    scores, truth = drawn
    for each in two_classes(scores, truth)["thresholds"][3:6]:
        said = scores >= each["threshold"]
        expected = bootstrapped(f1_score, truth, said, draws=200)
        np.testing.assert_allclose(each["interval"]["f1"], expected, atol=0.2 * (expected[1] - expected[0]))
        for name in ("precision", "recall"):
            assert each["interval"][name][0] < each[name] < each["interval"][name][1]


@pytest.mark.parametrize("gap", [0.0, 0.2])
def test_the_interval_of_the_calibration_error_covers_the_true_one(gap):
    """It would be right in 95 of 100 data sets; these are 20."""
    rng, held = np.random.default_rng(0), 0
    for _ in range(20):
        sure = rng.uniform(0.7, 1.0, 300)
        right = rng.random(300) < sure - gap
        found = reliability(np.stack([sure, 1 - sure], axis=1), np.where(right, 0, 1))
        held += found["ece_interval"][0] <= gap <= found["ece_interval"][1]
    assert held >= 17


def test_rows_that_depend_on_each_other_widen_the_intervals(drawn):
    scores, truth = (np.repeat(each, 5) for each in drawn)
    alone = two_classes(scores, truth)["interval"]["auc"]
    together = two_classes(scores, truth, stretch=5)["interval"]["auc"]
    assert np.ptp(together) > 1.8 * np.ptp(alone)
    assert together == pytest.approx(two_classes(*drawn)["interval"]["auc"])
