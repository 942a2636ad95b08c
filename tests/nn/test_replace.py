"""nn.replace swaps the recurrent layers of a model that exists."""

import copy
import operator

import pytest
import torch
from torch.nn.utils import parametrizations, prune

from penstock import nn
from penstock.errors import ConfigError


class Tagger(torch.nn.Module):
    """A model of a user's own, with a layer that is used under two names."""

    def __init__(self):
        super().__init__()
        self.encoder = torch.nn.LSTM(4, 6, 2, bidirectional=True, batch_first=True, dropout=0.5, proj_size=3)
        self.layers = torch.nn.ModuleList([torch.nn.GRU(6, 5), torch.nn.RNN(5, 5, nonlinearity="relu", bias=False)])
        self.cells = torch.nn.ModuleDict({"lstm": torch.nn.LSTMCell(5, 5), "gru": torch.nn.GRUCell(5, 5)})
        self.again = self.layers[0]
        self.nothing = None

    def forward(self, x):
        x, _ = self.encoder(x)
        for layer in self.layers:
            x, _ = layer(x)
        h, _ = self.cells["lstm"](x[0])
        return self.cells["gru"](h)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_the_model_computes_the_same_with_the_same_parameters():
    model = Tagger().eval()
    x = torch.randn(3, 7, 4)
    expected, parameters, names = model(x), list(model.parameters()), list(model.state_dict())
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.get_rng_state()
    assert nn.replace(model) is model
    assert torch.equal(torch.get_rng_state(), generator)
    ours = [model.encoder, *model.layers, *model.cells.values()]
    assert [type(each) for each in ours] == [nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell]
    assert model.again is model.layers[0]
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    assert list(model.state_dict()) == names
    torch.testing.assert_close(model(x), expected)
    assert not model.encoder.training
    assert model.encoder.dropout == 0.5
    model(x).sum().backward()
    optimiser.step()
    assert not torch.allclose(model(x), expected, atol=1e-3)


def test_a_layer_by_itself_is_returned_as_a_new_one():
    layer = torch.nn.GRU(4, 5)
    twin = nn.replace(layer)
    assert type(twin) is nn.GRU
    assert twin.weight_hh_l0 is layer.weight_hh_l0


@pytest.mark.filterwarnings("ignore:dropout option adds dropout")
def test_a_single_layer_with_dropout_is_not_warned_of_twice():
    layer = torch.nn.LSTM(4, 5, dropout=0.5)
    with pytest.warns(UserWarning, match="dropout"):
        torch.nn.LSTM(4, 5, dropout=0.5)
    assert nn.replace(layer).dropout == 0.5


def test_hooks_stay():
    model, calls = torch.nn.Sequential(torch.nn.RNN(4, 5)), []
    model[0].register_forward_hook(lambda *_: calls.append("forward"))
    nn.replace(model)
    model(torch.zeros(3, 2, 4))
    assert calls == ["forward"]


class Own(torch.nn.LSTM):
    """A layer whose forward pass may be anything."""


def test_what_may_compute_something_else_stays_and_is_named():
    normed = parametrizations.weight_norm(torch.nn.GRU(4, 5), "weight_hh_l0")
    exchanged = torch.nn.GRU(4, 5)
    exchanged.forward = lambda x: x
    taken = torch.nn.RNN(4, 5)
    taken.freeze = "a name that our layer has"
    model = torch.nn.Sequential(Own(4, 5), normed, torch.nn.Linear(4, 5), torch.nn.ModuleList([exchanged, taken]))
    before = list(model.modules())
    with pytest.warns(UserWarning, match="replace kept these layers") as warned:
        nn.replace(model)
    assert all(map(operator.is_, before, model.modules()))
    message = str(warned[0].message)
    for part in (
        "0 (Own is a subclass",
        "1 (its weights are parametrised",
        "3.0 (it has an additional attribute forward",
        "3.1 (it has an additional attribute freeze",
    ):
        assert part in message
    with pytest.warns(UserWarning, match="the model itself"):
        assert type(nn.replace(Own(4, 5))) is Own
    assert nn.replace(nn.replace(torch.nn.LSTM(4, 5))).hidden_size == 5


def test_what_a_layer_was_given_goes_with_it():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.LSTM(4, 5, 2, dropout=0.5), torch.nn.GRUCell(4, 5))
    layer, cell = model
    for each in (layer, cell):
        each.register_buffer("scale", torch.tensor(2.0))
        each.register_buffer("passing", torch.tensor(3.0), persistent=False)
        each.register_parameter("gain", torch.nn.Parameter(torch.ones(3)))
        each.inner = torch.nn.Linear(2, 2).eval()
        each.note = {"made": "by hand"}
    layer.dropout = 0.25
    names, buffers = list(model.state_dict()), dict(model.named_buffers())
    nn.replace(model)
    assert [type(each) for each in model] == [nn.LSTM, nn.GRUCell]
    assert list(model.state_dict()) == names
    assert all(buffers[name] is each for name, each in model.named_buffers())
    for ours, theirs in zip(model, (layer, cell), strict=True):
        assert ours.note is theirs.note
        assert ours.inner is theirs.inner
        assert (ours.inner.training, ours.training) == (False, True)
        assert ours.gain is theirs.gain
    assert model[0].dropout == 0.25


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated")
def test_pruned_and_normed_layers_stay_so():
    torch.manual_seed(0)
    x = torch.randn(3, 2, 4)
    pruned = prune.l1_unstructured(torch.nn.GRU(4, 5), "weight_ih_l0", amount=0.5)
    normed = torch.nn.utils.weight_norm(torch.nn.LSTM(4, 5, bidirectional=True), "weight_hh_l0")
    for layer, original in ((pruned, "weight_ih_l0_orig"), (normed, "weight_hh_l0_g")):
        expected = layer(x)[0]
        twin = nn.replace(layer)
        assert type(twin).__module__.startswith("penstock")
        torch.testing.assert_close(twin(x)[0], expected)
        with torch.no_grad():
            getattr(layer, original).mul_(2)
            changed = twin(x)[0]
        torch.testing.assert_close(changed, layer(x)[0])
        assert not torch.allclose(changed, expected, atol=1e-3)
    prune.remove(nn.replace(torch.nn.ModuleList([pruned]))[0], "weight_ih_l0")


def test_tied_weights_stay_tied():
    first, second = torch.nn.GRU(5, 5), torch.nn.GRU(5, 5)
    second.weight_hh_l0 = first.weight_hh_l0
    model = nn.replace(torch.nn.Sequential(first, second))
    assert model[0].weight_hh_l0 is model[1].weight_hh_l0 is first.weight_hh_l0
    x = torch.randn(3, 2, 5)
    with torch.no_grad():
        before = model[1](x)[0]
        first.weight_hh_l0.mul_(2)
        assert not torch.equal(model[1](x)[0], before)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
def test_to_torch_undoes_replace():
    model = Tagger().eval()
    x, names, parameters = torch.randn(3, 7, 4), list(model.state_dict()), list(model.parameters())
    model.encoder.note = "mine"
    expected = nn.replace(model)(x)
    assert nn.to_torch(model) is model
    theirs = [model.encoder, *model.layers, *model.cells.values()]
    assert [type(each).__module__ for each in theirs] == ["torch.nn.modules.rnn"] * 5
    assert model.again is model.layers[0]
    assert model.encoder.note == "mine"
    assert not model.encoder.training
    assert list(model.state_dict()) == names
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    torch.testing.assert_close(model(x), expected)
    assert type(nn.to_torch(nn.RNN(4, 5, nonlinearity="relu"))) is torch.nn.RNN


def test_to_torch_names_what_pytorch_does_not_have_and_changes_nothing():
    model = torch.nn.ModuleDict({"a": nn.GRU(4, 5), "b": nn.GRU(4, 5, reset_after=False)})
    model["c"] = nn.LSTMCell(4, 5, peephole=True)
    model["d"] = nn.LSTM(4, 5, zoneout=(0.1, 0.2))
    named = r"b \(PyTorch has no GRU with reset_after=False\); c .*LSTMCell.*; d .* LSTM with zoneout=\(0.1, 0.2\)"
    with pytest.raises(ConfigError, match=named):
        nn.to_torch(model)
    assert type(model["a"]) is nn.GRU


@pytest.mark.filterwarnings("ignore:torch.ao.quantization is deprecated", "ignore:torch.quantize_per_tensor")
def test_dynamic_quantisation_leaves_the_layers_and_takes_those_of_to_torch():
    model, x = torch.nn.Sequential(nn.LSTM(4, 5)), torch.randn(3, 2, 4)
    quantise = torch.ao.quantization.quantize_dynamic
    assert type(quantise(model, {torch.nn.LSTM})[0]) is nn.LSTM
    quantised = quantise(nn.to_torch(copy.deepcopy(model)), {torch.nn.LSTM})
    assert type(quantised[0]) is torch.ao.nn.quantized.dynamic.LSTM
    torch.testing.assert_close(quantised(x)[0], model(x)[0], rtol=0, atol=0.02)  # eight bits of weights below 0.45
