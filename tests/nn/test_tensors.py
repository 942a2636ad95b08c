"""How the engine reads tensors: by DLPack or by attributes, the plain calls at once, and nothing that does not fit."""

import pytest
import torch
from torch.nn.parameter import Parameter

from penstock import nn
from penstock.engine._native import NativeTensors
from penstock.nn import autograd, native
from penstock.nn.tensors import native_tensors

BY_ATTRIBUTES = NativeTensors(by_attributes=True)
READERS = pytest.mark.parametrize("reader", [native_tensors, BY_ATTRIBUTES], ids=["exchanged", "attributes"])


class Subclass(torch.Tensor):
    pass


def inputs(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def state_of(layer, batch):
    rows = layer.num_layers * layer._kinds[0].directions
    return tuple(inputs(rows, batch, size) for size in layer._kinds[0].state_sizes)


def flat(results):
    y, final = results
    return (y, *final) if isinstance(final, tuple) else (y, final)


@READERS
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("batch_first", [False, True])
def test_plain_calls_have_the_bits_of_all_others(variant, batch_first, layers, reader, monkeypatch):
    monkeypatch.setattr(native, "native_tensors", reader)
    layer = variant(5, 9, num_layers=layers, bidirectional=True, batch_first=batch_first)
    x = inputs(4, 3, 5)
    state = state_of(layer, 4 if batch_first else 3)
    with torch.no_grad():
        for own in ((), state):
            hx = None if not own else own if len(own) > 1 else own[0]
            expected = flat(layer(x, hx))
            found = reader.dense(layer._bound, x, own, layer._parameters, layer._names, batch_first, 1)
            assert all(torch.equal(*each) for each in zip(flat(found), expected, strict=True))
            assert all(torch.equal(*each) for each in zip(flat(layer(x, hx)), expected, strict=True))


@READERS
def test_plain_steps_have_the_bits_of_all_others(cell_variant, reader, monkeypatch):
    monkeypatch.setattr(native, "native_tensors", reader)
    cell, x = cell_variant(5, 9), inputs(3, 5)
    state = tuple(inputs(3, 9) for _ in cell._bound.state_sizes)
    with torch.no_grad():
        expected = cell._step(x, state)
        found = reader.step((cell._bound,), x, state, cell._parameters, (cell._names,), 1)
        assert all(torch.equal(*each) for each in zip(found, expected, strict=True))


def test_attributes_give_the_same_gradients(variant, monkeypatch):
    results = []
    for reader in (native_tensors, BY_ATTRIBUTES):
        monkeypatch.setattr(autograd, "native_tensors", reader)
        monkeypatch.setattr(native, "native_tensors", reader)
        layer, x = variant(5, 9, bidirectional=True), inputs(4, 3, 5).requires_grad_()
        outputs = [*flat(layer(x)), *flat(layer(x, lengths=[4, 0, 2]))]
        gradients = torch.autograd.grad(sum(each.square().sum() for each in outputs), [x, *layer.parameters()])
        results.append([*outputs, *gradients])
    assert all(torch.equal(*each) for each in zip(*results, strict=True))


@READERS
@pytest.mark.parametrize(
    ("x", "state"),
    [
        (inputs(4, 3, 5).double(), ()),
        (inputs(5, 3, 4).transpose(0, 2), ()),
        (inputs(4, 3, 5).as_subclass(Subclass), ()),
        (inputs(4, 3, 5).to_sparse(), ()),
        (inputs(4, 3, 5).to("meta"), ()),
        (inputs(4, 3, 6), ()),
        (inputs(4, 5), ()),
        (inputs(4, 3, 1, 5), ()),
        (inputs(4, 0, 5), ()),
        (inputs(4, 3, 5), (inputs(1, 3, 9),)),
        (inputs(4, 3, 5), (inputs(1, 3, 9), inputs(1, 2, 9))),
        (inputs(4, 3, 5), (inputs(1, 3, 9), inputs(3, 9))),
        (inputs(4, 3, 5), (inputs(1, 3, 9), inputs(1, 9, 3).transpose(1, 2))),
        (inputs(4, 3, 5), (inputs(1, 3, 9), None)),
    ],
)
def test_whatever_is_out_of_the_ordinary_is_left_to_others(x, state, reader):
    layer = nn.LSTM(5, 9)
    bound, weights = layer._bound, (layer._parameters, layer._names)
    assert reader.fits(bound, inputs(4, 3, 5), (), *weights, False)
    assert not reader.fits(bound, x, state, *weights, False)
    assert reader.dense(bound, x, state, *weights, False, 1) is None
    assert not reader.fits(bound, inputs(4, 3, 5), (), {}, layer._names, False)


def test_dropout_between_layers_is_drawn_without_a_graph_too():
    layer = nn.GRU(5, 9, num_layers=2, dropout=0.5)
    with torch.no_grad():
        layer(inputs(4, 3, 5))
        assert not torch.equal(layer(inputs(4, 3, 5))[0], layer(inputs(4, 3, 5))[0])
        layer.eval()
        assert torch.equal(layer(inputs(4, 3, 5))[0], layer(inputs(4, 3, 5))[0])


@READERS
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_weights_of_another_shape_are_refused(mode, reader, monkeypatch):
    monkeypatch.setattr(autograd, "native_tensors", reader)
    monkeypatch.setattr(native, "native_tensors", reader)
    layer, cell = nn.GRU(5, 9, bidirectional=True), nn.LSTMCell(5, 9)
    with mode():
        layer(inputs(4, 3, 5)), cell(inputs(3, 5))
        layer.weight_hh_l0_reverse = Parameter(torch.zeros(27, 8))
        cell.bias_ih = Parameter(torch.zeros(35))
        with pytest.raises(RuntimeError, match=r"weight_hh must be contiguous float32, \(27, 9\).*got .*\[27, 8\]"):
            layer(inputs(4, 3, 5))
        with pytest.raises(RuntimeError, match=r"bias_ih must be contiguous float32, \(36,\).*got .*\[35\]"):
            cell(inputs(3, 5))
