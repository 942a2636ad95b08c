"""Heads: PyTorch's and the engine's give the same probabilities, which sum to 1."""

import numpy as np
import pytest
import torch

from penstock.errors import ConfigError
from penstock.language.head import BernoulliReadout, NextTokenReadout
from penstock.language.layers import BernoulliHeadModule, NextTokenHeadModule
from penstock.language.module import LanguageModule
from penstock.language.scorer import LanguageScorer
from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.network import Embedding, Network, Recurrent
from penstock.network.spelling import read, spell
from penstock.nn.threads import engine_threads_of

FEATURES = 16
HEADS = {
    "plain": NextTokenHead(11),
    "tied": NextTokenHead(11, tied=True, size=16),
    "projected": NextTokenHead(11, tied=True, size=4),
    "adaptive": NextTokenHead(11, cutoffs=[3, 7]),
}


@pytest.mark.parametrize("name", HEADS)
def test_pytorch_and_the_engine_agree(name):
    torch.manual_seed(0)
    spec = HEADS[name]
    module = NextTokenHeadModule(spec, features=FEATURES).eval()
    table = torch.randn(11, spec.size) if spec.tied else None
    tensors = {key: value.numpy() for key, value in module.state_dict().items()}
    assert {key: array.shape for key, array in tensors.items()} == spec.parameter_shapes(FEATURES)
    head = NextTokenReadout(spec, tensors | ({"weight": table.numpy()} if spec.tied else {}), features=FEATURES)
    y = torch.randn(40, FEATURES)
    targets = torch.arange(40) % 11
    with torch.no_grad():
        expected, losses = module(y, table).numpy(), module.losses(y, targets, table).numpy()
    scores = head.scores(y.numpy()).astype(np.float64)
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    # Sums run in another order than in PyTorch.
    np.testing.assert_allclose(logs, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(head.log_probabilities(y.numpy(), targets.numpy()), -losses, rtol=1e-4, atol=1e-5)
    alone = [head.log_probabilities(y[row : row + 1].numpy(), targets[row : row + 1].numpy()) for row in range(40)]
    np.testing.assert_array_equal(np.concatenate(alone), head.log_probabilities(y.numpy(), targets.numpy()))


@pytest.mark.parametrize("name", HEADS)
def test_the_mean_loss_and_its_gradients_are_pytorchs(name, monkeypatch):
    monkeypatch.setattr("penstock.language.layers._SCORES", 1)
    monkeypatch.setattr("penstock.language.layers._FEWEST_ROWS", 7)
    torch.manual_seed(0)
    spec = HEADS[name]
    module = NextTokenHeadModule(spec, features=FEATURES)
    table = torch.randn(11, spec.size).requires_grad_() if spec.tied else None
    y, targets = (torch.randn(40, FEATURES) * 3).requires_grad_(), torch.arange(40) % 11
    trained = [y, *module.parameters(), *([] if table is None else [table])]
    found, expected = module.mean_loss(y, targets, table), module.losses(y, targets, table).mean()
    torch.testing.assert_close(found, expected)
    for ours, theirs in zip(
        torch.autograd.grad(3 * found, trained), torch.autograd.grad(3 * expected, trained), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.fixture
def small_parts(monkeypatch):
    """Blocks of 7 rows in parts of a few rows and tokens; PyTorch has one thread, as in a training."""
    for name, value in {"_SCORES": 1, "_FEWEST_ROWS": 7, "_PART": 35}.items():
        monkeypatch.setattr(f"penstock.language.layers.{name}", value)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def _head_case(dtype, rows, tokens, features):
    torch.manual_seed(0)
    module = NextTokenHeadModule(NextTokenHead(tokens), features=features).to(dtype)
    return module, torch.randn(rows, features, dtype=dtype).requires_grad_(), torch.arange(rows) % tokens


def test_the_mean_loss_and_its_gradients_do_not_depend_on_the_number_of_threads(small_parts):
    module, y, targets = _head_case(torch.float32, rows=40, tokens=23, features=4)
    found = {}
    for threads in (1, 2, 3):
        with engine_threads_of(threads):
            loss = module.mean_loss(y, targets)
        found[threads] = [loss, *torch.autograd.grad(loss, [y, *module.parameters()])]
    for one, two, three in zip(*found.values(), strict=True):
        np.testing.assert_array_equal(one.detach(), two.detach())
        np.testing.assert_array_equal(one.detach(), three.detach())
    torch.testing.assert_close(found[2][0], module.losses(y, targets).mean())


def test_the_gradients_of_the_mean_loss_on_two_threads_are_its_derivatives(small_parts):
    module, y, targets = _head_case(torch.float64, rows=8, tokens=11, features=2)
    with engine_threads_of(2):
        assert torch.autograd.gradcheck(lambda y, *_: module.mean_loss(y, targets), [y, *module.parameters()])


def test_unlikely_tokens_have_finite_logarithms():
    head = NextTokenReadout(
        NextTokenHead(2), {"weight": np.eye(2, dtype=np.float32), "bias": np.zeros(2, np.float32)}, features=2
    )
    found = head.log_probabilities(np.array([[0, 200]], np.float32), np.array([0]))
    np.testing.assert_array_equal(found, np.float32([-200]))


def test_notes_agree():
    torch.manual_seed(0)
    module = BernoulliHeadModule(BernoulliHead(5), features=3)
    head = BernoulliReadout(
        BernoulliHead(5), {key: value.numpy() for key, value in module.state_dict().items()}, features=3
    )
    y, targets = torch.randn(9, 3), (torch.rand(9, 5) < 0.4).float()
    with torch.no_grad():
        losses = module.losses(y, targets).numpy()
    np.testing.assert_allclose(head.log_probabilities(y.numpy(), targets.numpy()), -losses, rtol=1e-5)


def test_a_tied_table_is_stored_and_trained_once():
    network = Network(Embedding(11, 16), Recurrent(cell="gru", input_size=16, hidden_size=16), HEADS["tied"])
    module = LanguageModule(network)
    assert module.state_dict().keys() == network.parameter_shapes().keys()
    module(torch.tensor([[1, 2]])).sum().backward()
    assert module.inputs.weight.grad.abs().sum(1).count_nonzero() == 11
    other = Network(Embedding(11, 4), Recurrent(cell="gru", input_size=4, hidden_size=6), HEADS["tied"])
    for make in (LanguageModule, lambda each: LanguageScorer(each, {})):
        with pytest.raises(ConfigError, match="shares the table of an embedding"):
            make(other)


def test_an_adaptive_softmax_needs_wide_layers():
    network = Network(Embedding(11, 6), Recurrent(cell="gru", input_size=6, hidden_size=15), HEADS["adaptive"])
    with pytest.raises(ConfigError, match="2 clusters needs layers with at least 16 outputs; got 15"):
        LanguageModule(network)


def test_what_reads_backward_is_refused():
    encoder = Recurrent(cell="gru", input_size=6, hidden_size=8, bidirectional=True)
    network = Network(Embedding(11, 6), encoder, HEADS["plain"])
    for make in (LanguageModule, lambda each: LanguageScorer(each, {})):
        with pytest.raises(ConfigError, match="reads forward"):
            make(network)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tokens": 1}, "tokens must be a whole number, at least 2"),
        ({"tokens": 9, "tied": True}, "size must be a whole number, at least 1"),
        ({"tokens": 9, "cutoffs": [4, 2]}, "cutoffs must be ascending ids from 1 to 8"),
        ({"tokens": 9, "cutoffs": [9]}, "cutoffs must be ascending"),
        ({"tokens": 9, "cutoffs": "4"}, "must be a list of ids"),
        ({"tokens": 9, "cutoffs": [4], "tied": True, "size": 3}, "has weights of its own"),
    ],
)
def test_a_wrong_description_is_refused(fields, message):
    with pytest.raises(ConfigError, match=message):
        NextTokenHead(**fields)


def test_a_description_comes_back():
    for spec in HEADS.values():
        assert read(NextTokenHead, spell(spec), "head") == spec
