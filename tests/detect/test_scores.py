"""All scores of a detector, with and without labels and times."""

import numpy as np
import pytest

from penstock.detect.nab import PROFILES, Scored
from penstock.detect.scores import alarms, best_thresholds, detection_scores, detection_sums
from penstock.runtime.resampling import compared


def scored(found: list[int], windows, steps=400, weeks=2.0, *, start=50) -> Scored:
    scores = np.random.default_rng(len(found)).random(steps) / 2
    scores[found] = 1
    return Scored(scores, windows, start, scores > 0.9, weeks)


def test_flagged_steps_in_a_row_are_one_alarm() -> None:
    flags = np.array([1, 1, 0, 0, 1, 0, 1], bool)
    assert alarms(flags).tolist() == [[0, 1], [4, 4], [6, 6]]
    assert alarms(np.zeros(3, bool)).shape == (0, 2)


def test_labelled_series_have_all_scores() -> None:
    found = detection_scores([scored([100, 101, 300], [(100, 119)])])
    assert list(found) == ["nab_standard", "nab_low_fp", "nab_low_fn", "vus_pr", "alarms_per_week"]
    assert found["alarms_per_week"] == 1.0
    assert 80 < found["nab_low_fp"] < found["nab_standard"] < found["nab_low_fn"] < 100
    assert 0 < found["vus_pr"] < 1


def test_without_labels_only_alarms_are_counted() -> None:
    assert detection_scores([scored([100, 300, 350], None)]) == {"alarms_per_week": 1.5}
    assert detection_scores([scored([100, 300], None, weeks=float("nan"))]) == {"alarms_per_1000": 2 / 0.35}
    # No window is known here, so there is nothing to find, and no score from 0 to 100.
    assert list(detection_scores([scored([100], [])])) == ["alarms_per_week"]


def test_alarms_of_unlabelled_series_are_not_false() -> None:
    labelled, unlabelled = scored([100], [(100, 119)]), scored([60, 200, 300], None)
    both = detection_scores([labelled, unlabelled])
    assert both["nab_standard"] == pytest.approx(100)
    assert both["alarms_per_week"] == 1.0


def test_alarms_of_the_steps_that_are_not_judged_do_not_count() -> None:
    assert detection_scores([scored([10, 48, 49, 50], None)])["alarms_per_week"] == 0.5


def test_sums_give_the_scores_and_a_comparison() -> None:
    windows = [(100 * place, 100 * place + 19) for place in range(1, 9)]
    ours = [scored([first + 2 for first, _ in windows], windows, 1000)]
    theirs = [scored([70, 260, 433, 670], windows, 1000)]
    sums = {name: detection_sums(each, best_thresholds(each)) for name, each in (("ours", ours), ("theirs", theirs))}
    assert sums["ours"].units == 8
    total = sums["ours"].scores(sums["ours"].values.sum(axis=0))
    assert {name: float(value) for name, value in total.items()} == {
        name: value for name, value in detection_scores(ours).items() if name != "vus_pr"
    }
    found = compared(sums["ours"], {"theirs": sums["theirs"]})
    assert found["verdict"] == dict.fromkeys(PROFILES, "better")  # fewer alarms are neither better nor worse
    assert found["interval"]["nab_standard"] is None or found["interval"]["nab_standard"][0] > 90


def test_the_area_of_examples_is_the_share_of_pairs_in_the_right_order() -> None:
    draw = np.random.default_rng(0)
    firsts = np.arange(0, 401, 20)
    scores = np.round(draw.random(20), 1)  # some are equal
    scores[7] = np.nan
    each = Scored(np.zeros(400), [(20 * place + 4, 20 * place + 30) for place in (2, 5, 7, 11, 17)], 20, None)
    marked = [2, 3, 5, 6, 7, 8, 11, 12, 17, 18]
    found = detection_scores([Scored(each.scores, each.windows, 20, None, examples=(firsts, scores))])["example_auc"]
    ordered = np.where(np.isnan(scores), -1, scores)
    pairs = [
        (float(ordered[one] > ordered[other]) + float(ordered[one] == ordered[other]) / 2)
        for one in marked
        for other in range(1, 20)  # the first example is not judged
        if other not in marked
    ]
    assert found == pytest.approx(np.mean(pairs))
    assert "example_auc" not in detection_scores([each])
