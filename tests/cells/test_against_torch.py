"""Our cells and sweeps against those of `torch.nn`, where PyTorch has them."""

import pytest
import torch

from penstock.cells import find, sweep_stack

# Both compute in float64 and differ by the order of a few sums and by how they write the sigmoid.
TOLERANCE = {"rtol": 1e-12, "atol": 1e-12}

SHAPES = [(1, 1, 1, 1), (1, 2, 3, 2), (7, 1, 5, 3), (4, 3, 2, 8)]


def _id(shape):
    return "T{}-B{}-I{}-H{}".format(*shape)


def _draw(module, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.data.uniform_(-1, 1, generator=generator)
    return dict(module.named_parameters()), generator


@pytest.mark.parametrize("shape", SHAPES, ids=_id)
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no-bias"])
@pytest.mark.parametrize(
    ("name", "options", "module"),
    [
        ("rnn", {"nonlinearity": "tanh"}, torch.nn.RNNCell),
        ("rnn", {"nonlinearity": "relu"}, torch.nn.RNNCell),
        ("lstm", {}, torch.nn.LSTMCell),
        ("gru", {}, torch.nn.GRUCell),
    ],
    ids=["rnn-tanh", "rnn-relu", "lstm", "gru"],
)
def test_step_equals_the_module_of_one_step(name, options, module, bias, shape):
    _, batch, input_size, hidden_size = shape
    theirs = module(input_size, hidden_size, bias=bias, dtype=torch.float64, **options)
    parameters, generator = _draw(theirs)
    cell = find(name)
    x = torch.randn(batch, input_size, dtype=torch.float64, generator=generator)
    state = tuple(torch.randn(batch, hidden_size, dtype=torch.float64, generator=generator) for _ in cell.states)
    expected = theirs(x, state if name == "lstm" else state[0])
    expected = expected if name == "lstm" else (expected,)
    for ours, wanted in zip(cell.step(x, state, parameters, **options), expected, strict=True):
        torch.testing.assert_close(ours, wanted, **TOLERANCE)


MODULES = [
    ("rnn", {"nonlinearity": "tanh"}, torch.nn.RNN),
    ("rnn", {"nonlinearity": "relu"}, torch.nn.RNN),
    ("lstm", {}, torch.nn.LSTM),
    ("lstm", {"proj_size": 2}, torch.nn.LSTM),
    ("gru", {}, torch.nn.GRU),
]
MODULE_IDS = ["rnn-tanh", "rnn-relu", "lstm", "lstm-projected", "gru"]


@pytest.mark.parametrize("lengths", [None, (1, 4, 2)], ids=["dense", "ragged"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["forward", "both"])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize(("name", "options", "module"), MODULES, ids=MODULE_IDS)
def test_stack_equals_the_module_in_values_and_gradients(name, options, module, num_layers, bidirectional, lengths):
    steps, batch, input_size, hidden_size = 4, 3, 5, 6
    theirs = module(input_size, hidden_size, num_layers, bidirectional=bidirectional, dtype=torch.float64, **options)
    parameters, generator = _draw(theirs)
    cell = find(name)
    rows = num_layers * (2 if bidirectional else 1)
    x = torch.randn(steps, batch, input_size, dtype=torch.float64, generator=generator, requires_grad=True)
    states = tuple(
        torch.randn(rows, batch, size, dtype=torch.float64, generator=generator, requires_grad=True)
        for size in cell.state_sizes(hidden_size, **options)
    )
    packed = x
    if lengths is not None:
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
    expected, finals = theirs(packed, states if name == "lstm" else states[0])
    if lengths is not None:
        expected, _ = torch.nn.utils.rnn.pad_packed_sequence(expected, total_length=steps)
    expected = (expected, *(finals if name == "lstm" else (finals,)))

    y, ours = sweep_stack(
        cell,
        x,
        states,
        parameters,
        num_layers,
        bidirectional,
        None if lengths is None else torch.tensor(lengths),
        **options,
    )
    got = (y, *ours)
    weighting = [torch.randn(e.shape, dtype=e.dtype, generator=generator) for e in expected]
    leaves = (x, *states, *parameters.values())
    gradients = [
        torch.autograd.grad(sum((w * v).sum() for w, v in zip(weighting, values, strict=True)), leaves)
        for values in (got, expected)
    ]
    for mine, wanted in zip((*got, *gradients[0]), (*expected, *gradients[1]), strict=True):
        torch.testing.assert_close(mine, wanted, **TOLERANCE)


def test_dropout_goes_between_layers_only():
    cell, x = find("gru"), torch.ones(2, 1, 3, dtype=torch.float64)
    theirs = torch.nn.GRU(3, 4, num_layers=3, dtype=torch.float64)
    parameters, _ = _draw(theirs)
    seen = []

    def double(y):
        seen.append(y.shape)
        return 2 * y

    y, _ = sweep_stack(cell, x, None, parameters, num_layers=3, between_layers=double)
    for name, parameter in parameters.items():
        if name in ("weight_ih_l1", "weight_ih_l2"):
            parameter.data.mul_(2)
    assert seen == [(2, 1, 4), (2, 1, 4)]
    torch.testing.assert_close(y, theirs(x)[0], **TOLERANCE)
