"""Many streams in one pool: each answers as it would alone, whichever others there are."""

import sys

import numpy as np
import pytest

from penstock import engine
from penstock.cells import VARIANTS
from penstock.errors import ConfigError, DtypeError, ShapeError, StateError
from penstock.network import Recurrent
from penstock.runtime import Recurrence, StreamPool
from penstock.runtime.stack import Stack
from penstock.text.model import TextModel

RNG = np.random.default_rng(0)


def recurrence(cell, layers=1, size=5, hidden=12, **options):
    if "proj_size" in options:
        options["proj_size"] = 7
    spec = Recurrent(cell=cell, input_size=size, hidden_size=hidden, num_layers=layers, **options)
    shapes = spec.parameter_shapes()
    parameters = {name: RNG.normal(size=shape, scale=0.3).astype(np.float32) for name, shape in shapes.items()}
    kept = {name: value for name, value in options.items() if name in ("nonlinearity", "reset_after")}
    return Recurrence(parameters, cell, **kept)


@pytest.fixture(scope="module")
def gru():
    return recurrence("gru", layers=2)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "options"), VARIANTS, ids=str)
def test_a_stream_among_others_equals_a_stream_alone(cell, options, layers):
    network = recurrence(cell, layers, **options)
    pool, draw = network.pool(), np.random.default_rng(1)
    handles = np.array([pool.open() for _ in range(300)])  # more than the engine takes in one pass
    alone = {int(handle): network.stream() for handle in handles[:5]}
    for _ in range(6):
        chosen = draw.permutation(handles)[: draw.integers(1, 301)]
        x = draw.normal(size=(len(chosen), 5)).astype(np.float32)
        y = pool.step(chosen, x)
        for row, handle in enumerate(chosen.tolist()):
            if handle in alone:
                np.testing.assert_array_equal(y[row], alone[handle].push(x[row]))


def test_a_models_stream_in_a_pool_answers_as_its_text(text_parts):
    model = TextModel(*text_parts())
    pool, texts = model.scorer.pool(), ["the ferry sailed at dawn", "早餐", "", "3.5 stars"]
    handles, answers = [pool.open() for _ in texts], {}
    ids = [model.features.apply([text])[0] for text in texts]
    for step in range(max(map(len, ids))):
        rows = [row for row, each in enumerate(ids) if len(each) > step]
        found = pool.step(
            [handles[row] for row in rows], model.scorer.vectors(np.array([ids[row][step] for row in rows]))
        )
        answers |= dict(zip(rows, found, strict=True))
    expected = model.predict_proba(texts)
    for row, answer in answers.items():
        np.testing.assert_array_equal(answer, expected[row])


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_do_not_change_the_bits(gru, threads):
    x = np.random.default_rng(2).normal(size=(4, 600, 5)).astype(np.float32)
    before, found = engine.get_num_threads(), []
    try:
        for count in (2, threads):
            engine.set_num_threads(count)
            pool = gru.pool()
            handles = [pool.open() for _ in range(600)]
            found.append(np.stack([pool.step(handles, step) for step in x]))
    finally:
        engine.set_num_threads(before)
    np.testing.assert_array_equal(*found)


def test_places_are_used_again_and_old_handles_are_known_for_old(gru):
    pool, x = gru.pool(), np.ones((1, 5), np.float32)
    first = pool.open()
    fresh = pool.step([first], x)
    pool.step([first], x)
    pool.close(first)
    second = pool.open()
    assert second != first
    assert len(pool) == 1
    np.testing.assert_array_equal(pool.step([second], x), fresh)
    for use in (pool.close, pool.reset, pool.fork, pool.state, lambda old: pool.step([old], x)):
        with pytest.raises(StateError, match=f"stream {first} is not open"):
            use(first)
    pool.reset(second)
    np.testing.assert_array_equal(pool.step([second], x), fresh)


def test_forks_and_states_go_their_own_way(gru):
    pool, other = gru.pool(), gru.pool()
    x = np.random.default_rng(3).normal(size=(3, 1, 5)).astype(np.float32)
    stream = pool.open()
    pool.step([stream], x[0])
    twin, moved = pool.fork(stream), other.open()
    other.put(moved, pool.state(stream))
    expected = pool.step([stream], x[1])
    np.testing.assert_array_equal(pool.step([twin], x[1]), expected)
    np.testing.assert_array_equal(other.step([moved], x[1]), expected)
    assert not np.array_equal(pool.step([twin], x[2]), pool.step([stream], x[0]))


def test_a_state_of_a_stream_fits_a_pool(gru):
    stream, pool = gru.stream(), gru.pool()
    x = np.random.default_rng(4).normal(size=(2, 5)).astype(np.float32)
    stream.push(x[0])
    handle = pool.open()
    state = {f"encoder.{name}": array for name, array in stream.arrays().items() if name != "finished"}
    pool.put(handle, state)
    np.testing.assert_array_equal(pool.step([handle], x[1:])[0], stream.push(x[1]))


def test_what_can_not_be_advanced_is_refused_and_nothing_moves(gru):
    pool, x = gru.pool(), np.ones((2, 5), np.float32)
    with pytest.raises(StateError, match="stream 0 is not open"):
        pool.step([0, 1], x)
    a, b = pool.open(), pool.open()
    before = pool.state(a)
    for streams, data, error, message in (
        ([a, a], x, StateError, f"stream {a} occurs twice"),
        ([a, b + 1], x, StateError, "is not open"),
        ([a, -1], x, StateError, "stream -1 is not open"),
        ([a, b], x[:, :3], ShapeError, r"x must be \(streams=2, input=5\); got \(2, 3\)"),
        ([a], x, ShapeError, r"streams=1"),
        ([0.5], x, ShapeError, "handles from open"),
        ([[a, b]], x, ShapeError, "handles from open"),
        ([2**70, a], x, ShapeError, "handles from open"),
        ([a, b], x + 1j, DtypeError, "x must hold real numbers; got complex"),
        ([a, b], [["one"] * 5] * 2, DtypeError, "x must hold real numbers"),
    ):
        with pytest.raises(error, match=message):
            pool.step(streams, data)
    for name, array in pool.state(a).items():
        np.testing.assert_array_equal(array, before[name])
    with pytest.raises(StateError, match=r"encoder.1.h must be \(1, 12\); got absent"):
        pool.put(a, {"encoder.0.h": before["encoder.0.h"]})
    with pytest.raises(StateError, match=r"must be \(1, 12\); got \(1, 3\)"):
        pool.put(a, before | {"encoder.0.h": np.zeros((1, 3))})
    with pytest.raises(DtypeError, match=r"encoder.0.h must hold real numbers"):
        pool.put(a, before | {"encoder.0.h": np.zeros((1, 12), complex)})
    for odd in (float(a), None, "a", 2**70):
        with pytest.raises(ShapeError, match="handles from open"):
            pool.close(odd)
    assert pool.step([], np.zeros((0, 5))).shape == (0, 12)
    assert pool.step(np.zeros(0, np.int64), np.zeros((0, 5), np.float32)).shape == (0, 12)


def test_a_bidirectional_network_has_no_pool():
    spec = Recurrent(cell="rnn", input_size=3, hidden_size=4, bidirectional=True)
    parameters = {name: np.zeros(shape, np.float32) for name, shape in spec.parameter_shapes().items()}
    with pytest.raises(ConfigError, match="can't be streamed"):
        StreamPool(Stack(spec, parameters))


@pytest.mark.parametrize("hidden", [16, 128, 1024])
def test_memory_beside_the_states_is_small_at_any_number_of_streams(hidden):
    pool = recurrence("lstm", hidden=hidden).pool()
    for streams in range(1, 400):
        pool.open()
        held = sum(array.nbytes for array in pool._arrays().values()) + pool._generation.nbytes + pool._mark.nbytes
        held += sum(sys.getsizeof(place) + 8 for place in pool._free)
        assert held - streams * 2 * hidden * 4 <= 256 * streams
