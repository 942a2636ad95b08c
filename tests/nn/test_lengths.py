"""Lengths in place of packing: any order, zeros allowed, outputs past a length are 0."""

import numpy as np
import pytest
import torch

from penstock import nn
from penstock.errors import ConfigError, LengthsError

LENGTHS = [3, 0, 6, 1]


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("bidirectional", [True, False])
def test_each_sequence_is_answered_as_if_alone(variant, bidirectional, batch_first):
    layer = variant(5, 7, num_layers=2, bidirectional=bidirectional, batch_first=batch_first)
    x = torch.randn(4, 6, 5) if batch_first else torch.randn(6, 4, 5)
    y, state = layer(x, lengths=LENGTHS)
    finals = state if isinstance(state, tuple) else (state,)
    for k, length in enumerate(LENGTHS):
        own_y, own_x = (y[k], x[k]) if batch_first else (y[:, k], x[:, k])
        assert not own_y[length:].any()
        if length:
            alone_y, alone = layer(own_x[:length])
            alone_finals = alone if isinstance(alone, tuple) else (alone,)
            assert torch.equal(own_y[:length], alone_y)
            assert all(torch.equal(a[:, k], b) for a, b in zip(finals, alone_finals, strict=True))
        else:
            assert not any(each[:, k].any() for each in finals)


def test_length_zero_returns_the_initial_state(variant):
    layer = variant(5, 8)
    sizes = (layer.proj_size or 8, 8)[: 2 if isinstance(layer, nn.LSTM) else 1]
    state = tuple(torch.randn(1, 4, size) for size in sizes)
    _, final = layer(torch.randn(6, 4, 5), state if len(state) > 1 else state[0], lengths=LENGTHS)
    finals = final if isinstance(final, tuple) else (final,)
    assert all(torch.equal(a[:, 1], b[:, 1]) for a, b in zip(finals, state, strict=True))


def test_padding_is_not_looked_at(variant):
    layer = variant(5, 7, bidirectional=True)
    x = torch.randn(6, 4, 5)
    torch_lengths = torch.tensor(LENGTHS)
    outside = torch.arange(6)[:, None] >= torch_lengths
    spoilt = x.masked_fill(outside[..., None], torch.nan).requires_grad_()
    y, _ = layer(spoilt, lengths=torch_lengths)
    assert torch.equal(y, layer(x, lengths=torch_lengths)[0])
    gradients = torch.autograd.grad(y.sum(), [spoilt, *layer.parameters()])
    assert all(each.isfinite().all() for each in gradients)
    assert not gradients[0][outside].any()


@pytest.mark.parametrize(
    "kind",
    [
        list,
        tuple,
        np.array,
        torch.tensor,
        lambda each: torch.tensor(each, dtype=torch.int32),
        lambda each: np.array(each, np.uint16),
    ],
)
def test_lengths_come_in_many_types(kind):
    layer, x = nn.GRU(5, 7), torch.randn(6, 4, 5)
    assert torch.equal(layer(x, lengths=kind(LENGTHS))[0], layer(x, lengths=LENGTHS)[0])


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([3, 0, 7, 1], "from 0 to the 6 steps of the input; got 0 to 7"),
        ([3, -1, 6, 1], "got -1 to 6"),
        ([3, 0, 6], r"batch=4.*got \(3,\)"),
        ([3.0, 0.0, 6.0, 1.0], "whole numbers"),
        (3, r"batch=4.*got \(\)"),
        ("3061", "whole numbers; got '3061'"),
    ],
)
def test_lengths_that_do_not_fit(lengths, message):
    with pytest.raises(LengthsError, match=message):
        nn.LSTM(5, 7)(torch.zeros(6, 4, 5), lengths=lengths)


def test_lengths_belong_to_batched_unpacked_input():
    layer = nn.LSTM(5, 7)
    with pytest.raises(ConfigError, match="batched"):
        layer(torch.zeros(6, 5), lengths=[6])
    packed = torch.nn.utils.rnn.pack_sequence([torch.zeros(6, 5)])
    with pytest.raises(ConfigError, match="PackedSequence has its own lengths"):
        layer(packed, lengths=[6])


def test_all_sequences_may_be_empty(variant):
    layer = variant(5, 7, batch_first=True)
    for steps in (0, 3):
        y, state = layer(torch.zeros(2, steps, 5), lengths=[0, 0])
        assert y.shape[:2] == (2, steps)
        assert not y.any()
        assert not (state[0] if isinstance(state, tuple) else state).any()


def test_lengths_are_the_callers_to_change_before_backward():
    layer, x, lengths = nn.GRU(5, 7), torch.randn(6, 2, 5), torch.tensor([6, 3])
    expected = torch.autograd.grad(layer(x, lengths=[6, 3])[0].sum(), layer.weight_ih_l0)[0]
    y, _ = layer(x, lengths=lengths)
    lengths.fill_(0)
    assert torch.equal(torch.autograd.grad(y.sum(), layer.weight_ih_l0)[0], expected)
