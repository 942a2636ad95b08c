"""Streams side by side: each goes on where it stood until its sequence ends."""

import itertools

import numpy as np

from penstock.datasets import stream_chunks

ENDS = np.array([10, 3, 25])


def from_the_start(count, generator):
    return generator.integers(0, 3, count), np.zeros(count, np.int64)


def made(seed=0, **more):
    given = {"streams": 4, "steps": 4, "count": 30, "generator": np.random.default_rng(seed)} | more
    return stream_chunks(ENDS, from_the_start, **given)


def test_a_stream_continues_until_its_sequence_ends():
    chunks = made()
    assert len(chunks) == 30
    assert chunks[0].fresh.all()
    for before, now in itertools.pairwise(chunks):
        over = before.starts + 4 >= ENDS[before.rows]
        np.testing.assert_array_equal(now.fresh, over)
        np.testing.assert_array_equal(now.rows[~over], before.rows[~over])
        np.testing.assert_array_equal(now.starts[~over], before.starts[~over] + 4)
        assert not now.starts[over].any()
    assert {int(row) for chunk in chunks for row in chunk.rows} == {0, 1, 2}


def test_streams_start_again_by_chance():
    share = np.mean([chunk.fresh for chunk in made(count=2000, steps=0, reset_share=0.2)])
    assert abs(share - 0.2) < 0.02


def test_the_generator_decides():
    one, same, other = (np.stack([chunk.rows for chunk in made(seed)]) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_no_streams_and_no_chunks():
    assert made(count=0) == []
    assert made(streams=0, count=1)[0].rows.shape == (0,)
