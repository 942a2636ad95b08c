"""For every cell: a state_dict run without PyTorch gives PyTorch's results, whole or streamed."""

import numpy as np
import pytest

from penstock.cells import VARIANTS, find, sweep_stack
from penstock.network import Recurrent
from penstock.runtime import Recurrence

torch = pytest.importorskip("torch")
TORCH = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
TORCHES = [
    ("rnn", {"nonlinearity": "tanh"}),
    ("rnn", {"nonlinearity": "relu"}),
    ("lstm", {}),
    ("lstm", {"proj_size": 5}),
    ("gru", {}),
]
INPUT, HIDDEN, BATCH, STEPS = 7, 19, 3, 11


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """PyTorch's threads wait by spinning, which costs more than these small layers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def name(variant):
    return "-".join([variant[0], *(f"{option}={value}" for option, value in variant[1].items())])


def shown(options):
    """The options that no parameter shows, which a user has to give."""
    return {key: value for key, value in options.items() if key in ("nonlinearity", "reset_after", "zoneout")}


def arrays(module):
    return {key: tensor.detach().numpy() for key, tensor in module.state_dict().items()}


def as_tuple(state):
    return state if isinstance(state, tuple) else (state,)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# oneDNN has no projections, and PyTorch warns that it takes its own code.
@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("layers", [1, 2, 3], ids="L{}".format)
@pytest.mark.parametrize("variant", TORCHES, ids=name)
def test_results_are_those_of_pytorch(variant, layers, bidirectional, bias):
    cell, options = variant
    torch.manual_seed(layers)
    module = TORCH[cell](
        INPUT, HIDDEN, num_layers=layers, bidirectional=bidirectional, bias=bias, batch_first=True, **options
    )
    network = Recurrence(arrays(module), cell, **shown(options))
    assert network.spec == Recurrent(
        cell=cell, input_size=INPUT, hidden_size=HIDDEN, num_layers=layers, bidirectional=bidirectional, bias=bias,
        **options,
    )  # fmt: skip
    x = random(BATCH, STEPS, INPUT)
    with torch.no_grad():
        y, state = module(torch.tensor(x))
        again, last = module(torch.tensor(x), state)
    ours, ours_state = network(x, batch_first=True)
    # float32, sums in another order, over at most 22 steps of 3 layers.
    np.testing.assert_allclose(ours, y.numpy(), atol=2e-5)
    ours_again, ours_last = network(x, ours_state, batch_first=True)
    np.testing.assert_allclose(ours_again, again.numpy(), atol=2e-5)
    for one, other in zip(as_tuple(ours_last), as_tuple(last), strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=2e-5)


ZONED = [("rnn", {"zoneout": 0.2}), ("gru", {"zoneout": 0.3}), ("lstm", {"zoneout": (0.1, 0.4)})]


@pytest.fixture(params=[*VARIANTS, *ZONED], ids=name)
def variant(request):
    cell, options = request.param
    return cell, {key: 5 if value is None else value for key, value in options.items()}


def make(variant, layers=2, bidirectional=False):
    cell, options = variant
    spec = Recurrent(
        cell=cell, input_size=INPUT, hidden_size=HIDDEN, num_layers=layers, bidirectional=bidirectional, **options
    )
    rng = np.random.default_rng(1)
    parameters = {
        key: rng.normal(size=shape, scale=0.2).astype(np.float32) for key, shape in spec.parameter_shapes().items()
    }
    network = Recurrence(parameters, cell, **shown(options))
    assert network.spec == spec
    return network, parameters


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
def test_results_are_those_of_the_equations(variant, bidirectional):
    network, parameters = make(variant, bidirectional=bidirectional)
    x, lengths = random(STEPS, BATCH, INPUT), np.array([0, STEPS, 4])
    y, state = network(x, lengths=lengths)
    double = {key: array.astype(np.float64) for key, array in parameters.items()}
    expected, last = sweep_stack(
        find(variant[0]), x.astype(np.float64), None, double, lengths=lengths,
        num_layers=2, bidirectional=bidirectional, **network.spec.options,
    )  # fmt: skip
    np.testing.assert_allclose(y, expected, atol=1e-5)
    for one, other in zip(as_tuple(state), last, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2, 3], ids="L{}".format)
@pytest.mark.parametrize("batch", [1, 3], ids="B{}".format)
def test_pushed_one_by_one_many_at_once_and_whole_are_the_same_bits(variant, layers, batch):
    network, _ = make(variant, layers)
    x = random(STEPS, batch, INPUT)
    whole, state = network(x)
    single, several, mixed = (network.stream(batch) for _ in range(3))
    assert np.stack([single.push(step) for step in x]).tobytes() == whole.tobytes()
    assert several.push_many(x).tobytes() == whole.tobytes()
    pieces = [mixed.push_many(x[:4]), mixed.push(x[4])[None], mixed.push_many(x[5:5]), mixed.push_many(x[5:])]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()
    assert single.save() == several.save() == mixed.save()
    for number, states in enumerate(as_tuple(state)):
        name = network.spec.declaration.states[number]
        carried = [array for key, array in single.arrays().items() if key.endswith(name)]
        assert np.stack(carried).tobytes() == states.tobytes()


def test_saved_forked_and_reset_streams_continue_with_the_same_bits(variant):
    network, _ = make(variant)
    x = random(STEPS, INPUT)
    stream = network.stream()
    first = stream.push_many(x)
    saved, fork = stream.save(), stream.fork()
    after = stream.push(x[0])
    assert fork.push(x[0]).tobytes() == network.stream().load(saved).push(x[0]).tobytes() == after.tobytes()
    stream.reset()
    assert stream.push_many(x).tobytes() == first.tobytes()
    assert fork.push(x[1]).tobytes() != first[1].tobytes()
