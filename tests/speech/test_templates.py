"""Templates of words, held to dynamic time warping written out, and to all sequences of words."""

from itertools import product

import numpy as np
import pytest

from penstock.errors import DataError
from penstock.sequences import Sequences
from penstock.speech.templates import Templates, evenly


def warped(sound, template):
    """The lowest sum of distances of a sound laid on a template, by the definition."""
    distance = np.linalg.norm(sound[:, None].astype(np.float64) - template[None], axis=2)
    cost = np.full(distance.shape, np.inf)
    cost[0, 0] = distance[0, 0]
    for i in range(1, len(sound)):
        for j in range(len(template)):
            before = [cost[i - 1, j - step] for step in range(3) if j >= step]
            cost[i, j] = min(before) + distance[i, j]
    return cost[-1, -1]


def spoken(sound, templates, words, penalty):
    """The words of a sound by trying all sequences of templates and all places where one ends."""
    best = {0: (0.0, [])}  # by the frames that are explained
    for end in range(1, len(sound) + 1):
        found = [
            (best[start][0] + (penalty if word else 0) + warped(sound[start:end], template), [*best[start][1], word])
            for start, (template, word) in product(range(end), zip(templates, words, strict=True))
            if start in best
        ]
        best[end] = min(found, key=lambda each: each[0])
    cost, said = best[len(sound)]
    return [word for word in said if word] if np.isfinite(cost) else []


@pytest.fixture(scope="module")
def some():
    draw = np.random.default_rng(0)
    frames = [draw.normal(size=(count, 2)).astype(np.float32) for count in (1, 3, 4, 5, 3)]
    return frames, ["", "a", "b", "c", "a"]


@pytest.mark.parametrize("length", [0, 1, 2, 7, 11])
def test_words_are_those_of_the_cheapest_path(some, length):
    frames, words = some
    templates = Templates(Sequences.from_list(frames, np.float32), words)
    sound = np.random.default_rng(length).normal(size=(length, 2)).astype(np.float32)
    costs = [warped(sound, template) for template in frames] if length else [np.inf]
    assert templates.isolated(sound) == (words[int(np.argmin(costs))] if np.isfinite(costs).any() else "")
    for penalty in (0.0, 0.7):
        expected = spoken(sound, frames, words, penalty) if length else []
        assert templates.connected(sound, penalty=penalty) == expected


def test_a_sound_that_is_too_short_has_no_word(some):
    templates = Templates(Sequences.from_list([some[0][3]], np.float32), ["c"])
    assert templates.isolated(some[0][3][:2]) == ""
    assert templates.connected(some[0][3][:2], penalty=0.0) == []
    assert templates.isolated(some[0][3][::2]) == "c"


def test_templates_are_spread_over_the_rows_of_each_word():
    assert evenly(["a", "b", "a", "a", "a", "a"], 3).tolist() == [0, 1, 3, 5]


def test_each_template_needs_a_word_and_a_frame():
    for frames, words in (([], []), ([np.zeros((0, 2))], ["a"]), ([np.zeros((1, 2))], ["a", "b"])):
        sequences = Sequences.from_list(frames, np.float32) if frames else Sequences(np.zeros((0, 2)), np.zeros(1, int))
        with pytest.raises(DataError, match="one word and at least one frame"):
            Templates(sequences, words)
