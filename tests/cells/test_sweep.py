"""Sweeps over whole sequences: lengths, directions, odd sizes, NumPy and PyTorch alike."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.cells import find, sweep, sweep_stack
from penstock.errors import ConfigError, DtypeError, LengthsError, ShapeError

# Same equations, same type; BLAS and PyTorch may add the few terms of a product in another order.
ALIKE = {np.float64: 1e-13, np.float32: 2e-5}


def _step_by_step(cell, x, state, parameters, options):
    outputs = []
    for row in x:
        state = cell.step(row, state, parameters, **options)
        outputs.append(state[0])
    return np.stack(outputs) if outputs else np.zeros((0, *state[0].shape)), state


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9), st.integers(1, 9)),
    reverse=st.booleans(),
    seed=st.integers(0, 99),
)
def test_ragged_batch_equals_each_sequence_alone(variant, random_parameters, random_sequences, size, reverse, seed):
    steps, batch, input_size, hidden_size = size
    cell, options = variant(hidden_size)
    parameters = random_parameters(cell, input_size, hidden_size, seed, **options)
    x, state = random_sequences(cell, steps, batch, input_size, hidden_size, seed, **options)
    lengths = np.random.default_rng(seed).integers(0, steps, batch, endpoint=True)
    y, final = sweep(cell, x, state, parameters, lengths, reverse, **options)
    for b, length in enumerate(lengths):
        own = x[:length, b : b + 1]
        start = tuple(s[b : b + 1] for s in state)
        expected, end = _step_by_step(cell, own[::-1] if reverse else own, start, parameters, options)
        np.testing.assert_allclose(y[:length, b], (expected[::-1] if reverse else expected)[:, 0], atol=1e-13)
        assert not y[length:, b].any()
        for got, wanted in zip(final, end, strict=True):
            np.testing.assert_allclose(got[b], wanted[0], atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("size", [(1, 1, 1, 1), (1, 3, 2, 5), (6, 1, 3, 2), (5, 4, 7, 6)], ids=str)
def test_numpy_equals_pytorch(variant, random_parameters, random_sequences, dtype, reverse, size):
    steps, batch, input_size, hidden_size = size
    cell, options = variant(hidden_size)
    parameters = random_parameters(cell, input_size, hidden_size, dtype=dtype, **options)
    x, state = random_sequences(cell, *size, dtype=dtype, **options)
    lengths = np.arange(batch) % (steps + 1)
    y, final = sweep(cell, x, state, parameters, lengths, reverse, **options)
    tensors = {name: torch.from_numpy(value) for name, value in parameters.items()}
    theirs = sweep(
        cell,
        torch.from_numpy(x),
        tuple(map(torch.from_numpy, state)),
        tensors,
        torch.from_numpy(lengths),
        reverse,
        **options,
    )
    for mine, other in zip((y, *final), (theirs[0], *theirs[1]), strict=True):
        assert isinstance(mine, np.ndarray)
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, other.numpy(), atol=ALIKE[dtype])


def test_float32_stays_within_rounding_of_float64(variant, random_parameters, random_sequences):
    cell, options = variant(16)
    parameters = random_parameters(cell, 8, 16, **options)
    x, state = random_sequences(cell, 20, 2, 8, 16, **options)
    # Contracting weights: what is compared is rounding, not how a chaotic network spreads it.
    parameters = {name: 0.1 * value for name, value in parameters.items()}
    exact, _ = sweep(cell, x, state, parameters, **options)
    single = {name: value.astype(np.float32) for name, value in parameters.items()}
    y, _ = sweep(cell, x.astype(np.float32), tuple(s.astype(np.float32) for s in state), single, **options)
    np.testing.assert_allclose(y, exact, rtol=0, atol=1e-6)


def test_no_state_means_zeros_and_no_steps_mean_no_change(variant, random_parameters, random_sequences):
    cell, options = variant(4)
    parameters = random_parameters(cell, 3, 4, **options)
    x, state = random_sequences(cell, 3, 2, 3, 4, **options)
    zeros = tuple(np.zeros_like(s) for s in state)
    np.testing.assert_array_equal(
        sweep(cell, x, None, parameters, **options)[0], sweep(cell, x, zeros, parameters, **options)[0]
    )
    y, final = sweep(cell, x[:0], state, parameters, **options)
    assert y.shape == (0, *state[0].shape)
    assert all(np.array_equal(after, before) for after, before in zip(final, state, strict=True))


def test_sequences_in_pieces_equal_the_whole(variant, random_parameters, random_sequences):
    cell, options = variant(5)
    parameters = random_parameters(cell, 3, 5, **options)
    x, state = random_sequences(cell, 7, 2, 3, 5, **options)
    whole, end = sweep(cell, x, state, parameters, **options)
    first, middle = sweep(cell, x[:3], state, parameters, **options)
    second, last = sweep(cell, x[3:], middle, parameters, **options)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)
    assert all(np.array_equal(a, b) for a, b in zip(last, end, strict=True))


def test_stack_on_numpy_equals_sweeps_by_hand(variant, random_parameters, random_sequences):
    cell, options = variant(4)
    x, _ = random_sequences(cell, 5, 2, 3, 4, **options)
    output_size = cell.state_sizes(4, **options)[0]
    named = {}
    for layer, input_size in ((0, 3), (1, 2 * output_size)):
        for number, suffix in enumerate(("", "_reverse")):
            own = random_parameters(cell, input_size, 4, seed=2 * layer + number, **options)
            named |= {f"{name}_l{layer}{suffix}": value for name, value in own.items()}
    lengths = np.array([5, 3])
    y, final = sweep_stack(cell, x, None, named, 2, True, lengths, **options)
    for layer in range(2):
        halves = []
        for number, suffix in enumerate(("", "_reverse")):
            end = f"_l{layer}{suffix}"
            own = {name.removesuffix(end): v for name, v in named.items() if name.endswith(end)}
            half, state = sweep(cell, x, None, own, lengths, bool(number), **options)
            halves.append(half)
            assert all(np.array_equal(f[2 * layer + number], s) for f, s in zip(final, state, strict=True))
        x = np.concatenate(halves, axis=-1)
    np.testing.assert_array_equal(y, x)


def _case(random_parameters, **change):
    cell = find("lstm")
    parameters = random_parameters(cell, 3, 4)
    state = (np.zeros((2, 4)), np.zeros((2, 4)))
    arguments = {"cell": cell, "x": np.ones((5, 2, 3)), "state": state, "parameters": parameters}
    return arguments | change


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.ones((5, 2, 7))}, ShapeError, r"\(time, batch, input=3\); got \(5, 2, 7\)"),
        ({"x": np.ones((2, 3))}, ShapeError, r"\(time, batch, input=3\); got \(2, 3\)"),
        ({"x": [[[1.0]]]}, ShapeError, r"x must be a NumPy array or a PyTorch tensor; got list"),
        ({"x": np.ones((5, 2, 3), int)}, DtypeError, r"floating-point numbers; got int64"),
        ({"state": (np.zeros((2, 4)),)}, ShapeError, r"state of lstm must be \(h, c\); got 1"),
        ({"state": (np.zeros((2, 4)), np.zeros((2, 5)))}, ShapeError, r"c must be \(2, 4\).*got \(2, 5\)"),
        ({"lengths": np.array([1])}, LengthsError, r"lengths must be \(batch=2,\).*got \(1,\)"),
        ({"peephole": True}, ConfigError, r"needs weight_ch"),
        ({"peepholes": True}, ConfigError, r"has the options peephole, proj_size, zoneout; got peepholes"),
        ({"parameters": {}}, ConfigError, r"needs weight_ih and weight_hh; got none"),
        (
            {"parameters": {"weight_ih": np.ones((16, 3)), "weight_hh": np.ones((16, 3))}},
            ShapeError,
            r"weight_hh must be \(16, 4\).*got \(16, 3\)",
        ),
        (
            {"parameters": {"weight_ih": np.ones((3, 16)), "weight_hh": np.ones((16, 4))}},
            ShapeError,
            r"weight_ih must be \(4 \* hidden, input\).*got \(3, 16\)",
        ),
    ],
)
def test_arguments_that_do_not_fit_are_named(random_parameters, change, error, message):
    with pytest.raises(error, match=message):
        sweep(**_case(random_parameters, **change))
