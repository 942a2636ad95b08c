"""nn.replace swaps the recurrent layers of a model that exists."""

import pytest
import torch
from torch.nn.utils import parametrizations, prune

from penstock import nn


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


def test_a_layer_by_itself_is_returned_anew():
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


def test_what_is_more_than_a_plain_layer_stays():
    class Own(torch.nn.LSTM):
        pass

    pruned = prune.l1_unstructured(torch.nn.GRU(4, 5), "weight_ih_l0", amount=0.5)
    normed = parametrizations.weight_norm(torch.nn.GRU(4, 5), "weight_hh_l0")
    model = torch.nn.ModuleList([Own(4, 5), pruned, normed, torch.nn.Linear(4, 5)])
    before = list(model)
    nn.replace(model)
    assert all(a is b for a, b in zip(before, model, strict=True))
    assert nn.replace(nn.replace(torch.nn.LSTM(4, 5))).hidden_size == 5
