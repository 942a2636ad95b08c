"""penstock.nn does what torch.nn does, argument by argument."""

import itertools

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence

from penstock import nn

NAMES = ("RNN", "LSTM", "GRU")


def pair(name, *args, **kwargs):
    """The same layer twice, ours and PyTorch's, made from the same seed."""
    torch.manual_seed(1)
    ours = getattr(nn, name)(*args, **kwargs)
    torch.manual_seed(1)
    theirs = getattr(torch.nn, name)(*args, **kwargs)
    return ours, theirs


def tensors(result):
    """All tensors of a layer's result, packed or not."""
    y, state = result
    y = y.data if isinstance(y, torch.nn.utils.rnn.PackedSequence) else y
    return [y, *(state if isinstance(state, tuple) else (state,))]


def assert_same(ours, theirs, x, *more):
    """Same outputs, states and gradients, dropout included, to float32's accuracy."""
    results, gradients = [], []
    for layer in (ours, theirs):
        own = x.data if isinstance(x, torch.nn.utils.rnn.PackedSequence) else x
        own = own.detach().clone().requires_grad_()
        given = x._replace(data=own) if isinstance(x, torch.nn.utils.rnn.PackedSequence) else own
        torch.manual_seed(2)
        outputs = tensors(layer(given, *more))
        torch.manual_seed(3)
        loss = sum((each * torch.randn(each.shape)).sum() for each in outputs)
        results.append(outputs)
        gradients.append(torch.autograd.grad(loss, [own, *layer.parameters()]))
    torch.testing.assert_close(results[0], results[1], rtol=1e-5, atol=2e-6)
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=2e-5)


def arguments():
    for name, bias, batch_first, bidirectional, layers in itertools.product(
        NAMES, (True, False), (True, False), (True, False), (1, 3)
    ):
        yield name, {"num_layers": layers, "bias": bias, "batch_first": batch_first, "bidirectional": bidirectional}
    yield "RNN", {"nonlinearity": "relu", "num_layers": 2}
    yield "LSTM", {"proj_size": 3, "num_layers": 2, "bidirectional": True}
    for name in NAMES:
        yield name, {"num_layers": 3, "dropout": 0.4, "batch_first": True}
        yield name, {"num_layers": 2, "dropout": 1.0}


# PyTorch's own layer says so of itself.
@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize(("name", "kwargs"), list(arguments()), ids=str)
def test_same_seed_same_results_and_gradients(name, kwargs):
    ours, theirs = pair(name, 5, 7, **kwargs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert all(torch.equal(ours.state_dict()[key], value) for key, value in theirs.state_dict().items())
    assert repr(ours) == repr(theirs)
    assert_same(ours, theirs, torch.randn(4, 6, 5))


@pytest.mark.parametrize("proj_size", [0, 3])
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("enforce_sorted", [True, False])
def test_packed_sequences(name, enforce_sorted, proj_size):
    extra = {"proj_size": proj_size} if name == "LSTM" and proj_size else {}
    ours, theirs = pair(name, 5, 7, num_layers=2, bidirectional=True, **extra)
    lengths = [6, 4, 4, 1] if enforce_sorted else [1, 6, 4, 4]
    packed = pack_padded_sequence(torch.randn(6, 4, 5), lengths, enforce_sorted=enforce_sorted)
    state = torch.randn(4, 4, extra.get("proj_size", 7))
    hx = (state, torch.randn(4, 4, 7)) if name == "LSTM" else state
    assert_same(ours, theirs, packed)
    assert_same(ours, theirs, packed, hx)
    y, _ = ours(packed, hx)
    assert isinstance(y, torch.nn.utils.rnn.PackedSequence)
    assert y.batch_sizes.tolist() == packed.batch_sizes.tolist()


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_unbatched_input(name, batch_first):
    ours, theirs = pair(name, 5, 7, num_layers=2, batch_first=batch_first)
    state = torch.randn(2, 7)
    hx = (state, torch.randn(2, 7)) if name == "LSTM" else state
    assert_same(ours, theirs, torch.randn(6, 5))
    assert_same(ours, theirs, torch.randn(6, 5), hx)


@pytest.mark.parametrize("shape", [(5,), (3, 5)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_cells(name, bias, shape):
    ours, theirs = pair(f"{name}Cell", 5, 7, bias=bias)
    assert repr(ours) == repr(theirs)
    assert all(torch.equal(ours.state_dict()[key], value) for key, value in theirs.state_dict().items())
    x, state = torch.randn(shape), torch.randn(*shape[:-1], 7)
    hx = (state, torch.randn_like(state)) if name == "LSTM" else state
    for arguments in ((x,), (x, hx)):
        results = [each(*arguments) for each in (ours, theirs)]
        torch.testing.assert_close(results[0], results[1])
        losses = [(each[1] if isinstance(each, tuple) else each).square().sum() for each in results]
        gradients = [
            torch.autograd.grad(loss, list(layer.parameters()))
            for loss, layer in zip(losses, (ours, theirs), strict=True)
        ]
        torch.testing.assert_close(gradients[0], gradients[1])


@pytest.mark.parametrize("name", NAMES)
def test_parts_of_the_module_that_others_rely_on(name):
    ours, theirs = pair(name, 5, 7, num_layers=2, bidirectional=True)
    assert [[each.shape for each in row] for row in ours.all_weights] == [
        [each.shape for each in row] for row in theirs.all_weights
    ]
    ours.flatten_parameters()
    assert isinstance(ours, torch.nn.RNNBase)
    assert ours.mode == theirs.mode
    theirs.load_state_dict(ours.state_dict())
    assert next(nn.LSTM(2, 3, device="meta", dtype=torch.float64).parameters()).dtype == torch.float64


# As PyTorch 2.13 does; 2.10 does not look at them.
newer = pytest.mark.skipif(torch.__version__ < "2.13", reason="this PyTorch takes what a newer one refuses")


@pytest.mark.parametrize(
    ("name", "arguments", "keywords"),
    [
        ("LSTM", (5, 0), {}),
        pytest.param("LSTM", (0, 5), {}, marks=newer),
        ("LSTM", (5, 7, 0), {}),
        pytest.param("LSTM", (5, 7), {"bias": 1}, marks=newer),
        pytest.param("LSTM", (5, 7), {"batch_first": 1}, marks=newer),
        ("LSTM", (5.0, 7), {}),
        ("LSTM", (5, 7), {"dropout": 1.5}),
        ("LSTM", (5, 7), {"proj_size": 7}),
        ("LSTM", (5, 7), {"proj_size": -1}),
        ("GRU", (5, 7), {"proj_size": 3}),
        ("RNN", (5, 7), {"nonlinearity": "gelu"}),
    ],
    ids=str,
)
def test_wrong_arguments_raise_what_torch_raises(name, arguments, keywords):
    with pytest.raises((ValueError, TypeError)) as theirs:
        getattr(torch.nn, name)(*arguments, **keywords)
    with pytest.raises(type(theirs.value)) as ours:
        getattr(nn, name)(*arguments, **keywords)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize(
    ("x", "hx"),
    [
        (torch.zeros(4, 2, 6), None),
        (torch.zeros(4, 2, 1, 5), None),
        (torch.zeros(4, 2, 5, dtype=torch.float64), None),
        (torch.zeros(0, 2, 5), None),
        (torch.zeros(4, 2, 5), torch.zeros(1, 3, 7)),
        (torch.zeros(4, 2, 5), torch.zeros(2, 7)),
        (torch.zeros(4, 5), torch.zeros(1, 2, 7)),
        (torch.zeros(4, 2, 5), torch.zeros(1, 2, 7, dtype=torch.float64)),
    ],
    ids=lambda each: "none" if each is None else "x".join(map(str, each.shape)),
)
def test_input_that_does_not_fit_raises_what_torch_raises(x, hx):
    ours, theirs = pair("GRU", 5, 7)
    with pytest.raises((ValueError, RuntimeError)) as expected:
        theirs(x, hx)
    with pytest.raises(type(expected.value), match=r"got|input|sequence"):
        ours(x, hx)


def test_one_state_is_not_a_pair():
    with pytest.raises(RuntimeError, match="h_0, c_0"):
        nn.LSTM(5, 7)(torch.zeros(4, 2, 5), torch.zeros(1, 2, 7))


def test_an_empty_batch_gives_an_empty_answer():
    ours, theirs = pair("LSTM", 5, 7)
    assert [each.shape for each in tensors(ours(torch.zeros(4, 0, 5)))] == [
        each.shape for each in tensors(theirs(torch.zeros(4, 0, 5)))
    ]
