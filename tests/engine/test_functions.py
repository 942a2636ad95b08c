"""Linear, softmax, tanh, sigmoid, threads."""

import numpy as np
import pytest

from penstock import engine
from penstock.errors import ConfigError, ShapeError


@pytest.mark.parametrize(
    ("rows", "inputs", "outputs"), [(1, 1, 1), (7, 33, 5), (300, 300, 40), (0, 4, 3), (64, 16, 16)]
)
def test_linear_matches_float64_and_rows_stand_alone(rows, inputs, outputs):
    rng = np.random.default_rng(1)
    weight = rng.standard_normal((outputs, inputs)).astype(np.float32)
    bias = rng.standard_normal(outputs).astype(np.float32)
    x = rng.standard_normal((rows, inputs)).astype(np.float32)
    linear = engine.Linear(weight, bias)
    y = linear(x)
    expected = x.astype(float) @ weight.T.astype(float) + bias
    np.testing.assert_allclose(y, expected, atol=1e-4)
    for row in range(0, rows, 13):
        np.testing.assert_array_equal(linear(x[row : row + 1])[0], y[row])


@pytest.mark.parametrize("columns", [1, 2, 15, 16, 17, 100])
def test_softmax_matches_float64_and_rows_stand_alone(columns):
    x = (np.random.default_rng(2).standard_normal((9, columns)) * 20).astype(np.float32)
    y = engine.softmax(x)
    e = np.exp(x.astype(float) - x.max(1, keepdims=True))
    # x - max is rounded to single precision: up to 4e-6 where it is about 100.
    np.testing.assert_allclose(y, e / e.sum(1, keepdims=True), rtol=1e-5, atol=1e-37)
    np.testing.assert_array_equal(engine.softmax(x[4:5])[0], y[4])
    for place in {0, columns // 2, columns - 1}:
        broken = x[:2].copy()
        broken[0, place] = np.nan
        np.testing.assert_array_equal(engine.softmax(broken), [np.full(columns, np.nan), y[1]])


def units_in_last_place(got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    return np.abs(got.astype(float) - exact) / np.spacing(np.abs(exact.astype(np.float32))).astype(float)


@pytest.mark.slow
def test_activations_are_within_three_units_in_the_last_place():
    # Every 509th float32 bit pattern: all signs, exponents, some NaN.
    x = np.arange(0, 2**32, 509, dtype=np.uint64).astype(np.uint32).view(np.float32)
    finite = x[np.isfinite(x)].astype(float)
    with np.errstate(over="ignore", under="ignore"):
        exact_tanh, exact_sigmoid = np.tanh(finite), 1 / (1 + np.exp(-finite))
    got_tanh, got_sigmoid = engine.tanh(x), engine.sigmoid(x)
    normal = np.abs(exact_tanh) > np.finfo(np.float32).tiny  # below it, results are flushed to zero
    assert units_in_last_place(got_tanh[np.isfinite(x)][normal], exact_tanh[normal]).max() < 3
    normal = exact_sigmoid > np.finfo(np.float32).tiny
    assert units_in_last_place(got_sigmoid[np.isfinite(x)][normal], exact_sigmoid[normal]).max() < 3
    assert np.isnan(got_tanh[np.isnan(x)]).all()
    assert np.isnan(got_sigmoid[np.isnan(x)]).all()
    special = np.array([np.inf, -np.inf, 0.0, -0.0], np.float32)
    np.testing.assert_array_equal(engine.tanh(special), [1, -1, 0, 0])
    np.testing.assert_array_equal(engine.sigmoid(special), [1, 0, 0.5, 0.5])


def test_bad_input_is_named(monkeypatch):
    with pytest.raises(ShapeError, match=r"inputs=3\); got \(2, 4\)"):
        engine.Linear(np.zeros((5, 3)))(np.zeros((2, 4)))
    with pytest.raises(ShapeError, match=r"outputs=5"):
        engine.Linear(np.zeros((5, 3)), np.zeros(3))
    with pytest.raises(ShapeError, match="1 or more columns"):
        engine.softmax(np.zeros((3, 0)))
    with pytest.raises(ConfigError, match="from 1 to 1024; got 0"):
        engine.set_num_threads(0)
    monkeypatch.setenv("PENSTOCK_NUM_THREADS", "many")
    monkeypatch.setattr("penstock.engine.threads._chosen", None)
    with pytest.raises(ConfigError, match="PENSTOCK_NUM_THREADS"):
        engine.get_num_threads()
