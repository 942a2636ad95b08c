"""What torch.onnx.export makes of the layers: one node each, with the layer's results in ONNX Runtime.

Several layers in one model, because an export takes seconds.
"""

import io
from collections import Counter

import onnx
import pytest
import torch

from penstock import nn
from penstock.errors import ConfigError

onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed: pip install 'penstock[dev]'")
pytest.importorskip("onnxscript", reason="onnxscript is not installed: pip install 'penstock[dev]'")

# PyTorch says of one exporter that it is old, of the other that PyTorch's own parts are, and of both what they fix.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning"
)
DYNAMIC = torch.export.Dim.DYNAMIC
ROUNDING = 1e-5  # sums in another order, other approximations of the exponential


class AsTorch(torch.nn.Module):
    """What PyTorch's layers can do: stacked, in both directions, either order of axes, with and without states."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5, num_layers=2, bidirectional=True, batch_first=True)
        self.gru = nn.GRU(10, 4, bidirectional=True)
        self.rnn = nn.RNN(8, 6, nonlinearity="relu", bias=False)
        self.cell = nn.LSTMCell(6, 7)

    def forward(self, x, h, c, g):
        a, (h, c) = self.lstm(x, (h, c))
        b, g = self.gru(a.transpose(0, 1), g)
        d, r = self.rnn(b)
        return a, h, c, b, g, d, r, self.cell(d[0])[0]

    def arguments(self, batch, steps):
        generator = torch.Generator().manual_seed(steps)
        shapes = (batch, steps, 3), (4, batch, 5), (4, batch, 5), (2, batch, 4)
        return tuple(torch.randn(shape, generator=generator) for shape in shapes)


class Beyond(torch.nn.Module):
    """What only Penstock's layers can do: lengths, peepholes, the reset gate before the product."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5, peephole=True, bidirectional=True)
        self.gru = nn.GRU(10, 4, reset_after=False, batch_first=True)
        self.rnn = nn.RNN(4, 6)

    def forward(self, x, lengths, c):
        a, (h, c) = self.lstm(x, (c, c), lengths=lengths)
        b, g = self.gru(a.transpose(0, 1), lengths=lengths)
        d, r = self.rnn(b.transpose(0, 1), lengths=lengths)
        return a, h, c, b, g, d, r

    def arguments(self, lengths):
        generator = torch.Generator().manual_seed(len(lengths))
        x = torch.randn(max(lengths), len(lengths), 3, generator=generator)
        return x, torch.tensor(lengths), torch.randn(2, len(lengths), 5, generator=generator)


def made(model):
    torch.manual_seed(0)
    return model().eval()


def export(model, arguments, **how):
    file = io.BytesIO()
    torch.onnx.export(model, arguments, file, **how)
    return file.getvalue()


def check(written, model, nodes, *calls):
    """Does ONNX Runtime compute what the model does, with these recurrent nodes?"""
    found = Counter(node.op_type for node in onnx.load_from_string(written).graph.node)
    assert {name: found[name] for name in ("LSTM", "GRU", "RNN")} == nodes
    session = onnxruntime.InferenceSession(written)
    for call in calls:
        names = [each.name for each in session.get_inputs()]
        results = session.run(None, {name: each.numpy() for name, each in zip(names, call, strict=True)})
        with torch.no_grad():
            expected = model(*call)
        for result, wanted in zip(results, expected, strict=True):
            torch.testing.assert_close(torch.from_numpy(result), wanted, rtol=ROUNDING, atol=ROUNDING)


def states(count):
    return ({1: DYNAMIC},) * count


@pytest.mark.parametrize(
    "how",
    [
        {"dynamo": True, "verbose": False, "dynamic_shapes": ({0: DYNAMIC, 1: DYNAMIC}, *states(3))},
        {
            "dynamo": False,
            "input_names": ["x", "h", "c", "g"],
            "dynamic_axes": {"x": {0: "b", 1: "t"}, "h": {1: "b"}, "c": {1: "b"}, "g": {1: "b"}},
        },
    ],
    ids=["by export", "by trace"],
)
@pytest.mark.slow
def test_layers_are_nodes_for_any_time_and_batch(how):
    model = made(AsTorch)
    written = export(model, model.arguments(3, 4), **how)
    calls = [model.arguments(batch, steps) for batch, steps in ((3, 4), (2, 9), (1, 1))]
    check(written, model, {"LSTM": 2, "GRU": 1, "RNN": 1}, *calls)


@pytest.mark.slow
def test_lengths_and_what_pytorch_does_not_have_are_in_the_nodes():
    model = made(Beyond)
    shapes = ({0: DYNAMIC, 1: DYNAMIC}, {0: DYNAMIC}, *states(1))
    written = export(model, model.arguments([5, 0, 2]), dynamo=True, verbose=False, dynamic_shapes=shapes)
    check(written, model, {"LSTM": 1, "GRU": 1, "RNN": 1}, model.arguments([1, 5, 0]), model.arguments([2, 7]))


class Projected(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LSTM(3, 4, proj_size=2)

    def forward(self, x):
        return (self.layer(x)[0],)


class Zoned(Projected):
    def __init__(self):
        super().__init__()
        self.layer = nn.GRU(3, 4, zoneout=0.3)


@pytest.mark.parametrize(("kind", "what"), [(Projected, "an LSTM with proj_size"), (Zoned, "a GRU with zoneout")])
def test_a_layer_without_a_node_is_written_for_one_number_of_steps_or_refused(monkeypatch, kind, what):
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)  # without the rest of an export, to take no time
    model, x = made(kind), torch.randn(2, 3, 3, generator=torch.Generator().manual_seed(0))
    program = torch.export.export(model, (x,), dynamic_shapes=({1: DYNAMIC},))
    assert not any("penstock" in str(node.target) for node in program.graph.nodes)
    torch.testing.assert_close(program.module()(x[:, :2]), model(x[:, :2]))
    with pytest.raises(ConfigError, match=rf"no node for {what}.*fixed number of steps"):
        torch.export.export(model, (x,), dynamic_shapes=({0: DYNAMIC},))


def test_masks_of_zoneout_are_not_written(monkeypatch):
    monkeypatch.setattr(torch.onnx, "is_in_onnx_export", lambda: True)
    with pytest.raises(ConfigError, match=r"masks of zoneout.*Call eval\(\)"):
        torch.export.export(made(Zoned).train(), (torch.zeros(2, 3, 3),))
