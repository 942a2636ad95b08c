"""The layers: equal to the reference; the same bits whatever the threads, batch, padding and chunks."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import engine
from penstock.cells import VARIANTS
from penstock.errors import ConfigError, DtypeError, LengthsError, ShapeError

# Single precision sums of up to 140 terms of size 1: a few units in the sixth place.
CLOSE = {"rtol": 0.0, "atol": 1e-5}


@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data())
def test_values_match_reference(data, random_layer):
    size = st.integers(1, 70)
    variant = data.draw(st.sampled_from(VARIANTS))
    layer = random_layer(variant, data.draw(size), data.draw(size), both=data.draw(st.booleans()))
    steps, batch = data.draw(st.integers(0, 12)), data.draw(st.integers(0, 20))
    x, state = layer.inputs(steps, batch)
    lengths = data.draw(st.none() | st.lists(st.integers(0, steps), min_size=batch, max_size=batch))
    lengths = None if lengths is None else np.array(lengths, np.int64)
    engine.set_num_threads(data.draw(st.integers(1, 4)))
    y, final = layer.layer(x, state, lengths=lengths)
    expected, expected_final = layer.reference(x, state, lengths)
    np.testing.assert_allclose(y, expected, **CLOSE)
    for got, wanted in zip(final, expected_final, strict=True):
        np.testing.assert_allclose(got, wanted, **CLOSE)


def test_bits_do_not_depend_on_threads(variant, random_layer):
    layer = random_layer(variant, 33, 130, both=True)
    for batch in (1, 5, 40):
        x, state = layer.inputs(9, batch)
        results = []
        for threads in (1, 2, 3, 4):
            engine.set_num_threads(threads)
            y, final = layer.layer(x, state)
            results.append(np.concatenate([y.ravel(), *(s.ravel() for s in final)]))
        for other in results[1:]:
            np.testing.assert_array_equal(results[0], other)


def test_bits_do_not_depend_on_batch_padding_or_layout(variant, random_layer):
    layer = random_layer(variant, 20, 40, both=True)
    lengths = np.array([7, 0, 12, 3, 12, 1, 9, 2])
    x, state = layer.inputs(12, len(lengths))
    together, final = layer.layer(x, state, lengths=lengths)
    by_batch, final_by_batch = layer.layer(x.transpose(1, 0, 2), state, lengths=lengths, batch_first=True)
    np.testing.assert_array_equal(by_batch.transpose(1, 0, 2), together)
    for b, length in enumerate(lengths):
        alone, final_alone = layer.layer(x[:length, b : b + 1], tuple(s[:, b : b + 1] for s in state))
        np.testing.assert_array_equal(together[:length, b], alone[:, 0])
        assert not together[length:, b].any()
        for got, got_by_batch, wanted in zip(final, final_by_batch, final_alone, strict=True):
            np.testing.assert_array_equal(got[:, b], wanted[:, 0])
            np.testing.assert_array_equal(got_by_batch, got)


def test_bits_do_not_depend_on_chunks_of_time(variant, random_layer):
    layer = random_layer(variant, 17, 50)
    x, state = layer.inputs(300, 3)
    whole, final = layer.layer(x, state)
    pieces, carried = [], state
    for begin, end in ((0, 1), (1, 1), (1, 130), (130, 131), (131, 300)):
        piece, carried = layer.layer(x[begin:end], carried)
        pieces.append(piece)
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    for got, wanted in zip(carried, final, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_not_a_number_spreads_as_in_the_reference(variant, random_layer):
    layer = random_layer(variant, 5, 20)
    x, state = layer.inputs(6, 3)
    x[2, 1, 0] = np.nan
    y, _ = layer.layer(x, state)
    expected, _ = layer.reference(x, state)
    np.testing.assert_array_equal(np.isnan(y), np.isnan(expected))
    assert np.isnan(y[2:, 1]).any()


def test_infinite_and_huge_input_saturates(random_layer):
    layer = random_layer(("lstm", {}), 2, 16)
    x = np.array([[[np.inf, 0.0]], [[-1e30, 1e30]]], np.float32)
    y, _ = layer.layer(x)
    assert np.isfinite(y).all()
    assert np.abs(y).max() <= 1.0


def test_several_python_threads_share_one_layer(random_layer):
    layer = random_layer(("gru", {}), 30, 64)
    x, state = layer.inputs(20, 6)
    expected, _ = layer.layer(x, state)
    with ThreadPoolExecutor(4) as pool:
        for y, _ in pool.map(lambda _: layer.layer(x, state), range(40)):
            np.testing.assert_array_equal(y, expected)


def test_new_weights_are_used(random_layer):
    layer = random_layer(("rnn", {}), 4, 6)
    x, state = layer.inputs(3, 2)
    layer.layer(x, state)
    layer.parameters = {name: array * np.float32(0.5) for name, array in layer.parameters.items()}
    layer.layer.load(layer.parameters)
    np.testing.assert_allclose(layer.layer(x, state)[0], layer.reference(x, state)[0], **CLOSE)


SCRIPT = """
import numpy as np
from penstock import engine
rng = np.random.default_rng(3)
for cell in ("rnn", "lstm", "gru"):
    layer = engine.Layer(cell, 19, 37, bidirectional=True)
    layer.load({n: rng.uniform(-0.2, 0.2, s).astype(np.float32) for n, s in layer.parameter_shapes.items()})
    y, _ = layer(rng.standard_normal((8, 5, 19)), lengths=np.array([8, 0, 3, 5, 1]))
    print(engine.instruction_set(), float(np.round(y.astype(float), 5).sum()), float(np.abs(y).max()))
"""


def run_on(instruction_set: str) -> list[list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PENSTOCK_ISA": instruction_set},
        capture_output=True,
        text=True,
        check=True,
    )
    return [line.split() for line in done.stdout.splitlines()]


def test_every_instruction_set_of_this_machine_agrees():
    plain = run_on("plain")
    assert [row[0] for row in plain] == ["plain"] * 3
    others = [name for name in ("avx2", "avx512") if engine.runs_here(name)]
    for name in others:
        rows = run_on(name)
        assert [row[0] for row in rows] == [name] * 3
        for row, wanted in zip(rows, plain, strict=True):
            np.testing.assert_allclose([float(v) for v in row[1:]], [float(v) for v in wanted[1:]], atol=1e-3)


def test_an_unknown_instruction_set_is_named():
    with pytest.raises(subprocess.CalledProcessError) as failed:
        run_on("mmx")
    assert "PENSTOCK_ISA must be one of plain" in failed.value.stderr


def test_a_forked_child_computes(random_layer):
    engine.set_num_threads(2)
    layer = random_layer(("lstm", {}), 64, 128)
    x, state = layer.inputs(30, 16)
    expected, _ = layer.layer(x, state)
    child = os.fork()
    if child == 0:
        os._exit(0 if (layer.layer(x, state)[0] == expected).all() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"x": np.zeros((3, 2, 4))}, ShapeError, r"\(time, batch, input=5\); got \(3, 2, 4\)"),
        ({"x": np.zeros((3, 5))}, ShapeError, r"got \(3, 5\)"),
        ({"x": np.array([[["a"]]])}, DtypeError, "real numbers"),
        ({"x": np.zeros((3, 2, 5), complex)}, DtypeError, "complex"),
        ({"lengths": np.array([1, 4])}, LengthsError, "0 and the 3 steps"),
        ({"lengths": np.array([-1, 2])}, LengthsError, "got -1"),
        ({"lengths": np.array([1.0, 2.0])}, LengthsError, "whole numbers"),
        ({"lengths": np.array([1, 2, 3])}, LengthsError, "2 whole numbers"),
        ({"state": (np.zeros((1, 2, 6)),)}, ShapeError, "tuple of 2"),
        ({"state": (np.zeros((1, 2, 6)), np.zeros((2, 6)))}, ShapeError, "size=6"),
    ],
)
def test_bad_input_is_named(change, error, says, random_layer):
    layer = random_layer(("lstm", {}), 5, 6).layer
    given = {"x": np.zeros((3, 2, 5), np.float32), "state": None, "lengths": None, **change}
    with pytest.raises(error, match=says):
        layer(given.pop("x"), **given)


def test_bad_construction_is_named():
    with pytest.raises(ConfigError, match="must be one of rnn, lstm, gru"):
        engine.Layer("elman", 3, 4)
    with pytest.raises(ConfigError, match="1 or more"):
        engine.Layer("gru", 3, 0)
    with pytest.raises(ConfigError, match=r"whole numbers.*got 2\.5 and 3"):
        engine.Layer("gru", 2.5, 3)
    with pytest.raises(ConfigError, match="load"):
        engine.Layer("gru", 3, 4)(np.zeros((1, 1, 3)))
    with pytest.raises(ShapeError, match=r"weight_ih must be \(12, 3\); got \(3, 12\)"):
        engine.Layer("gru", 3, 4, bias=False).load({"weight_ih": np.zeros((3, 12)), "weight_hh": np.zeros((12, 4))})


def test_a_very_large_batch(random_layer):
    # rows * chunks of 64 rows is beyond 32 bits
    engine.set_num_threads(1)
    layer = random_layer(("rnn", {}), 1, 1)
    x, _ = layer.inputs(1, 400_000)
    y, _ = layer.layer(x)
    few, _ = layer.layer(x[:, -3:])
    np.testing.assert_array_equal(y[:, -3:], few)
