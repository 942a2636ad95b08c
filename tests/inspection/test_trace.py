"""Traces against the runtime, whose states they must have bit for bit, and against the equations of the gates."""

import subprocess
import sys

import numpy as np
import pytest

from penstock.errors import ConfigError, MissingExtraError
from penstock.inspection import trace


@pytest.mark.parametrize("steps", [0, 1, 7])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("layers", [1, 3])
def test_states_are_the_runtime_s_bit_for_bit(network, variant, layers, bidirectional, steps):
    net = network(*variant, layers=layers, bidirectional=bidirectional, bias=layers == 1)
    x = np.random.default_rng(4).normal(size=(steps, 2, 3)).astype(np.float32)
    found = trace(net, x)
    y, final = net(x)
    output = found["h"]
    assert output.dims[:4] == ("layer", "direction", "step", "batch")
    top = output.values[-1]
    np.testing.assert_array_equal(np.concatenate(list(top), axis=-1), y)
    if steps:
        finals = final if isinstance(final, tuple) else (final,)
        for name, state in zip(found.states, finals, strict=True):
            last = found[name].values[:, :, -1].copy()
            if bidirectional:
                last[:, 1] = found[name].values[:, 1, 0]
            np.testing.assert_array_equal(last.reshape(state.shape), state)


def test_one_sequence_equals_its_row_of_a_batch(network):
    net = network("lstm", layers=2, bidirectional=True)
    x = np.random.default_rng(1).normal(size=(5, 3, 3)).astype(np.float32)
    batch, one = trace(net, x), trace(net, x[:, 1])
    assert one.gates == ("input", "forget", "cell", "output")
    assert one.states == ("h", "c")
    for name in one:
        assert one[name].dims == ("layer", "direction", "step", "unit")
        np.testing.assert_array_equal(one[name], batch[name].values[:, :, :, 1])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_gates_are_those_of_the_equations(network):
    net = network("gru")
    x = np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32)
    found = trace(net, x)
    weights = {name.removesuffix("_l0"): array.astype(float) for name, array in net.stack.parameters.items()}
    h = np.zeros(5)
    for step in range(6):
        i_r, i_z, i_n = np.split(weights["weight_ih"] @ x[step] + weights["bias_ih"], 3)
        h_r, h_z, h_n = np.split(weights["weight_hh"] @ h + weights["bias_hh"], 3)
        r, z = sigmoid(i_r + h_r), sigmoid(i_z + h_z)
        n = np.tanh(i_n + r * h_n)
        h = (1 - z) * n + z * h
        for name, expected in (("reset", r), ("update", z), ("candidate", n), ("h", h)):
            np.testing.assert_allclose(found[name].values[0, 0, step], expected, atol=1e-6, err_msg=name)


def test_a_saved_trace_holds_arrays_axes_and_coordinates(network, tmp_path):
    found = trace(network("gru"), np.ones((4, 3)))
    found.save(tmp_path / "gates.data")
    saved = np.load(tmp_path / "gates.data")
    np.testing.assert_array_equal(saved["update"], found["update"])
    assert saved["update.dims"].tolist() == ["layer", "direction", "step", "unit"]
    assert saved["coord.direction"].tolist() == ["forward"]


def test_a_projected_state_has_an_axis_of_its_own(network):
    found = trace(network("lstm", {"proj_size": 2}), np.ones((4, 3)))
    assert found["h"].dims[-1] == "output"
    assert found["c"].dims[-1] == "unit"


def test_xarray_is_asked_for_where_it_is_not_installed(network, monkeypatch):
    monkeypatch.setitem(sys.modules, "xarray", None)
    found = trace(network("gru"), np.ones((4, 3)))
    for convert in (found.to_xarray, found["h"].to_xarray):
        with pytest.raises(MissingExtraError, match="pip install xarray"):
            convert()


def test_xarray_gets_axes_and_coordinates(network, monkeypatch):
    class Fake:
        def DataArray(self, values, dims, coords):  # noqa: N802
            return {"shape": values.shape, "dims": dims, "coords": coords}

        def Dataset(self, arrays):  # noqa: N802
            return arrays

    monkeypatch.setitem(sys.modules, "xarray", Fake())
    found = trace(network("gru"), np.ones((4, 3))).to_xarray()
    assert list(found) == ["reset", "update", "candidate", "h"]
    assert found["h"]["shape"] == (1, 1, 4, 5)
    assert set(found["h"]["coords"]) == set(found["h"]["dims"])


def test_what_cannot_be_inspected_is_said():
    with pytest.raises(ConfigError, match="can be inspected; got dict"):
        trace({}, np.ones((4, 3)))


def test_inspection_needs_pytorch_for_gradients_alone():
    code = (
        "import sys, numpy, penstock.inspection as i; from penstock.runtime import Recurrence\n"
        "weights = {'weight_ih_l0': numpy.ones((4, 3)), 'weight_hh_l0': numpy.ones((4, 4))}\n"
        "i.trace(Recurrence(weights, cell='rnn'), numpy.ones((5, 3)))\n"
        "print('torch' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
