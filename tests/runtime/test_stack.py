"""A stack whose long work is divided in time."""

import logging

import numpy as np
import pytest

from penstock import events, pauses
from penstock.errors import DataError, LengthsError
from penstock.network import Recurrent
from penstock.runtime import stack
from penstock.runtime.stack import Stack
from penstock.text.model import TextModel


def make(**options):
    spec = Recurrent(input_size=3, hidden_size=5, num_layers=2, **options)
    draw = np.random.default_rng(0)
    shapes = spec.parameter_shapes()
    return Stack(spec, {name: draw.normal(size=shape, scale=0.4).astype(np.float32) for name, shape in shapes.items()})


def zeros(spec):
    return {name: np.zeros(shape, np.float32) for name, shape in spec.parameter_shapes().items()}


X = np.random.default_rng(1).normal(size=(23, 4, 3)).astype(np.float32)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("steps", [1, 7, 23], ids="T{}".format)
@pytest.mark.parametrize("lengths", [None, [23, 0, 7, 8]], ids=["full", "ragged"])
def test_divided_work_has_the_same_bits(monkeypatch, cell, steps, lengths):
    network = make(cell=cell)
    state = [tuple(np.full((1, 4, size), 0.3, np.float32) for size in network.state_sizes) for _ in range(2)]
    whole, after = network(X, state, lengths)
    calls = []
    monkeypatch.setattr(network, "_run", lambda *given, run=network._run: calls.append(1) or run(*given))
    monkeypatch.setattr(network, "_span", lambda batch: steps)
    divided, then = network(X, state, lengths)
    assert len(calls) == -(-23 // steps)
    np.testing.assert_array_equal(divided, whole)
    for one, other in zip(after, then, strict=True):
        for before, now in zip(one, other, strict=True):
            np.testing.assert_array_equal(now, before)


ZONEOUT = {"cell": "lstm", "zoneout": 0.1}
PROJECTED = {"cell": "lstm", "proj_size": 4}
RESET_BEFORE = {"cell": "gru", "reset_after": False}


@pytest.mark.parametrize("options", [{"cell": "lstm"}, {"cell": "rnn"}, RESET_BEFORE, ZONEOUT, PROJECTED], ids=str)
@pytest.mark.parametrize("span", [1, 7, 8, 22, 23], ids="S{}".format)
@pytest.mark.parametrize("lengths", [None, [23, 0, 7, 8], [6, 1, 22, 16], [1, 1, 1, 1]], ids=str)
@pytest.mark.parametrize("given", [False, True], ids=["zeros", "state"])
def test_both_directions_are_divided_with_the_same_bits(monkeypatch, options, span, lengths, given):
    network = make(bidirectional=True, **options)
    state = [tuple(np.full((2, 4, size), 0.3, np.float32) for size in network.state_sizes) for _ in range(2)]
    state[0][0][1] = -0.7  # of the backward direction
    whole, after = network(X, state if given else None, lengths)
    pieces = []
    monkeypatch.setattr(network, "_span", lambda batch: span)
    monkeypatch.setattr(pauses, "pause", lambda: pieces.append(1))
    divided, then = network(X, state if given else None, lengths)
    assert len(pieces) == 4 * -(-23 // span) * (span < 23)
    np.testing.assert_array_equal(divided, whole)
    for one, other in zip(after, then, strict=True):
        for before, now in zip(one, other, strict=True):
            np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint64, np.int8])
def test_lengths_may_be_of_any_whole_type(monkeypatch, bidirectional, dtype):
    network, lengths = make(bidirectional=bidirectional), np.array([23, 0, 7, 8], dtype)
    whole, _ = network(X, None, lengths)
    monkeypatch.setattr(network, "_span", lambda batch: 7)
    np.testing.assert_array_equal(network(X, None, lengths)[0], whole)


@pytest.mark.parametrize("steps", [1, 6, 7, 8, 13, 14, 15])
def test_both_directions_of_one_sequence_beside_a_boundary(monkeypatch, steps):
    network = make(bidirectional=True, cell="gru")
    x = np.ascontiguousarray(X[:steps, :1])
    whole, _ = network(x)
    monkeypatch.setattr(Stack, "_span", lambda *_: 7)
    np.testing.assert_array_equal(network(x)[0], whole)


def test_pieces_are_small_where_others_wait():
    small, large = make(), Stack(spec := Recurrent(input_size=600, hidden_size=600), zeros(spec))
    assert [small._span(batch) for batch in (1, 4, 10**6)] == [2**16, 2**14, 1]
    with pauses.interrupted_by(lambda: None):
        assert [small._span(batch) for batch in (1, 4, 10**6)] == [2**12, 2**10, 1]
        assert large._span(2) * large.weights * 2 <= 2**28 < (large._span(2) + 1) * large.weights * 2


def test_where_others_wait_an_input_of_both_directions_may_not_fill_the_memory(monkeypatch, text_parts):
    monkeypatch.setattr(stack, "_MOST_NUMBERS", 23 * 4 * 10)
    network = make(bidirectional=True)
    y, _ = network(np.concatenate([X, X]))
    with pauses.interrupted_by(lambda: None):
        np.testing.assert_array_equal(network(X)[0].shape, (23, 4, 10))
        with pytest.raises(DataError, match=r"has 46 steps, .* Here it may have at most 23"):
            network(np.concatenate([X, X]))
        make()(np.concatenate([X, X]))
        monkeypatch.setattr(stack, "_MOST_NUMBERS", 128 * 2 * 24)  # a batch of short texts
        model = TextModel(*text_parts(bidirectional=True))
        assert len(model.predict(["good food"] * 500)) == 500
        with pytest.raises(DataError, match="Split it"):
            model.predict(["good food", "good food " * 500])
    assert len(y) == 46
    assert len(model.predict(["good food", "good food " * 500])) == 2


@pytest.mark.parametrize("lengths", [[24, 1, 1, 1], [-1, 1, 1, 1], [1, 1, 1], [1.0, 2.0, 3.0, 4.0]], ids=str)
def test_lengths_that_do_not_match_are_refused_there_too(monkeypatch, lengths):
    monkeypatch.setattr(stack, "MULTIPLICATIONS", 1)
    with pytest.raises(LengthsError):
        make()(X, None, lengths)


def test_scoring_tells_how_far_it_is(monkeypatch, text_parts, caplog):
    monkeypatch.setattr(events, "_SECONDS", 0.0)
    caplog.set_level(logging.DEBUG, "penstock")
    texts = ["good food", "a"] * 100
    TextModel(*text_parts()).predict(texts)
    told = [record.fields for record in caplog.records]
    assert {fields["what"] for fields in told} == {"predicting"}
    assert [fields["done"] for fields in told] == sorted(fields["done"] for fields in told)
    assert told[-1]["finished"]
    assert told[-1]["done"] == told[-1]["total"] == 300
