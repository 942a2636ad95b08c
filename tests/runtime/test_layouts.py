"""Other libraries' layouts of a recurrent layer, against their equations or against themselves in PyTorch's layout."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penstock.errors import ConfigError, ShapeError
from penstock.runtime import Recurrence
from penstock.runtime.layouts import LAYOUTS

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(7, 3)).astype(np.float32)
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def draw(*shape):
    return RANDOM.normal(0, 0.5, shape).astype(np.float32)


def arrays(cell):
    rows = 4 * GATES[cell]
    return {"weight_ih": draw(rows, 3), "weight_hh": draw(rows, 4), "bias_ih": draw(rows), "bias_hh": draw(rows)}


def blocks(array, order, letters):
    """The gates of an array in PyTorch's order, given in another one."""
    return np.concatenate([np.split(array, len(letters))[letters.index(gate)] for gate in order])


def lstm(weights, recurrent, bias, order, *, forget_bias=0.0):
    """An LSTM by its equations, from gates in the order `order`."""
    h, c, found = np.zeros(4), np.zeros(4), []
    for x in X:
        gate = dict(zip(order, np.split(weights @ x + recurrent @ h + bias, 4), strict=True))
        c = sigmoid(gate["f"] + forget_bias) * c + sigmoid(gate["i"]) * np.tanh(gate["g"])
        h = sigmoid(gate["o"]) * np.tanh(c)
        found.append(h)
    return np.array(found)


def gru(weights, recurrent, bias, order):
    """A GRU whose update gate takes the new state, reset before the product."""
    h, found = np.zeros(4), []
    W, U, b = (dict(zip(order, np.split(each, 3), strict=True)) for each in (weights, recurrent, bias))
    for x in X:
        r, z = (sigmoid(W[gate] @ x + U[gate] @ h + b[gate]) for gate in "rz")
        h = (1 - z) * h + z * np.tanh(W["n"] @ x + U["n"] @ (r * h) + b["n"])
        found.append(h)
    return np.array(found)


def check(network, expected):
    assert_allclose(network(X)[0], expected, atol=2e-6)


@pytest.mark.parametrize(("layout", "order", "forget_bias"), [("haiku", "igfo", 1.0), ("dynet", "ifog", 1.0)])
def test_lstms_with_a_forget_bias(layout, order, forget_bias):
    weights, recurrent, bias = draw(16, 3), draw(16, 4), draw(16)
    stored = {
        "haiku": {"w": np.hstack([weights, recurrent]).T, "b": bias},
        "dynet": {"Wx": weights, "Wh": recurrent, "b": bias},
    }[layout]
    before = {name: array.copy() for name, array in stored.items()}
    check(
        Recurrence.from_arrays(stored, "lstm", layout=layout),
        lstm(weights, recurrent, bias, order, forget_bias=forget_bias),
    )
    for name, array in stored.items():
        assert_array_equal(array, before[name])
    plain = Recurrence.from_arrays(stored, "lstm", layout=layout, forget_bias=0.0)
    check(plain, lstm(weights, recurrent, bias, order))


@pytest.mark.parametrize(("layout", "order"), [("haiku", "zrn"), ("paddle_fluid", "zrn")])
def test_grus_whose_update_gate_takes(layout, order):
    weights, recurrent, bias = draw(12, 3), draw(12, 4), draw(12)
    gates, candidate = recurrent[:8].T, recurrent[8:].T
    stored = {
        "haiku": {"w_i": weights.T, "w_h": recurrent.T, "b": bias},
        "paddle_fluid": {
            "fc_w": weights.T,
            "fc_b": bias / 2,
            "gru_w": np.concatenate([gates.ravel(), candidate.ravel()]).reshape(4, 12),
            "gru_b": bias[None] / 2,
        },
    }[layout]
    check(Recurrence.from_arrays(stored, "gru", layout=layout), gru(weights, recurrent, bias, order))


def test_raw_weights_in_an_order_of_their_own():
    weights, recurrent, bias = draw(12, 3), draw(12, 4), draw(12)
    raw = {"weight_ih": weights, "weight_hh": recurrent, "bias_ih": bias}
    network = Recurrence.from_arrays(raw, "gru", gates="zhr", update_keeps=False, reset_after=False)
    check(network, gru(weights, recurrent, bias, "znr"))
    raw = {"weight_ih": draw(16, 3), "weight_hh": draw(16, 4), "bias_ih": draw(16)}
    check(Recurrence.from_arrays(raw, "lstm", gates="ofci"), lstm(*raw.values(), "ofgi"))


@pytest.mark.parametrize("cell", GATES)
def test_pytorchs_layout_is_the_class_itself(cell):
    layer = arrays(cell)
    expected = Recurrence(layer, cell)(X)[0]
    assert_array_equal(Recurrence.from_arrays(layer, cell)(X)[0], expected)


@pytest.mark.parametrize(("cell", "reset_after"), [("rnn", False), ("lstm", False), ("gru", False), ("gru", True)])
def test_keras_and_flax_hold_transposed_gates(cell, reset_after):
    layer = arrays(cell)
    torch_order, keras_order = {"lstm": ("ifgo", "ifgo"), "gru": ("rzn", "zrn"), "rnn": ("h", "h")}[cell]
    if not reset_after:
        layer["bias_hh"] *= 0
    expected = Recurrence(layer, cell, **({"reset_after": reset_after} if cell == "gru" else {}))(X)[0]
    keras = {name: blocks(array, keras_order, torch_order) for name, array in layer.items()}
    bias = np.stack([keras["bias_ih"], keras["bias_hh"]]) if reset_after else keras["bias_ih"]
    stored = {"kernel": keras["weight_ih"].T, "recurrent_kernel": keras["weight_hh"].T, "bias": bias}
    assert_array_equal(Recurrence.from_arrays(stored, cell, layout="keras")(X)[0], expected)
    letters = torch_order if cell != "rnn" else ("",)
    tree = {
        side + letter: {"kernel": weight.T, "bias": bias}
        for side in "ih"
        for letter, weight, bias in zip(
            letters,
            np.split(layer[f"weight_{side}h"], len(letters)),
            np.split(layer[f"bias_{side}h"], len(letters)),
            strict=True,
        )
    }
    form = {"reset_after": reset_after} if cell == "gru" else {}
    assert_array_equal(Recurrence.from_arrays(tree, cell, layout="flax", **form)(X)[0], expected)
    joined = {f"dense_{side}": {"kernel": layer[f"weight_{side}h"].T, "bias": layer[f"bias_{side}h"]} for side in "ih"}
    assert_array_equal(Recurrence.from_arrays(joined, cell, layout="flax", **form)(X)[0], expected)


def test_cudnns_kernels_of_keras_are_turned():
    layer = arrays("lstm")
    turned = [gate.reshape(3, 4) for gate in np.split(layer["weight_ih"], 4)]
    stored = {
        "kernel": np.hstack(turned),
        "recurrent_kernel": np.hstack(np.split(layer["weight_hh"], 4)),
        "bias": np.concatenate([layer["bias_ih"], layer["bias_hh"]]),
    }
    expected = Recurrence(layer, "lstm")(X)[0]
    assert_array_equal(Recurrence.from_arrays(stored, "lstm", layout="keras")(X)[0], expected)


def test_onnx_has_directions_and_peepholes():
    forward, backward = arrays("lstm"), arrays("lstm")
    both = []
    for layer in (forward, backward):
        layer["weight_ch"] = draw(3, 4)
        order = {name: blocks(layer[name], "iofg", "ifgo") for name in list(layer)[:4]}
        peepholes = np.concatenate([layer["weight_ch"][place] for place in (0, 2, 1)])
        bias = np.concatenate([order["bias_ih"], order["bias_hh"]])
        both.append({"W": order["weight_ih"], "R": order["weight_hh"], "B": bias, "P": peepholes})
    stored = {name: np.stack([each[name] for each in both]) for name in "WRBP"}
    expected = Recurrence.from_arrays([(forward, backward)], "lstm")(X)[0]
    assert_array_equal(Recurrence.from_arrays(stored, "lstm", layout="onnx")(X)[0], expected)
    single = {name: array[:1] for name, array in stored.items()}
    assert_array_equal(Recurrence.from_arrays(single, "lstm", layout="onnx")(X)[0], expected[:, :4])


def test_layers_are_stacked():
    first, second = arrays("gru"), arrays("gru") | {"weight_ih": draw(12, 4)}
    named = {f"{name}_l0": array for name, array in first.items()} | {
        f"{name}_l1": array for name, array in second.items()
    }
    assert_array_equal(Recurrence.from_arrays([first, second], "gru")(X)[0], Recurrence(named, "gru")(X)[0])


@pytest.mark.parametrize(
    ("layers", "options", "error", "message"),
    [
        ({}, {"layout": "mxnet"}, ConfigError, f"layout must be one of {', '.join(LAYOUTS)}"),
        ([], {}, ConfigError, "at least one layer"),
        ({"kernel": draw(3, 16)}, {"layout": "keras"}, ConfigError, "layer 0: recurrent_kernel is missing"),
        ({"weight_ih": draw(16, 3), "extra": 1}, {}, ConfigError, "got 'extra'"),
        ({"weight_ih": draw(16, 3), "weight_hh": draw(16, 4)}, {"gates": "ifgg"}, ConfigError, "letters i, f, g, o"),
        ({"weight_ih": draw(12, 3), "weight_hh": draw(12, 4)}, {}, ShapeError, "weight_ih must have 4 gates of 4"),
        ({"weight_ih": draw(16), "weight_hh": draw(16, 4)}, {}, ShapeError, "two axes"),
        ([({}, {}, {})], {}, ConfigError, "a pair of mappings"),
        ({"W": draw(3, 16, 3), "R": draw(3, 16, 4)}, {"layout": "onnx"}, ShapeError, "1 or 2 directions"),
        ({"kernel": draw(16), "recurrent_kernel": draw(4, 16)}, {"layout": "keras"}, ShapeError, "two axes"),
    ],
)
def test_arrays_that_do_not_fit_are_named(layers, options, error, message):
    with pytest.raises(error, match=message):
        Recurrence.from_arrays(layers, "lstm", **options)


def test_a_bias_shows_the_form_of_the_gru():
    stored = {"kernel": draw(3, 12), "recurrent_kernel": draw(4, 12), "bias": draw(2, 12)}
    with pytest.raises(ConfigError, match="implies reset_after=True; got reset_after=False"):
        Recurrence.from_arrays(stored, "gru", layout="keras", reset_after=False)
