"""Steps of a stack: the same bits as the whole sequence, state in the open."""

import numpy as np
import pytest

from penstock import engine
from penstock.errors import ConfigError, ShapeError


def stack_of(random_layer, variant, layers):
    first = random_layer(variant, 7, 33)
    rest = [random_layer(variant, first.layer.output_size, 33, seed=k) for k in range(1, layers)]
    return first, [first.layer, *(layer.layer for layer in rest)]


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("batch", [1, 5])
def test_steps_equal_whole(variant, layers, batch, random_layer):
    first, stack = stack_of(random_layer, variant, layers)
    x, _ = first.inputs(20, batch)
    whole = x
    for layer in stack:
        whole, final = layer(whole)
    step = engine.Step(stack, batch)
    for t in range(20):
        np.testing.assert_array_equal(step(x[t]), whole[t])
    for carried, wanted in zip(step.state[-1], final, strict=True):
        np.testing.assert_array_equal(carried, wanted[0])


def test_state_can_be_copied_and_put_back(random_layer):
    first, stack = stack_of(random_layer, ("lstm", {}), 2)
    x, _ = first.inputs(6, 1)
    step = engine.Step(stack)
    step(x[0])
    kept = [[array.copy() for array in states] for states in step.state]
    expected = step(x[1]).copy()
    step.reset()
    assert not np.array_equal(step(x[1]), expected)
    for states, saved in zip(step.state, kept, strict=True):
        for array, value in zip(states, saved, strict=True):
            array[:] = value
    np.testing.assert_array_equal(step(x[1]), expected)


def test_bad_steps_are_named(random_layer):
    one = random_layer(("gru", {}), 7, 8).layer
    with pytest.raises(ShapeError, match=r"batch=1, input=7\); got \(1, 6\)"):
        engine.Step([one])(np.zeros((1, 6), np.float32))
    with pytest.raises(ShapeError, match="float64"):
        engine.Step([one])(np.zeros((1, 7)))
    with pytest.raises(ConfigError, match="unidirectional layers"):
        engine.Step([random_layer(("gru", {}), 7, 8, both=True).layer])
    with pytest.raises(ShapeError, match="8 outputs can't feed one with 7 inputs"):
        engine.Step([one, one])


def test_layers_without_parameters_are_refused():
    with pytest.raises(ConfigError, match="load"):
        engine.Step([engine.Layer("rnn", 2, 3)])


@pytest.mark.parametrize("batch", [0, -1, 1.5])
def test_a_batch_is_a_whole_number(batch, random_layer):
    with pytest.raises(ConfigError, match="batch must be a whole number, at least 1"):
        engine.Step([random_layer(("rnn", {}), 2, 3).layer], batch)


def test_a_look_inside_shows_the_gates_of_the_equations(variant, random_layer):
    layer = random_layer(variant, 7, 33)
    x, _ = layer.inputs(4, 3)
    plain, seen = engine.Step([layer.layer], 3), engine.Step([layer.layer], 3)
    p = {name: array.astype(np.float64) for name, array in layer.parameters.items()}
    for now in x:
        before = [array.astype(np.float64) for array in seen.state[0]]
        y, (trace,) = seen.trace(now)
        np.testing.assert_array_equal(y, plain(now))
        for name, state in zip(layer.cell.states, seen.state[0], strict=True):
            np.testing.assert_array_equal(trace[name], state)
        expected = gates_of(variant, p, now.astype(np.float64), before, trace)
        assert set(trace) == set(expected) | set(layer.cell.states)
        for name, gate in expected.items():
            # float32's rounding of sums of 40 terms
            np.testing.assert_allclose(trace[name], gate, atol=2e-6, err_msg=name)


def gates_of(variant, p, x, before, trace):
    """The gates by the equations, in float64, from the parameters; docs/cells/ derives them."""
    h = before[0]
    from_x = np.split(x @ p["weight_ih"].T + p["bias_ih"], len(p["bias_ih"]) // 33, axis=1)
    from_h = np.split(h @ p["weight_hh"].T + p["bias_hh"], len(p["bias_hh"]) // 33, axis=1)
    if variant[0] == "rnn":
        return {}
    if variant[0] == "lstm":
        peep = p.get("weight_ch", np.zeros((3, 33)))
        i, f, g, o = (a + b for a, b in zip(from_x, from_h, strict=True))
        return {
            "input": sigmoid(i + peep[0] * before[1]),
            "forget": sigmoid(f + peep[1] * before[1]),
            "cell": np.tanh(g),
            "output": sigmoid(o + peep[2] * trace["c"]),
        }
    r, z = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
    inner = r * from_h[2]
    if not variant[1]["reset_after"]:
        inner = (r * h) @ p["weight_hh"][66:].T + p["bias_hh"][66:]
    return {"reset": r, "update": z, "candidate": np.tanh(from_x[2] + inner)}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_generation_needs_one_stream_and_a_table_that_fits():
    layer = engine.Layer("gru", 3, 4)
    layer.load({name: np.zeros(shape, np.float32) for name, shape in layer.parameter_shapes.items()})
    table, head, chances = (
        np.zeros((2, 3), np.float32),
        engine.Linear(np.zeros((2, 4), np.float32)),
        np.array([0.2, 0.7]),
    )
    tokens, about = engine.Step([layer]).generate(table, head, chances)
    np.testing.assert_array_equal(tokens, [0, 1])
    np.testing.assert_array_equal(about, np.float32([[0, 0, 0.5]] * 2))
    for step, arguments, message in (
        (engine.Step([layer], 2), (table, head, chances), "one stream alone"),
        (engine.Step([layer]), (table[:, :2].copy(), head, chances), "table must be"),
        (engine.Step([layer]), (table, engine.Linear(np.zeros((2, 5), np.float32)), chances), "head must read"),
        (engine.Step([layer]), (table, head, chances.astype(np.float32)), "chances must be"),
    ):
        with pytest.raises(ShapeError, match=message):
            step.generate(*arguments)
