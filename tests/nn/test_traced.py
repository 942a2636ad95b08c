"""Compilers of other kinds than torch.compile: as torch.nn, or refused with a word on what to do instead."""

import copy
import io

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from penstock import nn
from penstock.errors import ConfigError
from penstock.nn import paths

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
        (nn.GRU(4, 5, zoneout=0.5).eval(), (), "zoneout=0.5"),
        (nn.GRU(4, 5), (None, torch.tensor([5, 2, 1])), "lengths="),
    ],
    ids=["peephole", "reset-before", "zoneout", "lengths"],
)
def test_what_a_trace_would_get_wrong_is_refused(layer, more, named):
    with pytest.raises(ConfigError, match=rf"{named}.*number of steps.*torch.export"):
        torch.jit.trace(lambda x: layer(x, *more)[0], inputs(5, 3, 4))


DYNAMIC = torch.export.Dim.DYNAMIC
TREE_SPEC = "ignore:`isinstance.treespec, LeafSpec.` is deprecated"  # by PyTorch itself, when it saves a program


@pytest.mark.filterwarnings(TREE_SPEC)
@pytest.mark.parametrize("strict", [False, True], ids=["", "strict"])
def test_an_exported_program_takes_any_time_and_batch(strict):
    model = Only(nn.LSTM(4, 5, 2, bidirectional=True, batch_first=True))
    dynamic = ({0: DYNAMIC, 1: DYNAMIC},)
    exported = torch.export.export(model, (inputs(3, 5, 4),), dynamic_shapes=dynamic, strict=strict)
    file = io.BytesIO()
    torch.export.save(exported, file)
    file.seek(0)
    program = torch.export.load(file).module()
    for shape in ((3, 5, 4), (2, 9, 4), (1, 1, 4)):
        torch.testing.assert_close(program(inputs(*shape)), model(inputs(*shape)), rtol=0, atol=0)
    program(inputs(2, 9, 4)).square().sum().backward()
    model(inputs(2, 9, 4)).square().sum().backward()
    for found, expected in zip(program.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(found.grad, expected.grad, rtol=0, atol=0)


class WithLengths(Only):
    def forward(self, x, lengths):
        return self.inner(x, lengths=lengths)[0]


@pytest.mark.parametrize("layer", [nn.LSTM(4, 5, peephole=True), nn.GRU(4, 5, reset_after=False)], ids=str)
def test_an_exported_program_takes_lengths(layer):
    model = WithLengths(layer)
    example = inputs(5, 3, 4), torch.tensor([5, 2, 1])
    dynamic = ({0: DYNAMIC, 1: DYNAMIC}, {0: DYNAMIC})
    program = torch.export.export(model, example, dynamic_shapes=dynamic).module()
    other = inputs(9, 2, 4), torch.tensor([0, 9])
    torch.testing.assert_close(program(*other), model(*other), rtol=0, atol=0)


def test_the_mark_for_exports_is_that_of_pytorch():
    assert vars(paths._is_exporting_to_onnx) == vars(torch.compiler.assume_constant_result(lambda: False))


def test_an_exported_program_of_fixed_sizes_refuses_others():
    program = torch.export.export(Only(nn.GRU(4, 5)), (inputs(5, 3, 4),)).module()
    assert program(inputs(5, 3, 4)).shape == (5, 3, 5)
    with pytest.raises((AssertionError, RuntimeError), match=r"size|Guard"):
        program(inputs(9, 3, 4))


def test_a_packed_sequence_is_not_exported():
    class Packs(Only):
        def forward(self, x, lengths):
            return self.inner(pack_padded_sequence(x, lengths))[0].data

    with pytest.raises(ConfigError, match=r"PackedSequence.*lengths="):
        torch.export.export(Packs(nn.GRU(4, 5)), (inputs(5, 3, 4), torch.tensor([5, 2, 1])))


def test_compiled_for_any_size_once():
    torch.compiler.reset()
    counter = CompileCounterWithBackend("eager")
    compiled = torch.compile(nn.LSTM(4, 5), dynamic=True, backend=counter, fullgraph=True)
    for shape in ((3, 2, 4), (5, 4, 4), (7, 3, 4)):
        compiled(inputs(*shape))
    assert counter.frame_count == 1


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is:DeprecationWarning")  # deprecated; not supported by 3.14
@pytest.mark.parametrize("inner", [nn.LSTM(4, 5), nn.GRUCell(4, 5)], ids=["layer", "cell"])
def test_script_is_refused_with_an_alternative(inner):
    model = Only(inner)
    with pytest.raises(ConfigError, match=r"torch.jit.script can't compile .*torch.jit.trace.*to_torch"):
        torch.jit.script(model)
    scripted = torch.jit.script(nn.to_torch(copy.deepcopy(model)))
    assert model.inner is inner
    x = inputs(3, 4)
    torch.testing.assert_close(scripted(x), model(x))


class FromState(torch.nn.Module):
    """A layer from a given state, then a cell."""

    def __init__(self, name):
        super().__init__()
        self.layer, self.cell = getattr(nn, name)(4, 5), getattr(nn, f"{name}Cell")(5, 5)

    def forward(self, x, h):
        y, h = self.layer(x, h)
        return y, h, self.cell(y[0])


class FromStates(FromState):
    """The same with two states."""

    def forward(self, x, h):
        y, (h, c) = self.layer(x, (h, h))
        return y, h, c, *self.cell(y[0], (h[0], c[0]))


@pytest.mark.parametrize("model", [FromState("RNN"), FromState("GRU"), FromStates("LSTM")], ids=["RNN", "GRU", "LSTM"])
def test_symbolic_trace_takes_a_layer_as_one_node(model):
    graph = torch.fx.symbolic_trace(model)
    assert [node.target for node in graph.graph.nodes if node.op == "call_module"] == ["layer", "cell"]
    arguments = inputs(9, 3, 4), inputs(1, 3, 5)
    torch.testing.assert_close(graph(*arguments), model(*arguments), rtol=0, atol=0)


def test_symbolic_trace_records_lengths():
    model = WithLengths(nn.GRU(4, 5))
    arguments = inputs(5, 3, 4), torch.tensor([5, 0, 2])
    assert torch.equal(torch.fx.symbolic_trace(model)(*arguments), model(*arguments))


def test_symbolic_trace_refuses_what_it_would_get_wrong():
    with pytest.raises(ConfigError, match="trace a model that has it"):
        torch.fx.symbolic_trace(nn.LSTM(4, 5))
    model = Only(nn.LSTM(4, 5))
    model.inner.register_forward_hook(lambda *_: None)
    with pytest.raises(ConfigError, match=r"hooks of penstock.nn.LSTM \(inner\) twice"):
        torch.fx.symbolic_trace(model)
