"""Batches by length: every sequence once, little padding, an order that the generator decides."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.datasets import length_batches
from penstock.errors import ConfigError


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 30), max_size=60),
    batch_size=st.integers(1, 9),
    pool=st.integers(1, 4),
    seed=st.none() | st.integers(0, 9),
)
def test_every_sequence_is_in_one_batch(lengths, batch_size, pool, seed):
    generator = None if seed is None else np.random.default_rng(seed)
    batches = length_batches(lengths, batch_size, generator, pool=pool)
    assert sorted(index for batch in batches for index in batch.tolist()) == list(range(len(lengths)))
    assert all(0 < len(batch) <= batch_size for batch in batches)
    assert sum(len(batch) < batch_size for batch in batches) <= 1


def test_without_a_generator_all_are_sorted():
    batches = length_batches([3, 1, 2, 1], 3)
    assert [batch.tolist() for batch in batches] == [[1, 3, 2], [0]]


def test_a_pool_holds_padding_down():
    lengths = np.random.default_rng(0).integers(1, 200, 2000)
    spread = [np.ptp(lengths[batch]) for batch in length_batches(lengths, 20, np.random.default_rng(0))]
    assert np.mean(spread) < 10
    assert np.mean([np.ptp(lengths[b]) for b in length_batches(lengths, 20, np.random.default_rng(0), pool=1)]) > 150


def test_epochs_differ_and_seeds_repeat():
    lengths = np.arange(40) % 7
    generator, twin = np.random.default_rng(3), np.random.default_rng(3)
    first, second = (length_batches(lengths, 4, generator, pool=2) for _ in range(2))
    again = length_batches(lengths, 4, twin, pool=2)
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in again]
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in second]


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"batch_size": 2, "pool": 0}])
def test_sizes_must_be_positive(wrong):
    with pytest.raises(ConfigError, match="at least 1"):
        length_batches([1, 2], **wrong)
