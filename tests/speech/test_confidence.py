"""Confidences of words: which are right, and the power that makes them as high as words are often right."""

import numpy as np
import pytest

from penstock.speech.confidence import chosen_power, judged_words
from penstock.speech.paths import Path
from penstock.speech.transcriber import SpokenWord, Timing, spoken_words


def test_a_word_is_right_where_it_is_aligned_with_itself():
    words = [[SpokenWord("turn", 0, 1, 0.9), SpokenWord("of", 1, 2, 0.4)], [], [SpokenWord("on", 0, 1, 0.8)]]
    sure, right = judged_words(["turn it on", "stop", "on"], words)
    assert (sure.tolist(), right.tolist()) == ([0.9, 0.4, 0.8], [True, False, True])


@pytest.mark.parametrize("power", [0.25, 1.0, 3.0])
def test_the_power_that_made_the_words_right_is_found(power):
    draw = np.random.default_rng(0)
    sure = draw.uniform(size=20_000)
    assert chosen_power(sure, draw.uniform(size=20_000) < sure**power) == pytest.approx(power, rel=0.05)


def test_too_little_is_left_as_it_is():
    sure = np.full(30, 0.9)
    for right in (np.ones(30, bool), np.zeros(30, bool)):
        assert chosen_power(sure, right) == 1.0
    assert chosen_power(sure[:19], np.arange(19) < 9) == 1.0
    assert np.isfinite(chosen_power(np.ones(30), np.arange(30) < 15))


def test_confidences_are_raised_to_the_power():
    path = Path(np.array([1, 2]), np.array([[0, 0], [2, 3]]), np.log([0.5, 0.8]))
    plain, raised = (spoken_words(path, [" on", " off"], Timing(0.1), power) for power in (1.0, 2.0))
    assert [word.confidence for word in raised] == pytest.approx([word.confidence**2 for word in plain])
    assert [word.confidence for word in plain] == pytest.approx([0.5, 0.8])
