"""Named initial values."""

import math

import pytest
import torch

from penstock import nn
from penstock.errors import ConfigError


def gate(bias, index, hidden=64):
    return bias[index * hidden : (index + 1) * hidden]


def test_torch_is_the_default_and_peepholes_leave_the_rest_alone():
    torch.manual_seed(0)
    plain = torch.nn.LSTM(5, 7, 2, bidirectional=True)
    torch.manual_seed(0)
    ours = nn.LSTM(5, 7, 2, bidirectional=True, peephole=True)
    for name, value in plain.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value)
    peepholes = [ours.state_dict()[f"weight_ch_l{k}{suffix}"] for k in (0, 1) for suffix in ("", "_reverse")]
    assert all(each.shape == (3, 7) and each.any() and each.abs().max() <= 7**-0.5 for each in peepholes)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_orthogonal(name):
    layer = getattr(nn, name)(5, 16, 2, bidirectional=True, init="orthogonal")
    for part, weight in layer.named_parameters():
        if part.startswith("weight_hh"):
            for each in weight.split(16):
                torch.testing.assert_close(each @ each.T, torch.eye(16), rtol=0, atol=1e-5)
        elif part.startswith("weight_ih"):
            bound = math.sqrt(6 / (16 + weight.shape[1]))
            assert 0.8 * bound < weight.abs().max() <= bound
        else:
            expected = torch.zeros_like(weight)
            if name == "LSTM" and part.startswith("bias_ih"):
                gate(expected, 1, 16).fill_(1)
            assert torch.equal(weight, expected)


def test_forget_bias():
    lstm, gru = nn.LSTM(5, 64, init="forget_bias"), nn.GRUCell(5, 64, init="forget_bias")
    assert torch.equal(gate(lstm.bias_ih_l0 + lstm.bias_hh_l0, 1), torch.ones(64))
    assert torch.equal(gate(gru.bias_ih + gru.bias_hh, 1), torch.ones(64))
    torch.manual_seed(0)
    plain = torch.nn.LSTM(5, 64)
    torch.manual_seed(0)
    lstm.reset_parameters()
    assert torch.equal(gate(lstm.bias_ih_l0, 0), gate(plain.bias_ih_l0, 0))
    assert torch.equal(gate(lstm.bias_ih_l0, 1), torch.ones(64))


def test_chrono():
    """b_f = log(U(1, T - 1)), b_i = -b_f: the mean time to forget, 1 + exp(b_f), is spread evenly up to T."""
    lstm, gru = nn.LSTM(5, 4096, init="chrono", max_time=100), nn.GRU(5, 4096, init="chrono", max_time=100)
    forget = gate(lstm.bias_ih_l0 + lstm.bias_hh_l0, 1, 4096)
    assert torch.equal(gate(lstm.bias_ih_l0 + lstm.bias_hh_l0, 0, 4096), -forget)
    for bias in (forget, gate(gru.bias_ih_l0 + gru.bias_hh_l0, 1, 4096)):
        times = bias.detach().exp()
        assert times.min() >= 1
        assert times.max() <= 99 * (1 + 1e-5)
        # mean (1 + 99) / 2, of 4096 draws with deviation 98 / sqrt(12): within five of its own deviations
        assert abs(times.mean() - 50) < 5 * 98 / math.sqrt(12 * 4096)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.LSTM(5, 7, init="zeros"), "must be one of torch, orthogonal"),
        (lambda: nn.RNN(5, 7, init="forget_bias"), "rnn has none"),
        (lambda: nn.LSTM(5, 7, init="chrono"), "needs max_time"),
        (lambda: nn.LSTM(5, 7, init="chrono", max_time=2), "at least 3; got 2"),
        (lambda: nn.GRU(5, 7, max_time=10), "applies only to init='chrono'"),
        (lambda: nn.GRU(5, 7, bias=False, init="forget_bias"), "use bias=True"),
        (lambda: nn.LSTMCell(5, 7, init="Torch"), "must be one of"),
        (lambda: nn.LSTM(5, 7, peephole=1), "peephole must be True or False"),
        (lambda: nn.GRU(5, 7, reset_after=None), "reset_after must be True or False"),
        (lambda: nn.RNNCell(5, 7, nonlinearity="gelu"), "nonlinearity must be 'tanh' or 'relu'"),
    ],
)
def test_invalid_values_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_repr_shows_what_is_not_default():
    assert repr(nn.LSTM(5, 7, peephole=True)) == "LSTM(5, 7, peephole=True)"
    assert repr(nn.GRU(5, 7, reset_after=False, init="chrono", max_time=9)) == (
        "GRU(5, 7, reset_after=False, init='chrono', max_time=9)"
    )
    assert repr(nn.LSTMCell(5, 7, peephole=True)) == "LSTMCell(5, 7, peephole=True)"
