"""VUS-PR, held to a slow reference that follows its definition."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.detect.nab import Scored
from penstock.detect.volume import faded, vus_pr


def slowly(scores: np.ndarray, windows: list[tuple[int, int]], buffer: int) -> float:
    """Loops over buffers, thresholds and steps, as Paparrizos et al. (2022) define the volume."""
    areas = []
    for width in range(buffer + 1):
        soft = np.zeros(len(scores))
        for first, last in windows:
            for step in range(len(scores)):
                away = first - step if step < first else max(step - last, 0)
                if away == 0:
                    soft[step] = 1
                elif away <= width // 2:
                    soft[step] = min(1.0, soft[step] + np.sqrt(1 - away / width))
        ranges, step = [], 0
        while step < len(soft):
            begin = step
            while step < len(soft) and soft[step] > 0:
                step += 1
            if step > begin:
                ranges.append(range(begin, step))
            step += 1
        points = [(0.0, 1.0)]
        for threshold in sorted(set(scores.tolist()), reverse=True):
            flags = scores >= threshold
            right = soft[flags].sum()
            share = np.mean([any(flags[step] for step in each) for each in ranges])
            positives = (sum(last - first + 1 for first, last in windows) + soft.sum()) / 2
            points.append((min(right / positives, 1.0) * share, right / flags.sum()))
        areas.append(sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points)))
    return float(np.mean(areas))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_volume_agrees_with_its_definition(seed) -> None:
    generator = np.random.default_rng(seed)
    steps = int(generator.integers(8, 40))
    scores = generator.integers(0, 8, steps) / 7
    ends = np.sort(generator.permutation(steps // 2)[: 2 * int(generator.integers(1, 3))]) * 2  # windows do not touch
    windows = [(int(first), int(last)) for first, last in ends.reshape(-1, 2)]
    buffer = int(generator.integers(0, 9))
    assert vus_pr([Scored(scores, windows)], buffer) == pytest.approx(slowly(scores, windows, buffer), abs=1e-12)


def test_a_perfect_score_has_volume_1_without_buffers_and_chance_has_the_share_of_windows() -> None:
    labels = np.zeros(4000)
    labels[1000:1400] = 1
    assert vus_pr([Scored(labels, [(1000, 1399)])], 0) == 1.0
    chance = np.random.default_rng(0).random(4000)
    assert vus_pr([Scored(chance, [(1000, 1399)])], 0) == pytest.approx(0.1, abs=0.02)  # 20 times the standard error


def test_an_alarm_beside_its_window_counts_a_little() -> None:
    near, far = np.zeros(200), np.zeros(200)
    near[95], far[40] = 1, 1
    window = [(100, 109)]
    assert vus_pr([Scored(near, window)], 20) > vus_pr([Scored(far, window)], 20)
    assert vus_pr([Scored(near, window)], 0) == vus_pr([Scored(far, window)], 0)


def test_labels_fade_out() -> None:
    labels = np.zeros(12, bool)
    labels[5:7] = True
    soft = faded(labels, 4)
    np.testing.assert_allclose(soft[3:9], [np.sqrt(0.5), np.sqrt(0.75), 1, 1, np.sqrt(0.75), np.sqrt(0.5)])
    assert soft[2] == soft[9] == 0
    np.testing.assert_array_equal(faded(labels, 0), labels)


def test_steps_that_are_not_judged_and_series_without_windows_count_nothing() -> None:
    scores = np.array([9.0, 9.0, 0.0, 0.0, 1.0, 0.0])
    assert vus_pr([Scored(scores, [(4, 4)], 2), Scored(scores, []), Scored(scores)], 0) == 1.0
    assert np.isnan(vus_pr([Scored(scores)]))
