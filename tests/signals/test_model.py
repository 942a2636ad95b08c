"""Models of signals: answers depend on the signal alone, streamed or whole, padded or alone."""

import numpy as np
import pytest

from penstock.errors import ConfigError, DataError, ShapeError, StateError
from penstock.network import ClassHead, Network, Numbers, Recurrent, RegressionHead
from penstock.signals import model as module
from penstock.signals.features import SignalFeatures
from penstock.signals.model import SignalClassModel, SignalRegressionModel

DRAW = np.random.default_rng(0)
SIGNALS = [DRAW.normal(3, 2, (length, 2)) for length in (12, 0, 5, 31, 1, 12)]
SIGNALS[0][3] = np.nan


def make(kind="class", *, stride=2, window=None, bidirectional=False, metrics=None, layers=2):
    features = SignalFeatures(stride=stride, width=2, window=window).fit(SIGNALS)
    head = ClassHead(3, "mean_max") if kind == "class" else RegressionHead(1, "mean_max")
    encoder = Recurrent(
        cell="gru", input_size=features.size, hidden_size=7, num_layers=layers, bidirectional=bidirectional
    )
    network = Network(Numbers(features.size), encoder, head)
    rng = np.random.default_rng(1)
    shapes = network.parameter_shapes()
    tensors = {name: rng.normal(scale=0.7, size=shape).astype(np.float32) for name, shape in shapes.items()}
    if kind == "class":
        return SignalClassModel(network, features, ["a", "b", "c"], tensors, metrics=metrics)
    return SignalRegressionModel(network, features, [], tensors, metrics=metrics)


def streamed(stream, signal):
    for step in signal:
        stream.push(step)
    return stream.finish()


@pytest.mark.parametrize("stride", [1, 2, 5])
def test_streamed_equals_whole_and_padded_equals_alone(stride):
    model = make(stride=stride)
    whole = model.predict_proba(SIGNALS)
    assert len(np.unique(whole.round(4), axis=0)) == len(SIGNALS), "the answers must differ"
    for signal, expected in zip(SIGNALS, whole, strict=True):
        assert model.predict_proba([signal]).tobytes() == expected.tobytes()
        stream = model.stream()
        assert list(streamed(stream, signal).values()) == expected.tolist()
        stream.reset()
        stream.push(signal[:4])
        assert list(stream.fork().finish().values()) == list(stream.finish().values())


def test_numbers_too():
    model = make("regression")
    whole = model.predict(SIGNALS)
    assert (whole.shape, whole.dtype) == ((6,), np.float32)
    assert [streamed(model.stream(), signal) for signal in SIGNALS] == whole.tolist()
    assert list(model.answers(SIGNALS[:1])) == [{"prediction": float(whole[0])}]
    assert model.as_json(model.stream().push(SIGNALS[0])).keys() == {"prediction"}


@pytest.mark.slow
def test_a_hundred_thousand_steps_in_constant_memory():
    model = make(stride=4, layers=1)
    signal = np.random.default_rng(2).normal(3, 2, (100_000, 2))
    stream = model.stream()
    before = {name: array.nbytes for name, array in stream.arrays().items()}
    for start in range(0, 99_000, 1000):
        stream.push(signal[start : start + 1000])
    for step in signal[99_000:]:
        stream.push(step)
    assert list(stream.finish().values()) == model.predict_proba([signal])[0].tolist()
    assert {name: array.nbytes for name, array in stream.arrays().items()} == before


def test_spans_change_no_bit(monkeypatch):
    whole = make().predict_proba(SIGNALS)
    monkeypatch.setattr(module, "_SPAN", 2)
    assert make().predict_proba(SIGNALS).tobytes() == whole.tobytes()


@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
def test_with_a_window_each_step_has_its_answer(bidirectional):
    model = make(window=5, stride=1, bidirectional=bidirectional)
    signals = [SIGNALS[3], SIGNALS[2]]
    found = model.predict_proba(signals)
    assert found.shape == (31 + 5, 3)
    alone = make(stride=1, bidirectional=bidirectional)
    for step, window in ((0, SIGNALS[3][:1]), (30, SIGNALS[3][26:]), (33, SIGNALS[2][:3])):
        assert found[step].tobytes() == alone.predict_proba([window])[0].tobytes()
    stream = model.stream()
    assert model.info()["streams"]
    assert [list(stream.push(step).values()) for step in SIGNALS[3]] == found[:31].tolist()
    state, last = stream.save(), stream.finish()
    assert model.stream().load(state).finish() == last
    with pytest.raises(StateError, match="call reset"):
        stream.push(SIGNALS[3][0])
    stream.reset()
    assert list(stream.push(SIGNALS[2]).values()) == found[-1].tolist()


def test_evaluating_steps():
    model = make(window=3)
    labels = [["a"] * len(signal) for signal in SIGNALS]
    each = model.evaluate(SIGNALS, labels)["metrics"]
    assert each == model.evaluate(SIGNALS, ["a"] * len(SIGNALS))["metrics"]
    assert each == model.evaluate(SIGNALS, [label for signal in labels for label in signal])["metrics"]
    with pytest.raises(DataError, match="signal 2 has 5 steps and 4 answers"):
        model.evaluate(SIGNALS, [*labels[:2], ["a"] * 4, *labels[3:]])
    with pytest.raises(DataError, match="for each of 6 signals, or for each of their 61 steps; got 2"):
        model.evaluate(SIGNALS, ["a", "b"])


def test_steps_come_in_lines():
    model = make(metrics={"data": {"columns": {"series": ["x", "y"]}}})
    np.testing.assert_array_equal(model.item('{"y": 2, "x": 1}'), [1, 2])
    np.testing.assert_array_equal(model.item("1,NA"), [1, np.nan])
    with pytest.raises(DataError, match="this model has no channel names"):
        make().item('{"y": 2}')


def test_what_does_not_fit_is_refused():
    model = make()
    with pytest.raises(ShapeError, match=r"channels=2\), as in training; signal 0 is \(4, 3\)"):
        model.predict([np.ones((4, 3))])
    with pytest.raises(ShapeError, match=r"channels=2\), as in training"):
        model.stream().push([1.0, 2.0, 3.0])
    other = SignalFeatures(stride=1, width=1).fit(SIGNALS)
    with pytest.raises(ConfigError, match="needs inputs of 2 numbers, the size of its features; got Numbers"):
        SignalClassModel(model.network, other, model.labels, model.tensors)
    with pytest.raises(ConfigError, match="a regression head with one output and no labels"):
        SignalRegressionModel(model.network, model.features, [], model.tensors)
    with pytest.raises(ConfigError, match="bidirectional"):
        make(bidirectional=True).stream()
    number = make("regression")
    with pytest.raises(DataError, match="the same length, at least 1; got 6 and 1"):
        number.evaluate(SIGNALS, [1.0])
    with pytest.raises(DataError, match="answers must be numbers"):
        number.evaluate(SIGNALS[:1], ["warm"])
    with pytest.raises(DataError, match="answers must be finite"):
        number.evaluate(SIGNALS[:1], [np.nan])
