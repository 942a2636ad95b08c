"""Contract: nothing that reaches the compiled module from Python may end in anything but an answer or an exception."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

from penstock import engine, nn
from penstock.engine import _native as native
from penstock.errors import ShapeError
from penstock.nn import autograd
from penstock.nn import native as native_calls
from penstock.nn.tensors import native_tensors

HOSTILE = Path(__file__).with_name("hostile.py")


@pytest.mark.slow
def test_hostile_calls_do_no_harm():
    """In a process of its own, since a fault would end it; `make sanitize` has the same with AddressSanitizer."""
    done = subprocess.run([sys.executable, HOSTILE, "--examples", "25"], capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout[-300:]}\n{done.stderr[-3000:]}"
    assert done.stdout.endswith("unharmed\n")


@pytest.mark.parametrize("grad", [True, False])
@pytest.mark.parametrize(
    ("rows", "batch_sizes"),
    [
        (6, [3, 2, 5]),
        (10, [3, 2, 5]),
        (4, [3, 3, 3]),
        (4, [3] * 2000),
        (6, [3, -2, 5]),
        (1, [3, 3, -5]),
        (50, [3, 2]),
        (5, [2**40, 1]),
        (5, [2**32 + 3, 2]),
        (5, [2**62, 2**62]),
        (0, []),
    ],
    ids=str,
)
def test_batch_sizes_that_do_not_fit_the_data(rows, batch_sizes, grad):
    forged = PackedSequence(torch.ones(rows, 8), torch.tensor(batch_sizes, dtype=torch.int64))
    with (
        torch.set_grad_enabled(grad),
        pytest.raises((RuntimeError, ValueError), match="batch_sizes of a PackedSequence"),
    ):
        nn.LSTM(8, 16)(forged)
    if batch_sizes:
        layer = native.NativeLayer("lstm", 8, 16, 0, False, 1)
        own = [layer, forged.data, (), [torch.zeros(64, 8), torch.zeros(64, 16)]]
        with pytest.raises(ValueError, match=r"batch_sizes|rows|steps"):
            native.NativeTensors().forward(*own, 2, len(batch_sizes), batch_sizes[0], None, forged.batch_sizes, None, 1)


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.float32])
def test_batch_sizes_of_another_type(dtype):
    with pytest.raises(ValueError, match="int64"):
        nn.GRU(8, 16)(PackedSequence(torch.ones(500, 8), torch.ones(500, dtype=dtype)))


@pytest.mark.parametrize("index", [[1, 2**31], [-3, 0], [0]])
def test_indices_of_a_packed_sequence_that_do_not_fit(index):
    forged = PackedSequence(torch.ones(3, 8), torch.tensor([2, 1]), torch.tensor(index), torch.tensor(index))
    with pytest.raises((RuntimeError, IndexError), match=r"(?i)indices|index"):
        nn.RNN(8, 16)(forged, torch.zeros(1, 2, 16))


@pytest.mark.parametrize("left", [0, 16])
@pytest.mark.parametrize("reader", [native.NativeTensors(), native.NativeTensors(by_attributes=True)])
def test_memory_that_was_given_back_is_refused(variant_of_memory, reader, left, monkeypatch):
    spoilt, call = variant_of_memory
    monkeypatch.setattr(native_calls, "native_tensors", reader)
    monkeypatch.setattr(autograd, "native_tensors", reader)
    call()
    spoilt.untyped_storage().resize_(left)
    with pytest.raises(RuntimeError, match="freed or resized"):
        call()


@pytest.fixture(params=["x", "state", "weight", "bias", "part"])
def variant_of_memory(request):
    """The tensor whose memory goes, and a call that reads it."""
    layer, x, h = nn.GRU(6, 20), torch.ones(30, 5, 6), torch.ones(1, 5, 20)
    base = torch.ones(2, 30, 5, 6)
    part = base[1]
    spoilt = {"x": x, "state": h, "weight": layer.weight_hh_l0, "bias": layer.bias_ih_l0, "part": base}[request.param]

    def call():
        with torch.no_grad():
            return layer(part if request.param == "part" else x, h)

    return spoilt, call


@pytest.mark.parametrize("which", ["x", "weight", "y", "saved", "gradient"])
def test_memory_that_goes_before_the_backward_pass(which):
    layer, x = nn.LSTM(6, 20), torch.ones(30, 5, 6, requires_grad=True)
    y, _ = layer(x)
    kept = y.grad_fn.saved_tensors
    gradient = torch.ones_like(y)
    spoilt = {"x": x, "weight": layer.weight_hh_l0, "y": kept[0], "saved": kept[1], "gradient": gradient}[which]
    spoilt.untyped_storage().resize_(16)
    with pytest.raises(RuntimeError, match="freed or resized"):
        torch.autograd.backward(y, gradient)


def test_a_step_is_for_one_thread_and_its_layers_live_as_long_as_it_does():
    layer = engine.Layer("lstm", 3, 4)
    layer.load({name: np.zeros(shape) for name, shape in layer.parameter_shapes.items()})
    step = native.NativeStep([layer], 2, 1)
    del layer
    step(np.ones((2, 3), np.float32))
    assert [state.shape for state in step.states()] == [(2, 4), (2, 4)]
    with pytest.raises(ValueError, match="no parameters"):
        native.NativeStep([engine.Layer("lstm", 3, 4)], 2, 1)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        ((3, 0, 0), "draw must be"),
        ((3, -1, 0, None), "the layer must be from"),
        ((3, 0, 2**31, None), "the first step must be from"),
        ((3, 0, 0, torch.tensor([1])), "numbers must have one entry for each sequence"),
    ],
)
def test_masks_that_do_not_fit(draw, message):
    layer = native.NativeLayer("gru reset_after", 3, 4, 0, False, 1, [0.5])
    weights = [torch.zeros(12, 3), torch.zeros(12, 4)]
    with pytest.raises(ValueError, match=message):
        native_tensors.forward(layer, torch.zeros(4, 2, 3), (), weights, 0, 4, 2, None, None, None, 1, draw)


@pytest.mark.parametrize("place", [-1, 5, 2**31, 2**62])
def test_places_outside_the_slabs(place):
    layer = engine.Layer("gru", 3, 4)
    layer.load({name: np.zeros(shape) for name, shape in layer.parameter_shapes.items()})
    streams = engine.Streams([layer])
    with pytest.raises(ShapeError, match="outside the slabs"):
        streams.step(np.array([0, place]), np.zeros((2, 3), np.float32), streams.slabs(5))
    with pytest.raises(ShapeError, match="slabs"):
        streams.step(np.array([0]), np.zeros((1, 3), np.float32), [(np.zeros((5, 3), np.float32),)])
    with pytest.raises(ShapeError, match="int64"):
        streams.step(np.array([0], np.int32), np.zeros((1, 3), np.float32), streams.slabs(5))


@pytest.mark.parametrize(
    "arguments",
    [("mgu", 3, 4, 0, True, 1), ("lstm\0", 3, 4, 0, True, 1), ("lstm", 0, 4, 0, True, 1),
     ("lstm", 2**62, 4, 0, True, 1), ("lstm", 3, 2**31, 0, True, 1), ("lstm proj_size", 3, 4, -1, True, 1),
     ("lstm", 3, 4, 2, True, 1), ("lstm proj_size", 3, 4, 0, True, 1), ("lstm", 3, 4, 0, True, 3),
     ("lstm", 3, 4, 0, True, 1, [0.5]), ("gru reset_after", 3, 4, 0, True, 1, [1.0]),
     ("lstm", 3, 4, 0, True, 1, [0.5, float("nan")]), ("lstm", 3, 4, 0, True, 1, [0.5] * 9)],
)  # fmt: skip
def test_layers_that_no_machine_has(arguments):
    with pytest.raises(ValueError, match=r"must be from|no kernels for|the projection must be above 0|share for each"):
        native.NativeLayer(*arguments)
