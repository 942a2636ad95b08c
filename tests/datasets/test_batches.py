"""Batches by length: every sequence once, little padding, an order that the generator decides; resumed anywhere."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.datasets import Batches, Chunk, length_batches, shard
from penstock.errors import ConfigError, StateError


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


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 0}, {"batch_size": 2, "pool": 0}, {"batch_size": 1.5}, {"batch_size": "2"}, {"batch_size": True}],
)
def test_sizes_must_be_positive(wrong):
    with pytest.raises(ConfigError, match="at least 1"):
        length_batches([1, 2], **wrong)


def batches(seed=3, rows=23):
    lengths = np.arange(rows) % 7
    return Batches(lambda generator: length_batches(lengths, 4, generator, pool=2), np.random.default_rng(seed))


def lists(given):
    return [batch.tolist() for batch in given]


def test_each_iteration_is_an_epoch_with_an_order_of_its_own():
    one, generator = batches(), np.random.default_rng(3)
    expected = [lists(length_batches(np.arange(23) % 7, 4, generator, pool=2)) for _ in range(3)]
    assert len(one) == 6
    assert [lists(one) for _ in range(3)] == expected
    assert one.position == 0


@pytest.mark.parametrize("given", range(13))
def test_resumed_anywhere_the_rest_is_the_same(given):
    """Position 6 and 12 are the ends of an epoch whose loop has not ended yet: an empty rest comes next."""
    whole = batches()
    every = [lists(whole) for _ in range(3)]
    begun, left = batches(), given
    while left > 0:
        for _ in begun:
            left -= 1
            if not left:
                break
    state = json.loads(json.dumps(begun.state_dict()))  # plain values
    resumed = batches(seed=99)
    resumed.load_state_dict(state)
    assert resumed.position == begun.position
    epoch, start = (given // 6 - 1, 6) if given and given % 6 == 0 else divmod(given, 6)
    assert lists(resumed) == every[epoch][start:]
    assert all(lists(resumed) == later for later in every[epoch + 1 :])


def test_a_state_of_other_data_is_refused():
    begun = batches()
    for _ in zip(range(5), begun, strict=False):
        pass
    with pytest.raises(StateError, match="position must be from 0 to 2, the batches of an epoch; got 5"):
        batches(rows=7).load_state_dict(begun.state_dict())


@pytest.mark.parametrize("rows", [1, 2, 5, 8])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_shards_of_a_batch_hold_each_row_once(rows, size):
    batch = np.arange(rows) * 10
    chunk = Chunk(batch, batch + 1, batch > 5)
    counted = []
    for rank in range(size):
        part, counts = shard(batch, rank, size)
        of_tuple, of_chunk = (shard(each, rank, size)[0] for each in ((batch, batch + 1), chunk))
        assert len(part) >= 1
        np.testing.assert_array_equal(of_tuple[1], part + 1)
        assert isinstance(of_chunk, Chunk)
        np.testing.assert_array_equal(of_chunk.fresh, part > 5)
        counted += part.tolist() if counts else []
    assert sorted(counted) == batch.tolist()
