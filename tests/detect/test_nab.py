"""NAB's scoring, held to the scores that NAB publishes, and to a slow scorer that follows its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.detect.nab import PROFILES, Profile, Scored, best_threshold, nab_parts, normalised, probation, row_weights
from penstock.errors import DataError

STANDARD = PROFILES["nab_standard"]
PLAIN = Profile(false=1.0)  # the weights of NAB's own tests


def alarmed(steps: int, rows: list[int], windows: list[tuple[int, int]], start: int = 0) -> Scored:
    scores = np.zeros(steps)
    scores[rows] = 1
    return Scored(scores, windows, start)


def raw(scored: Scored, profile: Profile, threshold: float = 0.5) -> float:
    """NAB's sum, in which a missed window counts below 0."""
    gained, windows = nab_parts(scored, threshold, profile).sum(axis=0)
    return gained - windows * profile.missed


# Alarms of Numenta's detector at its threshold of 0.542187690735, and NAB's scores of them: results/numenta of
# github.com/numenta/NAB at ea702d7, the files numenta_standard_scores.csv and those of the other two profiles.
TAXI = alarmed(
    10320,
    [3262, 5928, 5954, 5955, 8523, 8834, 10063, 10107],
    [(5839, 6045), (7080, 7286), (8423, 8629), (8731, 8937), (9977, 10183)],
    750,
)
NO_JUMP = alarmed(4032, [1086, 1268, 3284], [(2787, 3189)], 604)
UP_DOWN = alarmed(5315, [1148, 1149, 1172, 2467, 2516, 4401, 4426, 5147], [(2243, 2507), (2877, 3141)], 750)
EXCHANGE = alarmed(1624, [355, 605, 876, 974, 1013], [(565, 645), (934, 1014)], 243)


@pytest.mark.parametrize(
    ("scored", "standard", "low_fp", "low_fn"),
    [
        (TAXI, 2.43572773247, 2.32572773247, 1.43572773247),
        (NO_JUMP, -1.27835146592, -1.55670293184, -2.27835146592),
        (UP_DOWN, -1.29575982814, None, -2.29575982814),
        (EXCHANGE, 1.50824342415, None, 1.50824342415),
    ],
)
def test_published_scores_of_series(scored, standard, low_fp, low_fn) -> None:
    assert raw(scored, STANDARD) == pytest.approx(standard, abs=1e-11)
    assert raw(scored, PROFILES["nab_low_fn"]) == pytest.approx(low_fn, abs=1e-11)
    if low_fp is not None:  # in the others, the threshold of that profile gives other alarms
        assert raw(scored, PROFILES["nab_low_fp"]) == pytest.approx(low_fp, abs=1e-11)


@pytest.mark.parametrize(
    ("profile", "total", "final"),
    [
        ("nab_standard", 46.6344501971376, 70.10105611943965),
        ("nab_low_fn", 26.634450197137568, 74.3202443095115),
        ("nab_low_fp", 30.431072517124093, 63.11684160219828),
    ],
)
def test_published_normalisation(profile, total, final) -> None:
    # Numenta's detector over all 58 series with their 116 windows: config/thresholds.json and final_results.json.
    missed = PROFILES[profile].missed
    assert normalised(total + 116 * missed, 116, PROFILES[profile]) == pytest.approx(final, abs=1e-10)


def test_examples_of_the_projects_own_tests() -> None:
    # tests/integration/scorer_test.py: 100 rows, two windows of 5; two alarms in the first one, one after it.
    windows = [(30, 34), (65, 69)]
    assert raw(alarmed(100, [30, 31, 37], windows), PLAIN) == pytest.approx(-0.9540, abs=5e-5)
    # true_positive_test.py: the first row of a window counts 1 whatever its width, and later alarms add nothing.
    assert raw(alarmed(10, [4], [(4, 5)]), PLAIN) == raw(alarmed(10, [4, 5], [(4, 6)]), PLAIN) == 1.0
    assert raw(alarmed(10, [5], [(4, 5)]), PLAIN) < 1.0
    # Of 100 rows, the last of a window and the first after it cancel but for the missed window.
    window = [(450, 549)]
    both = raw(alarmed(1000, [549], window), PLAIN) + raw(alarmed(1000, [550], window), PLAIN)
    assert both + 1 == pytest.approx(0, abs=1e-3)
    # false_positive_test.py: without a window, an alarm costs its weight.
    assert raw(alarmed(1000, [0], []), PLAIN) == -1.0


def test_the_optimal_threshold_of_the_projects_own_test() -> None:
    # sweeper_test.py: which rows are flagged at which threshold; the best one flags both windows and one other row.
    scores = np.array([0.5, 0.5, 0.0, 0.2, 0.3, 0.0, 0.5, 0.5])
    threshold, best = best_threshold([Scored(scores, [(3, 4), (6, 6)], 2)], STANDARD)
    assert threshold == 0.2
    expected = raw(Scored(scores, [(3, 4), (6, 6)], 2), STANDARD, 0.2)
    assert best == pytest.approx(100 * (expected + 2) / 4)


@pytest.mark.parametrize(("steps", "length"), [(100, 15), (4032, 604), (5000, 750), (22_695, 750), (3, 0)])
def test_the_probationary_period_is_15_percent_of_at_most_5000_rows(steps, length) -> None:
    assert probation(steps) == length


def test_null_has_0_and_perfect_100() -> None:
    scores = np.zeros(200)
    windows = [(50, 69), (120, 129)]
    silent, perfect = Scored(scores, windows), alarmed(200, [50, 120], windows)
    for profile in PROFILES.values():
        assert normalised(*nab_parts(silent, 0.5, profile).sum(axis=0), profile) == 0
        assert best_threshold([perfect], profile) == (1.0, pytest.approx(100))


def test_false_alarms_alone_are_worse_than_silence() -> None:
    threshold, best = best_threshold([alarmed(100, [5, 90], [(40, 49)])], STANDARD)
    assert (threshold, best) == (np.inf, 0.0)


def test_missing_scores_are_never_flagged() -> None:
    scores = np.full(50, np.nan)
    scores[21] = 0.3
    assert best_threshold([Scored(scores, [(20, 29)])], STANDARD)[0] == 0.3
    assert raw(Scored(np.full(50, np.nan), [(20, 29)]), STANDARD, -np.inf) == -1


def test_alarms_in_the_probationary_period_count_nothing() -> None:
    assert raw(alarmed(100, [3, 14], [(40, 49)], 15), STANDARD) == -1
    # A window that ends there is not asked for; one that reaches out of it is.
    assert len(alarmed(100, [], [(5, 9), (12, 18)], 15).judged_windows) == 1


def test_without_a_window_there_is_no_score() -> None:
    assert np.isnan(best_threshold([alarmed(100, [5], [])], STANDARD)[1])


@pytest.mark.parametrize(
    ("windows", "message"),
    [
        ([(5, 100)], "must lie inside its series of 100 steps; got 5 to 100"),
        ([(-1, 4)], "must lie inside"),
        ([(9, 4)], "must lie inside"),
        ([(5, 9), (9, 12)], "step 9 begins one, and 9 ends the one before"),
        ([(50, 59), (5, 9)], "must ascend"),
    ],
)
def test_windows_that_make_no_sense(windows, message) -> None:
    with pytest.raises(DataError, match=message):
        Scored(np.zeros(100), windows)


def slowly(scored: Scored, threshold: float, profile: Profile) -> float:
    """NAB's sum by its definition, row by row."""

    def sigmoid(place: float) -> float:
        return -1.0 if place > 3 else 2 / (1 + np.exp(5 * place)) - 1

    total, best, ended = 0.0, dict.fromkeys(scored.judged_windows, -profile.missed), None
    for step, score in enumerate(scored.scores):
        inside = next((window for window in scored.windows or () if window[0] <= step <= window[1]), None)
        if inside is None:
            ended = max((window for window in scored.windows or () if window[1] < step), default=None)
        if step < scored.start or not score >= threshold:
            continue
        if inside is not None:
            width = inside[1] - inside[0] + 1
            hit = profile.found * sigmoid(-(inside[1] - step + 1) / width) / sigmoid(-1.0)
            best[inside] = max(best[inside], hit)
        elif ended is None:
            total -= profile.false
        else:
            total += profile.false * sigmoid((step - ended[1]) / max(ended[1] - ended[0], 1))
    return total + sum(best.values())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_fast_scorer_agrees_with_the_definition(seed) -> None:
    generator = np.random.default_rng(seed)
    several = []
    for _ in range(generator.integers(1, 4)):
        steps = int(generator.integers(1, 60))
        scores = generator.integers(0, 6, steps) / 5  # many are equal
        scores[generator.random(steps) < 0.1] = np.nan
        ends = np.sort(generator.permutation(steps)[: 2 * int(generator.integers(0, min(3, steps // 2) + 1))])
        windows = [(int(first), int(last)) for first, last in ends.reshape(-1, 2)]
        several.append(Scored(scores, windows, int(generator.integers(0, steps))))
    profile = list(PROFILES.values())[generator.integers(3)]
    windows = sum(len(each.judged_windows) for each in several)
    tried = {
        threshold: sum(slowly(each, threshold, profile) for each in several)
        for threshold in (np.inf, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0)
    }
    for threshold, expected in tried.items():
        assert sum(raw(each, profile, threshold) for each in several) == pytest.approx(expected, abs=1e-9)
    threshold, best = best_threshold(several, profile)
    if windows:
        most = windows * (profile.found + profile.missed)
        assert best == pytest.approx(100 * (max(tried.values()) + windows * profile.missed) / most, abs=1e-9)
    assert sum(raw(each, profile, threshold) for each in several) == pytest.approx(max(tried.values()), abs=1e-9)


def test_weights_of_rows() -> None:
    weights = row_weights(30, [(10, 19)], STANDARD)
    np.testing.assert_array_equal(weights[:10], -0.11)
    assert weights[10] == 1.0
    assert (np.diff(weights[10:]) < 0).all()
    assert weights[19] > 0 > weights[20]
