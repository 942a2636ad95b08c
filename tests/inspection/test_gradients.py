"""Gradient norms against finite differences in the state, and where the answer is known."""

import numpy as np
import pytest
import torch

from penstock import cells
from penstock.cells.sweep import sweep
from penstock.errors import ConfigError, ShapeError
from penstock.inspection import gradient_norms

LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}


def last_output_squared(y):
    return y[-1].square().sum()


def numeric_norm(cell, parameters, x, states, step):
    """|d loss / d state(step)| by central differences: the rest of the sequence is run from a moved state."""

    def loss(state):
        y, _ = sweep(cell, x[step + 1 :], state, parameters)
        last = y[-1] if len(y) else state[0]
        return float((last**2).sum())

    total = 0.0
    for part in range(len(states[step])):
        for index in np.ndindex(states[step][part].shape):
            values = []
            for move in (1e-5, -1e-5):
                state = [array.copy() for array in states[step]]
                state[part][index] += move
                values.append(loss(tuple(state)))
            total += ((values[0] - values[1]) / 2e-5) ** 2
    return np.sqrt(total / x.shape[1])


@pytest.mark.parametrize("name", LAYERS)
def test_norms_match_finite_differences(name):
    torch.manual_seed(0)
    layer = LAYERS[name](3, 4).double()
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    parameters = {key.removesuffix("_l0"): value.detach().numpy() for key, value in layer.named_parameters()}
    cell = cells.find(name)
    state = tuple(np.zeros((2, 4)) for _ in cell.states)
    states = []
    for step in range(5):
        _, state = sweep(cell, x[step : step + 1].numpy(), state, parameters)
        states.append(state)
    norms = gradient_norms(layer, x, last_output_squared)
    expected = [numeric_norm(cell, parameters, x.numpy(), states, step) for step in range(5)]
    np.testing.assert_allclose(norms, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_the_engine_gives_what_pytorch_gives(name):
    nn = pytest.importorskip("penstock.nn")
    torch.manual_seed(0)
    ours = getattr(nn, name)(3, 8)
    theirs = getattr(torch.nn, name)(3, 8)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(20, 4, 3)
    assert ours.path(x) == "native"
    expected = gradient_norms(theirs, x, last_output_squared)
    np.testing.assert_allclose(gradient_norms(ours, x, last_output_squared), expected, rtol=1e-4)


def test_a_halving_recurrence_halves_the_gradient_per_step():
    layer = torch.nn.RNN(1, 1, nonlinearity="relu", bias=False)
    with torch.no_grad():
        layer.weight_ih_l0.fill_(1.0)
        layer.weight_hh_l0.fill_(0.5)
    norms = gradient_norms(layer, torch.ones(6, 1, 1), lambda y: y[-1].sum())
    np.testing.assert_allclose(norms[::-1], 0.5 ** np.arange(6))


def test_parameters_keep_their_gradients():
    layer = torch.nn.GRU(2, 3)
    gradient_norms(layer, torch.ones(4, 1, 2), last_output_squared)
    assert all(parameter.grad is None for parameter in layer.parameters())


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"batch_first": True}], ids=str)
def test_other_layouts_are_refused(options):
    with pytest.raises(ConfigError, match="bidirectional=False and batch_first=False"):
        gradient_norms(torch.nn.GRU(2, 3, **options), torch.ones(4, 1, 2), last_output_squared)


@pytest.mark.parametrize("shape", [(4, 2), (0, 1, 2)], ids=str)
def test_x_of_another_shape_is_refused(shape):
    with pytest.raises(ShapeError, match=r"\(time, batch, input\)"):
        gradient_norms(torch.nn.GRU(2, 3), torch.ones(shape), last_output_squared)


def test_a_loss_that_is_not_a_scalar_is_refused():
    with pytest.raises(ShapeError, match="scalar"):
        gradient_norms(torch.nn.GRU(2, 3), torch.ones(4, 1, 2), lambda y: y[-1])
