"""Layers by the equations promise what the engine's do: close to its values, and exact in their own bits."""

import numpy as np
import pytest

from penstock import engine
from penstock.engine.equations import EquationLayer, EquationStep, EquationStreams
from penstock.engine.exact import Exact
from penstock.errors import ConfigError, LengthsError, ShapeError

SIZES = {"input_size": 7, "hidden_size": 19}


def make(variant, **arguments):
    name, options = variant
    options = {key: 5 if value is None else value for key, value in options.items()}
    layer = EquationLayer(name, **SIZES, **arguments, **options)
    native = engine.Layer(name, **SIZES, **arguments, **options)
    rng = np.random.default_rng(1)
    parameters = {
        key: rng.uniform(-0.3, 0.3, shape).astype(np.float32) for key, shape in layer.parameter_shapes.items()
    }
    layer.load(parameters)
    native.load(parameters)
    return layer, native


def draw(*shape):
    return np.random.default_rng(2).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
def test_values_are_the_engines(variant, bidirectional, bias):
    layer, native = make(variant, bidirectional=bidirectional, bias=bias)
    x, lengths = draw(4, 9, 7), np.array([9, 0, 3, 8])
    state = tuple(draw(layer.directions, 4, size) for size in layer.state_sizes)
    for arguments in ({}, {"lengths": lengths}):
        (y, last), (expected, others) = (each(x, state, batch_first=True, **arguments) for each in (layer, native))
        # float32, sums in another order, over 9 steps
        for ours, theirs in zip((y, *last), (expected, *others), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-6)


def test_bits_do_not_depend_on_the_batch_the_padding_or_the_steps(variant):
    layer, _ = make(variant)
    x, lengths = draw(9, 40, 7), np.random.default_rng(3).integers(0, 10, 40)
    y, last = layer(x, lengths=lengths)
    for b in (0, 17, 39):
        alone, final = layer(x[: lengths[b], b : b + 1])
        np.testing.assert_array_equal(y[: lengths[b], b], alone[:, 0])
        assert not y[lengths[b] :, b].any()
        for state, whole in zip(final, last, strict=True):
            np.testing.assert_array_equal(state[:, 0], whole[:, b])
    whole, _ = layer(x)
    step = EquationStep([layer], 40)
    np.testing.assert_array_equal(np.stack([step(each).copy() for each in x]), whole)


def test_streams_in_any_company_give_the_bits_of_the_step(variant):
    layer, _ = make(variant)
    x = draw(6, 3, 7)
    whole, _ = layer(x)
    streams = EquationStreams([layer])
    slabs = streams.slabs(8)
    places = np.array([5, 0, 3])
    for now, expected in zip(x, whole, strict=True):
        order = np.random.default_rng(4).permutation(3)
        np.testing.assert_array_equal(streams.step(places[order], now[order], slabs), expected[order])


def test_a_stack_is_traced_by_its_states(variant):
    layer, _ = make(variant)
    step = EquationStep([layer], 2)
    y, (trace,) = step.trace(draw(2, 7))
    assert tuple(trace) == layer.cell.states
    np.testing.assert_array_equal(trace[layer.cell.states[0]], y)
    step.reset()
    assert not any(array.any() for array in step.state[0])


def test_what_does_not_fit_is_refused():
    layer, _ = make(("gru", {}))
    with pytest.raises(ShapeError, match="input=7"):
        layer(draw(3, 2, 8))
    with pytest.raises(LengthsError, match="0 and the 3 steps"):
        layer(draw(3, 2, 7), lengths=np.array([4, 0]))
    with pytest.raises(ShapeError, match=r"\(batch=2, input=7\); got \(1, 7\)"):
        EquationStep([layer], 2)(draw(1, 7))
    with pytest.raises(ConfigError, match="no parameters yet"):
        EquationLayer("gru", 7, 19)(draw(3, 2, 7))
    with pytest.raises(ConfigError, match="no parameters yet"):
        EquationStep([EquationLayer("gru", 7, 19)])


def test_products_and_tanh_are_the_engines():
    weight, x = Exact.weight(draw(6, 5)), draw(3, 4, 5)
    linear = engine.Linear(np.asarray(weight))
    product = x @ weight.mT
    np.testing.assert_array_equal(product, linear(x.reshape(-1, 5)).reshape(3, 4, 6))
    np.testing.assert_array_equal(np.tanh(product), engine.tanh(np.asarray(product)))
    assert all(type(each) is Exact for each in (product, np.tanh(product), product + 1, np.where(x > 0, x, weight[0])))


def test_parts_of_a_weight_are_packed_once_and_copies_are_not_taken_for_them():
    weight, x = Exact.weight(draw(6, 5)), draw(2, 5)
    for _ in range(3):
        np.testing.assert_array_equal(x @ weight[2:4, :].mT, engine.Linear(np.asarray(weight)[2:4])(x))
    assert len(weight._packs) == 1
    for rows in ([0, 1], [2, 3], [4, 5]):  # copies, which may come to lie where another one lay
        np.testing.assert_array_equal(x @ weight[rows].mT, engine.Linear(np.asarray(weight)[rows])(x))
    np.testing.assert_array_equal(x @ (2 * weight).mT, engine.Linear(2 * np.asarray(weight))(x))
    assert len(weight._packs) == 1
