"""Compilers of other kinds than torch.compile: as torch.nn, or refused with a word on what to do instead."""

import io

import onnx
import pytest
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from penstock import nn
from penstock.errors import ConfigError

# PyTorch says of its own tracer that it has successors, and that what Python decides is decided once.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.trace:DeprecationWarning", "ignore::torch.jit.TracerWarning")


class Only(torch.nn.Module):
    """The outputs of a layer, or the first state of a cell."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        y = self.inner(x)
        return y if isinstance(y, torch.Tensor) else y[0]


def inputs(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("arguments", [{}, {"num_layers": 2, "bidirectional": True, "batch_first": True}], ids=str)
def test_a_trace_takes_any_number_of_steps(name, arguments):
    layer = getattr(nn, name)(4, 5, **arguments)
    traced = torch.jit.trace(layer, inputs(5, 3, 4))
    for shape in ((9, 3, 4), (1, 2, 4), (5, 3, 4)):
        torch.testing.assert_close(traced(inputs(*shape))[0], layer(inputs(*shape))[0])


def test_a_trace_takes_any_packed_sequence():
    class Packed(Only):
        def forward(self, data, sizes):
            return self.inner(PackedSequence(data, sizes))[0].data

    model = Packed(nn.LSTM(4, 5, 2))
    first, other = (pack_padded_sequence(inputs(9, 3, 4), lengths) for lengths in ([6, 4, 1], [9, 9, 3]))
    traced = torch.jit.trace(model, (first.data, first.batch_sizes))
    for x in (first, other):
        torch.testing.assert_close(traced(x.data, x.batch_sizes), model.inner(x)[0].data)


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
def test_a_trace_of_a_cell_takes_any_batch(name):
    cell = Only(getattr(nn, name)(4, 5))
    traced = torch.jit.trace(cell, inputs(3, 4))
    torch.testing.assert_close(traced(inputs(7, 4)), cell(inputs(7, 4)))


@pytest.mark.parametrize(
    ("layer", "more", "named"),
    [
        (nn.LSTM(4, 5, peephole=True), (), "peephole=True"),
        (nn.GRU(4, 5, reset_after=False), (), "reset_after=False"),
        (nn.GRU(4, 5), (None, torch.tensor([5, 2, 1])), "lengths="),
    ],
    ids=["peephole", "reset-before", "lengths"],
)
def test_what_a_trace_would_get_wrong_is_refused(layer, more, named):
    with pytest.raises(ConfigError, match=rf"{named}.*number of steps.*torch.export"):
        torch.jit.trace(lambda x: layer(x, *more)[0], inputs(5, 3, 4))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_the_exporter_to_onnx_by_traces_writes_the_layer_as_one_node(name):
    file = io.BytesIO()
    axes = {"input_names": ["x"], "dynamic_axes": {"x": {0: "time"}}}
    torch.onnx.export(Only(getattr(nn, name)(4, 5)), (inputs(5, 3, 4),), file, dynamo=False, **axes)
    assert [node.op_type for node in onnx.load_from_string(file.getvalue()).graph.node].count(name) == 1


def test_an_exported_program_refuses_another_number_of_steps():
    program = torch.export.export(Only(nn.GRU(4, 5)), (inputs(5, 3, 4),)).module()
    assert program(inputs(5, 3, 4)).shape == (5, 3, 5)
    with pytest.raises((AssertionError, RuntimeError), match=r"size|Guard"):
        program(inputs(9, 3, 4))


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize("inner", [nn.LSTM(4, 5), nn.GRUCell(4, 5)], ids=["layer", "cell"])
def test_script_and_symbolic_trace_are_refused_with_a_way(inner):
    with pytest.raises(ConfigError, match=r"torch.jit.script can't compile .*torch.jit.trace"):
        torch.jit.script(Only(inner))
    with pytest.raises(ConfigError, match=r"as a leaf"):
        torch.fx.symbolic_trace(Only(inner))


def test_symbolic_trace_with_the_layer_as_a_leaf():
    class Leaves(torch.fx.Tracer):
        def is_leaf_module(self, module, name):
            return isinstance(module, nn.GRU) or super().is_leaf_module(module, name)

    model = Only(nn.GRU(4, 5))
    graph = torch.fx.GraphModule(model, Leaves().trace(model))
    torch.testing.assert_close(graph(inputs(9, 3, 4)), model(inputs(9, 3, 4)))
