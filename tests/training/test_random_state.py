"""A training leaves the process as it was."""

import pytest
import torch

from penstock import engine
from penstock.nn.threads import engine_threads
from penstock.training import random_scope


def test_random_numbers_and_threads_are_as_before(three_threads):
    before = torch.get_rng_state()
    with random_scope(3):
        torch.rand(5)
        assert torch.get_num_threads() == 1
        assert engine_threads() == engine.get_num_threads()
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == three_threads
    assert engine_threads() == three_threads


def test_also_after_an_error(three_threads):
    before = torch.get_rng_state()

    def fail():
        with random_scope(3):
            torch.rand(5)
            raise RuntimeError("meant")

    with pytest.raises(RuntimeError, match="meant"):
        fail()
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == three_threads


def test_the_seed_decides_inside():
    drawn = []
    for seed in (3, 3, 4):
        with random_scope(seed):
            drawn.append(torch.rand(4))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
