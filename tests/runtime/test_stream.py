"""Streams of text: answers so far, saved and damaged states, forks, and constant memory."""

import gc
import json
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy

from penstock.errors import ConfigError, DtypeError, StateError
from penstock.runtime import Recurrence, states
from penstock.text.model import TextModel


@pytest.fixture(scope="module")
def model(text_parts):
    return TextModel(*text_parts())


def test_every_answer_is_that_of_the_text_so_far(model):
    stream = model.stream()
    read = []
    for piece in ["the ferry", "", "sailed 早餐", " \n ", "at dawn"]:
        read.append(piece)
        answer = stream.push(piece)
        assert list(answer) == model.labels
        assert list(answer.values()) == model.predict_proba(["\n".join(read)])[0].tolist()
    assert stream.finish() == answer


def test_a_finished_stream_takes_no_more_until_it_is_reset(model):
    stream = model.stream()
    first = stream.push("the ferry")
    stream.push("sailed")
    assert stream.finish() == stream.finish()
    for finished in (stream, stream.fork(), model.stream().load(stream.save())):
        with pytest.raises(StateError, match=r"finished: call reset\(\)"):
            finished.push("at dawn")
    stream.reset()
    assert stream.push("the ferry") == first
    with pytest.raises(DtypeError, match=r"a piece must be text \(str\); got list"):
        stream.push(["the"])


def test_an_empty_stream_answers_as_an_empty_text(model):
    assert list(model.stream().finish().values()) == model.predict_proba([""])[0].tolist()


def test_a_bidirectional_model_is_not_streamed(text_parts):
    with pytest.raises(ConfigError, match="can't be streamed"):
        TextModel(*text_parts(bidirectional=True)).stream()


def test_a_state_is_a_few_kilobytes_of_safetensors(text_parts):
    stream = TextModel(*text_parts(hidden_size=128)).stream()
    stream.push("the ferry sailed")
    saved = stream.save()
    assert len(saved) < 4096
    assert sorted(safetensors.numpy.load(saved)) == [
        "encoder.0.c", "encoder.0.h", "finished", "head.length", "head.maximum", "head.total",
    ]  # fmt: skip


def test_damage_anywhere_in_a_state_is_noticed(model):
    stream = model.stream()
    stream.push("the ferry")
    saved = stream.save()
    before = stream.push("sailed")
    for position in range(0, len(saved), 3):
        damaged = bytearray(saved)
        damaged[position] ^= 1
        with pytest.raises(StateError):
            stream.load(bytes(damaged))
    for end in (0, 7, 8, 100, len(saved) - 1):
        with pytest.raises(StateError, match="cut short"):
            stream.load(saved[:end])
    with pytest.raises(StateError, match="must be bytes; got str"):
        stream.load("state")
    assert stream.push("") == before, "a refused state leaves the stream as it was"


def test_a_state_of_another_kind_is_refused(model, text_parts):
    stream = model.stream()
    network, features, labels, tensors = text_parts()
    other = TextModel(network, features, labels, tensors | {"head.bias": tensors["head.bias"] + 1})
    with pytest.raises(StateError, match="belongs to another model"):
        stream.load(other.stream().save())
    with pytest.raises(StateError, match="got other safetensors data"):
        stream.load(safetensors.numpy.save({"h": np.zeros(3, np.float32)}))
    with pytest.raises(StateError, match="is of type"):
        stream.load(safetensors.numpy.save({"h": np.zeros(3, np.int8)}))
    weights = {"weight_ih_l0": np.ones((2, 3)), "weight_hh_l0": np.ones((2, 2))}
    recurrence = Recurrence(weights, "rnn")
    with pytest.raises(StateError, match="expected the state of a recurrence stream; got the state of a text stream"):
        recurrence.stream().load(stream.save())
    with pytest.raises(StateError, match=r"0.h must be float32 \(1, 2\); got float32 \(3, 2\)"):
        recurrence.stream().load(recurrence.stream(batch=3).save())


@pytest.mark.parametrize(
    ("version", "message"),
    [
        (3, "version 3, this Penstock reads version 2. Update"),
        (10**4000, "this Penstock reads version 2. Update"),
        (1, "version 1, from an older Penstock"),
        (-3, "damaged: its version is -3"),
        (True, "damaged: its version is True"),
        (None, "damaged: its version is None"),
        ("2", "damaged: its version is '2'"),
    ],
    ids=lambda value: str(value)[:10],
)
def test_a_state_of_another_version_is_refused(model, version, message):
    saved = model.stream().save()
    size = int.from_bytes(saved[:8], "little")
    header = json.loads(saved[8 : 8 + size])
    header["__metadata__"]["penstock_state"] = json.dumps({"version": version})
    text = json.dumps(header).encode()
    other = len(text).to_bytes(8, "little") + text + saved[8 + size :]
    with pytest.raises(StateError, match=message) as caught:
        model.stream().load(other)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "kept", [{"item": "one"}, {"item": 1.5}, {"item": True}, {"item": [1]}, {"item": -1}, {"item": 10**4000}]
)
def test_notes_that_are_not_whole_numbers_are_refused(model, kept):
    stream = model.stream()
    data = states.pack(stream.arrays(), kind="text", model=model.fingerprint, notes=kept)
    with pytest.raises(StateError, match="must be whole numbers"):
        states.notes(data)


def test_a_description_too_deep_is_damage(model):
    data = safetensors.numpy.save({"h": np.zeros(3, np.float32)}, {"penstock_state": "[" * 100_000})
    with pytest.raises(StateError, match="damaged"):
        model.stream().load(data)


@pytest.mark.slow
def test_memory_does_not_grow(model):
    stream = model.stream()
    for _ in range(100):
        stream.push("the 早餐")
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(100):
            stream.push("the 早餐")
        first, _ = tracemalloc.get_traced_memory()
        for _ in range(5_000):
            stream.push("the")
        last, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert last - first < 5_000  # less than a byte for each push; the worker's other threads allocate too
    assert peak < 100_000
    assert len(stream.save()) < 2_000


def test_a_look_inside_changes_nothing_and_holds_every_token(model):
    plain, seen = model.stream(), model.stream()
    for piece in ("the ferry sailed", "", "at dawn"):
        answer, traces = seen.trace(piece)
        assert answer == plain.push(piece)
        assert len(traces) == len(piece.split())
        for (layer,) in traces:
            assert set(layer) == {"input", "forget", "cell", "output", "h", "c"}
            assert layer["forget"].shape == (1, 12)
    np.testing.assert_array_equal(traces[-1][0]["h"], seen.arrays()["encoder.0.h"])
