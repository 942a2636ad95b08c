"""The memory horizon where it is known: linear networks, shift registers; and derivatives against differences."""

import json
from dataclasses import replace

import numpy as np
import pytest

from penstock import cells
from penstock.cells.sweep import sweep_stack
from penstock.errors import ConfigError
from penstock.inspection import memory_horizon
from penstock.inspection.memory import half_life
from penstock.inspection.tangents import input_gains, state_gains
from penstock.inspection.traces import trace_stack
from penstock.runtime import Recurrence

DRAW = np.random.default_rng(0)
INPUTS = [np.abs(DRAW.normal(size=(140, 4))) for _ in range(2)]


def linear(weights, **options):
    """A network h' = relu(W h + x), which is linear where nothing is negative."""
    weights = np.asarray(weights, float)
    parameters = {"weight_ih_l0": np.eye(len(weights)), "weight_hh_l0": weights}
    return Recurrence(parameters, cell="rnn", nonlinearity="relu", **options)


@pytest.mark.parametrize("eigenvalue", [0.5, 0.9, 0.98])
@pytest.mark.parametrize("kind", ["identity", "rotation", "several", "not normal"])
def test_a_linear_network_has_the_half_life_of_its_eigenvalue(kind, eigenvalue):
    weights = {
        "identity": eigenvalue * np.eye(4),
        "rotation": eigenvalue * np.roll(np.eye(4), 1, axis=0),
        "several": np.diag([eigenvalue, eigenvalue / 2, eigenvalue / 3, 0.1]),
        "not normal": np.diag([eigenvalue, eigenvalue / 2, eigenvalue / 3, 0.1]) + np.eye(4, k=1) * 0.3,
    }[kind]
    (layer,) = memory_horizon(linear(weights), INPUTS)["layers"]
    expected = -np.log(2) / np.log(eigenvalue)
    assert layer["half_life"] == pytest.approx(expected, rel=1e-5)  # the weights are float32
    if kind in ("identity", "rotation"):
        assert layer["half_gone"] == pytest.approx(expected, rel=1e-5)
        np.testing.assert_allclose(layer["left"], eigenvalue ** np.arange(len(layer["left"])), rtol=1e-5)


def test_what_grows_has_no_half_life():
    for factor in (1.02, 3):
        figures = memory_horizon(linear(factor * np.eye(4)), [each[:60] for each in INPUTS])
        (layer,) = figures["layers"]
        assert (layer["half_gone"], layer["half_life"]) == (None, None)
        assert np.isfinite(layer["left"]).all()
        json.dumps(figures, allow_nan=False)


def test_predictions_that_are_no_numbers_have_no_memory():
    assert memory_horizon(linear(50 * np.eye(4)), [each[:60] for each in INPUTS]) == {}


def test_forgetting_ends_where_a_shift_register_ends():
    """Unit k holds the input of k steps ago, and nothing is older than three steps."""
    figures = memory_horizon(linear(np.eye(4, k=-1)), INPUTS)
    changes = {each["distance"]: each["change"] for each in figures["forgetting"]}
    assert changes[0] == 1
    assert 0 < changes[3] < 1
    assert changes[4] == 0
    assert figures["reach"] == "within"
    assert figures["horizon"] in (3, 4)


@pytest.mark.parametrize(("eigenvalue", "reach"), [(0.0, "within"), (0.5, "within"), (1.0, "whole")])
def test_reach(eigenvalue, reach):
    figures = memory_horizon(linear(eigenvalue * np.eye(4)), [each[:60] for each in INPUTS])
    assert figures["reach"] == reach
    if eigenvalue == 0.5:  # 5 % are left after 4.3 halvings
        assert figures["horizon"] == pytest.approx(np.log2(20), abs=0.7)


def test_a_network_that_ignores_its_input_depends_on_nothing():
    silent = Recurrence({"weight_ih_l0": np.zeros((4, 4)), "weight_hh_l0": np.zeros((4, 4))}, cell="rnn")
    figures = memory_horizon(silent, INPUTS)
    assert (figures["reach"], figures["horizon"]) == ("nothing", None)


def test_inputs_that_are_too_short_give_nothing():
    assert memory_horizon(linear(np.eye(4)), [np.ones((1, 4)), np.ones((0, 4))]) == {}


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        ([1, 0.5, 0.25, 0.125], (1, pytest.approx(1))),
        ([1, 0.8, 0.64, 0.512, 0.4096], (pytest.approx(3.106284), pytest.approx(3.106284))),
        ([1, 0, 0, 0], (pytest.approx(0, abs=0.01), pytest.approx(0, abs=0.01))),
        ([1, 1, 1, 1], (None, None)),
        ([1, 2, 4, 8], (None, None)),
    ],
)
def test_half_life(left, expected):
    assert half_life(left) == expected


def parameters_of(net):
    return {name: array.astype(np.float64) for name, array in net.stack.parameters.items()}


def run(net, x, states):
    """The outputs and final states by the equations in float64."""
    spec = net.spec
    return sweep_stack(
        spec.declaration, x, states, parameters_of(net), spec.num_layers, spec.bidirectional, **spec.options
    )


def zeros(net):
    rows = net.spec.num_layers * net.stack.directions
    return tuple(np.zeros((rows, 1, size)) for size in net.stack.state_sizes)


def test_gains_of_the_state_are_those_of_differences(network, variant):
    net = network(*variant)
    x = np.random.default_rng(5).normal(size=(6, 1, 3)).astype(np.float32)
    found = trace_stack(net.stack, x, ("batch", range(1)))
    sizes = net.stack.state_sizes
    (((gains,)),) = state_gains(net.stack, x, found, 1, sum(sizes), np.random.default_rng(1))
    _, start = run(net, x[:2].astype(float), zeros(net))
    for later in range(1, 5):
        columns = []
        for unit in range(sum(sizes)):
            moved = []
            for sign in (1e-6, -1e-6):
                flat = np.concatenate([each.ravel() for each in start])
                flat[unit] += sign
                parts = np.split(flat, np.cumsum(sizes)[:-1])
                states = tuple(part.reshape(1, 1, -1) for part in parts)
                _, after = run(net, x[2 : 2 + later].astype(float), states)
                moved.append(np.concatenate([each.ravel() for each in after]))
            columns.append((moved[0] - moved[1]) / 2e-6)
        # With as many directions as units the mean is exact: the Frobenius norm. The trace's states are float32.
        assert gains[later] == pytest.approx(np.linalg.norm(columns) / np.sqrt(sum(sizes)), rel=1e-4)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one-way", "both-ways"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_gains_of_the_input_are_those_of_differences(network, cell, bidirectional):
    net = network(cell, layers=2, bidirectional=bidirectional)
    x = np.random.default_rng(6).normal(size=(7, 1, 3)).astype(np.float32)
    found = trace_stack(net.stack, x, ("batch", range(1)))
    gains = input_gains(net.stack, x, found, 3, 3, np.random.default_rng(1))
    changes = []
    for feature in range(3):
        moved = []
        for sign in (1e-6, -1e-6):
            other = x.astype(float)
            other[3, 0, feature] += sign
            moved.append(run(net, other, zeros(net))[0])
        changes.append((moved[0] - moved[1]) / 2e-6)
    size = np.sqrt((np.stack(changes) ** 2).sum(axis=-1).mean(axis=(0, 2)))
    expected = np.sqrt((size[3:] ** 2 + size[3::-1] ** 2) / 2) if bidirectional else size[3:]
    np.testing.assert_allclose(gains, expected, rtol=1e-4)


def test_a_cell_of_your_own_is_followed_too(cells_as_before):
    rnn = cells.find("rnn")
    cells.register(replace(rnn, name="mine"))
    weights = {"weight_ih_l0": np.eye(4), "weight_hh_l0": 0.5 * np.eye(4)}
    net = Recurrence(weights, cell="mine", nonlinearity="relu")
    (layer,) = memory_horizon(net, INPUTS)["layers"]
    assert layer["half_life"] == pytest.approx(1, rel=1e-6)


def test_a_cell_without_derivatives_is_refused(cells_as_before):
    def step(x, state, parameters, **options):
        (h,) = state
        return (np.abs(x @ parameters["weight_ih"].T + h @ parameters["weight_hh"].T),)

    cells.register(replace(cells.find("rnn"), name="mine", step=step))
    net = Recurrence({"weight_ih_l0": np.eye(4), "weight_hh_l0": 0.5 * np.eye(4)}, cell="mine")
    with pytest.raises(ConfigError, match="cannot be run on complex numbers"):
        memory_horizon(net, INPUTS)
