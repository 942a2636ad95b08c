"""Stratified splits: complete, repeatable, and fair to every class."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.datasets import parse_proportions, stratified_split
from penstock.errors import ConfigError, DataError

THREE = (0.8, 0.1, 0.1)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(10, 60), min_size=1, max_size=5),
    proportions=st.sampled_from([THREE, (0.9, 0.1), (0.5, 0.25, 0.25)]),
    seed=st.integers(0, 99),
)
def test_every_row_is_in_one_part_and_every_class_has_its_share(counts, proportions, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    parts = stratified_split(labels, proportions, random_state=seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    for part, proportion in zip(parts, proportions, strict=True):
        assert part.tolist() == sorted(part.tolist())
        assert abs(len(part) - proportion * len(labels)) <= 1
        for number, count in enumerate(counts):
            # Each class rounds up before a cut, by less than a row; a cut moves by as many rows as there are classes.
            most = 1 + (len(counts) + 1) * count / len(labels)
            assert abs((labels[part] == number).sum() - proportion * count) <= most


def test_the_state_decides():
    labels = ["a"] * 50 + ["b"] * 30
    one, same, other = (stratified_split(labels, THREE, random_state=seed) for seed in (1, 1, 2))
    assert [part.tolist() for part in one] == [part.tolist() for part in same]
    assert one[1].tolist() != other[1].tolist()


def test_a_split_is_the_same_on_every_machine():
    parts = stratified_split(list("aabbbbaabb"), (0.6, 0.4))
    assert [part.tolist() for part in parts] == [[2, 3, 4, 5, 6, 7], [0, 1, 8, 9]]


def test_rare_classes_stay_in_the_first_part():
    labels = ["often"] * 20 + ["once"] + ["twice"] * 2
    first, second, third = stratified_split(labels, THREE)
    assert {labels[row] for row in first} == {"often", "once", "twice"}
    assert "once" not in {labels[row] for row in (*second, *third)}


def test_proportions_are_read():
    assert parse_proportions("0.8/0.1/0.1") == THREE
    assert parse_proportions("0.75/0.25") == (0.75, 0.25)


@pytest.mark.parametrize("text", ["0.8/0.3", "1", "", "a/b", "1/0", "1.5/-0.5", "nan/1", "0.5:0.5"])
def test_invalid_proportions_are_refused(text):
    with pytest.raises(ConfigError, match="proportions"):
        parse_proportions(text)


@pytest.mark.parametrize("labels", [["a", "b"], ["a"] * 4, list("abcdefghij"), []])
def test_too_few_rows_are_refused(labels):
    with pytest.raises(DataError, match=r"too few for a split of 0\.8/0\.1/0\.1"):
        stratified_split(labels, THREE)
