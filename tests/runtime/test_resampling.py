"""Intervals and verdicts against plain loops, scikit-learn and what is known by hand."""

import itertools

import numpy as np
import pytest

from penstock.runtime.metrics import (
    class_metrics,
    class_sums,
    label_metrics,
    label_sums,
    regression_metrics,
    regression_sums,
)
from penstock.runtime.resampling import compared, units_of, wilson


def drawn(rows, classes, seed, skill=2.0):
    """Truth and probabilities that know it somewhat."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=rows)
    scores = rng.normal(size=(rows, classes))
    scores[np.arange(rows), truth] += skill
    spread = np.exp(scores)
    return truth, spread / spread.sum(axis=1, keepdims=True)


def total(sums):
    return {name: float(value) for name, value in sums.scores(sums.values.sum(axis=0)).items()}


@pytest.mark.parametrize(("rows", "classes"), [(1, 2), (37, 3), (5000, 2), (3000, 40)])
def test_scores_of_sums_are_the_scores(rows, classes):
    truth, probabilities = drawn(rows, classes, 0)
    assert total(class_sums(probabilities, truth)) == pytest.approx(class_metrics(probabilities, truth))
    numbers = probabilities[:, 0] * 100 + 1e4
    assert total(regression_sums(numbers, numbers + truth)) == pytest.approx(
        regression_metrics(numbers, numbers + truth), abs=1e-9
    )
    lengths = np.ones(rows, int)
    said = probabilities.argmax(axis=1)
    assert total(label_sums(said, truth, classes, lengths)) == pytest.approx(label_metrics(said, truth, classes))


def test_each_resample_has_the_scores_of_its_rows():
    metrics = pytest.importorskip("sklearn.metrics")
    truth, probabilities = drawn(40, 3, 1)
    sums = class_sums(probabilities, truth)
    rows = np.random.default_rng(2).integers(40, size=40)
    found = sums.scores(np.bincount(rows, minlength=40) @ sums.values)
    said = probabilities.argmax(axis=1)[rows]
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(truth[rows], said, average="macro"))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(truth[rows], probabilities[rows], labels=range(3)))


def test_intervals_are_those_of_a_plain_bootstrap():
    truth, probabilities = drawn(200, 3, 3)
    found = compared(class_sums(probabilities, truth), {})["interval"]
    rng = np.random.default_rng(4)
    resamples = [rng.integers(200, size=200) for _ in range(1500)]
    plain = [class_metrics(probabilities[rows], truth[rows]) for rows in resamples]
    for name in ("f1_macro", "log_loss"):
        expected = np.quantile([each[name] for each in plain], [0.025, 0.975])
        # Two bootstraps of 1,500 and 2,000 resamples: a quantile's standard error is 4 to 5 % of the interval's width.
        np.testing.assert_allclose(found[name], expected, atol=0.15 * np.ptp(expected))


def test_wilson_is_right_by_hand():
    # 8 of 10: Wilson's interval as in Newcombe (1998), method 3.
    low, high = wilson(0.8, 10)
    assert (round(float(low), 4), round(float(high), 4)) == (0.4902, 0.9433)
    assert [float(end) for end in wilson(1.0, 3)] == pytest.approx([0.4385, 1.0], abs=1e-4)
    assert np.isnan(wilson(np.nan, 0)).all()
    for count in range(1, 600):
        assert wilson(0.0, count)[0] == 0
        assert wilson(1.0, count)[1] == 1


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    held, rng = 0, np.random.default_rng(8)
    for _ in range(60):
        truth = rng.normal(size=60)
        low, high = compared(regression_sums(truth + rng.normal(size=60), truth), {})["interval"]["mae"]
        held += low <= np.sqrt(2 / np.pi) <= high
    assert held >= 52  # 57 are expected, with a standard deviation of 1.7


def test_the_paired_test_is_exact_for_accuracy():
    """The randomisation test of accuracy is McNemar's exact test: p = 2 P(at most 2 heads of 12)."""
    truth = np.zeros(40, int)
    ours, theirs = np.eye(2)[np.zeros(40, int)], np.eye(2)[np.zeros(40, int)]
    ours[:2], theirs[10:20] = [0.0, 1.0], [0.0, 1.0]  # 2 rows that only they have right, 10 that only we have
    found = compared(class_sums(ours, truth), {"them": class_sums(theirs, truth)})["difference"]["accuracy"]
    heads = [sum(case) for case in itertools.product((0, 1), repeat=12)]
    assert found["value"] == pytest.approx(0.2)
    assert found["p"] == pytest.approx(2 * np.mean(np.array(heads) <= 2), abs=0.01)  # of 2,000 draws


def test_a_verdict_needs_more_than_a_difference():
    truth, probabilities = drawn(500, 2, 5)
    worse = probabilities.copy()
    worse[:4] = 1 - worse[:4]
    verdict = compared(class_sums(worse, truth), {"them": class_sums(probabilities, truth)})["verdict"]
    assert verdict["accuracy"] == "no clear difference"
    worse[:60] = 1 - probabilities[:60]
    verdict = compared(class_sums(worse, truth), {"them": class_sums(probabilities, truth)})["verdict"]
    assert verdict == {"accuracy": "worse", "f1_macro": "worse", "log_loss": "worse"}
    verdict = compared(class_sums(probabilities, truth), {"them": class_sums(worse, truth)})["verdict"]
    assert verdict == {"accuracy": "better", "f1_macro": "better", "log_loss": "better"}


def test_each_baseline_has_its_own_verdict_and_the_first_is_the_main_one():
    truth, probabilities = drawn(500, 2, 5)
    worse = probabilities.copy()
    worse[:60] = 1 - probabilities[:60]
    several = {"alike": class_sums(probabilities, truth), "worse": class_sums(worse, truth)}
    found = compared(class_sums(probabilities, truth), several)
    assert set(found["baseline_verdicts"]["alike"].values()) == {"no clear difference"}
    assert set(found["baseline_verdicts"]["worse"].values()) == {"better"}
    assert found["verdict"] == found["baseline_verdicts"]["alike"]
    assert found["difference"] == found["baseline_differences"]["alike"]
    gap = found["interval"]["accuracy"][1] - found["baseline_intervals"]["worse"]["accuracy"][0]
    assert 0 < found["baseline_differences"]["worse"]["accuracy"]["value"] < gap


def test_a_model_that_is_always_right_beats_one_that_is_always_wrong():
    truth = np.arange(40) % 2
    found = compared(class_sums(np.eye(2)[truth], truth), {"them": class_sums(np.eye(2)[1 - truth], truth)})
    assert set(found["verdict"].values()) == {"better"}  # though all resamples agree, and so give no interval


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_a_handful_of_rows_has_no_verdict(rows):
    truth = np.arange(rows) % 2
    right, wrong = np.eye(2)[truth], np.eye(2)[1 - truth]
    found = compared(class_sums(right, truth), {"them": class_sums(wrong, truth)})
    assert set(found["verdict"].values()) == {"no clear difference"}
    assert found["interval"]["f1_macro"] is None
    assert found["interval"]["accuracy"][0] < 0.6


def test_steps_of_one_sequence_count_as_one_case():
    truth = np.repeat(np.arange(20) % 2, 50)
    said = truth.copy()
    said[:250] = 1 - said[:250]  # five sequences, wrong from end to end
    by_sequence = compared(label_sums(said, truth, 2, np.full(20, 50)), {})
    by_step = compared(label_sums(said, truth, 2, np.ones(1000, int)), {})
    widths = [np.ptp(found["interval"]["accuracy"]) for found in (by_sequence, by_step)]
    assert by_sequence["units"] == 20
    assert widths[0] > 5 * widths[1]


def test_many_rows_are_grouped_and_give_the_same_interval():
    truth, probabilities = drawn(20_000, 2, 6)
    group, groups = units_of(20_000, 6)
    assert groups == 2000
    assert set(np.bincount(group)) == {10}
    low, high = compared(class_sums(probabilities, truth), {})["interval"]["log_loss"]
    own = -np.log(probabilities[np.arange(20_000), truth])
    half = 1.96 * own.std() / np.sqrt(20_000)
    assert (low, high) == pytest.approx((own.mean() - half, own.mean() + half), abs=0.15 * half)


def test_the_same_data_gives_the_same_figures():
    truth, probabilities = drawn(100, 3, 7)
    one, other = (
        compared(class_sums(probabilities, truth), {"a": class_sums(probabilities[::-1], truth)}) for _ in "ab"
    )
    assert one == other
