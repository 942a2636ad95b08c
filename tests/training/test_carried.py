"""A state carried from chunk to chunk: what is read in chunks is what is read whole."""

import copy

import numpy as np
import pytest
import torch

from penstock.nn import GRU, LSTM
from penstock.training import CarriedState

NONE, ALL = np.array([False] * 3), np.array([True] * 3)


def layer_of(kind):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind(2, 4, num_layers=2, batch_first=True)


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_chunks_give_the_bits_of_the_whole(kind):
    layer, carried = layer_of(kind), CarriedState()
    x = torch.randn(3, 11, 2, generator=torch.Generator().manual_seed(1))
    parts = []
    for start in range(0, 11, 4):
        y, state = layer(x[:, start : start + 4], carried.begin(NONE if start else ALL))
        carried.keep(state)
        parts.append(y)
    assert torch.equal(torch.cat(parts, 1), layer(x)[0])


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_a_stream_that_starts_again_knows_nothing_of_before(kind):
    layer, carried = layer_of(kind), CarriedState()
    x = torch.randn(3, 6, 2, generator=torch.Generator().manual_seed(1))
    carried.keep(layer(x)[1])
    y, _ = layer(x, carried.begin(np.array([False, True, False])))
    fresh, _ = layer(x)
    assert torch.equal(y[1], fresh[1])
    assert not torch.equal(y[0], fresh[0])
    assert carried.begin(ALL) is None


def test_no_gradient_goes_back_into_the_chunk_before():
    layer, carried = layer_of(GRU), CarriedState()
    first = torch.ones(1, 3, 2, requires_grad=True)
    carried.keep(layer(first)[1])
    layer(torch.ones(1, 3, 2), carried.begin(NONE[:1]))[0].sum().backward()
    assert first.grad is None
    assert layer.weight_hh_l0.grad is not None


@pytest.mark.parametrize("kind", [GRU, LSTM])
def test_a_saved_state_is_taken_up(kind):
    layer, carried, other = layer_of(kind), CarriedState(), CarriedState()
    carried.keep(layer(torch.ones(3, 5, 2))[1])
    state = copy.deepcopy(carried.state_dict())
    if kind is LSTM:
        state["state"] = list(state["state"])  # as a file gives it back
    other.load_state_dict(state)
    x = torch.ones(3, 2, 2)
    assert torch.equal(layer(x, other.begin(NONE))[0], layer(x, carried.begin(NONE))[0])
    other.load_state_dict(CarriedState().state_dict())
    assert other.begin(NONE) is None
