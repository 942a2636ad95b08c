"""Signals as vectors: scale, missing values, strides; pieces give the bits of the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import ConfigError, DataError, NotFittedError, ShapeError
from penstock.signals.features import SignalFeatures

DRAW = np.random.default_rng(0)
TRAINING = [DRAW.normal(5.0, 2.0, (length, 2)) for length in (9, 4, 17)]


def fitted(signals=TRAINING, **options):
    return SignalFeatures(**options).fit(signals)


def defined(signal, features):
    """The definition, step by step: the last width * stride steps for every stride, the first and last repeated."""
    last = np.zeros(features.channels, np.float32)
    steps = []
    for step in signal:
        value = np.clip((step - features.mean) / features.scale, -100, 100).astype(np.float32)
        last = np.where(np.isnan(value), last, value)
        steps.append(last)
    reach, vectors = features.width * features.stride, []
    for start in range(0, len(steps), features.stride):
        seen = steps[: start + features.stride]
        seen = [steps[0]] * reach + seen + [steps[-1]] * (start + features.stride - len(seen))
        vectors.append(np.concatenate(seen[-reach:]))
    return np.array(vectors).reshape(-1, features.size)


@pytest.mark.parametrize("stride", [1, 2, 5])
@pytest.mark.parametrize("width", [1, 3])
def test_vectors_are_those_of_the_definition(stride, width):
    features = fitted(stride=stride, width=width)
    signals = [DRAW.normal(5, 3, (length, 2)) for length in (0, 1, 2, 11)]
    found = features.apply(signals)
    assert found.values.dtype == np.float32
    for signal, vectors in zip(signals, found, strict=True):
        np.testing.assert_array_equal(vectors, defined(signal, features))


@settings(deadline=None, max_examples=60)
@given(
    stride=st.integers(1, 4),
    width=st.integers(1, 3),
    pieces=st.lists(st.integers(0, 7), max_size=8),
    missing=st.sets(st.integers(0, 40)),
)
def test_pieces_give_the_bits_of_the_whole(stride, width, pieces, missing):
    features = fitted(stride=stride, width=width)
    signal = np.random.default_rng(1).normal(5, 2, (sum(pieces), 2))
    for cell in missing:
        if cell < signal.size:
            signal.flat[cell] = np.nan
    whole = features.apply([signal])[0]
    np.testing.assert_array_equal(whole, defined(signal, features))
    stream, start, found = features.stream(), 0, []
    for piece in pieces:
        found.append(stream.push(signal[start : start + piece]))
        start += piece
    found.append(stream.finish())
    np.testing.assert_array_equal(np.concatenate(found), whole)


def test_each_channel_is_on_its_own_scale():
    vectors = fitted(width=1, stride=1).apply(TRAINING).values
    # float32 of some thirty numbers of size 1.
    np.testing.assert_allclose(vectors.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(vectors.std(0), 1, atol=1e-6)


def test_a_large_offset_costs_no_digits():
    # Of float64, 1e9 leaves seven digits behind the point.
    near = [1e9 + each for each in TRAINING]
    expected = fitted().apply(TRAINING).values
    np.testing.assert_allclose(fitted(near).apply(near).values, expected, atol=1e-6)


@pytest.mark.parametrize("unit", [1e-100, 1e-12, 1e12])
def test_the_unit_of_a_channel_does_not_matter(unit):
    other = [unit * each for each in TRAINING]
    expected = fitted().apply(TRAINING).values
    np.testing.assert_allclose(fitted(other).apply(other).values, expected, atol=1e-6)  # through float32


def test_a_constant_channel_is_zero_and_far_values_stay_finite():
    features = fitted([np.full((5, 1), 0.1)], width=1)
    assert features.scale == 1
    np.testing.assert_array_equal(features.apply([np.full((3, 1), 0.1)]).values, 0)
    np.testing.assert_array_equal(features.apply([np.array([[1e300], [-1e300]])]).values, [[100], [-100]])


def test_missing_values_take_no_part_in_the_scale():
    holes = np.array([[1.0], [np.nan], [3.0]])
    features = fitted([holes], width=1)
    assert (features.mean, features.scale) == (2, 1)
    np.testing.assert_array_equal(features.apply([np.array([[np.nan], [3.0], [np.nan]])]).values, [[0], [1], [1]])


def test_the_stride_follows_the_median_length():
    assert [fitted([np.ones((n, 1))]).stride for n in (1, 64, 100, 500)] == [1, 1, 2, 8]
    assert fitted([np.ones((500, 1))], window=130).stride == 2


def test_windows_end_with_each_step():
    signal = np.arange(4.0)[:, None]
    windows = fitted(window=3).windows(signal)
    assert [window.ravel().tolist() for window in windows] == [[0], [0, 1], [0, 1, 2], [1, 2, 3]]


def test_a_single_step_is_taken_as_people_write_it():
    one, two = fitted([each[:, :1] for each in TRAINING], width=1), fitted(width=1)
    np.testing.assert_array_equal(one.stream().push(2.5), one.apply([[[2.5]]]).values)
    np.testing.assert_array_equal(one.stream().push([2.5, 3]), one.apply([[[2.5], [3]]]).values)
    np.testing.assert_array_equal(two.stream().push([2.5, None]), two.apply([[[2.5, np.nan]]]).values)


def test_there_and_back_through_json():
    features = fitted(stride=3, width=2, window=7)
    again = SignalFeatures.from_json(features.to_json())
    np.testing.assert_array_equal(again.apply(TRAINING).values, features.apply(TRAINING).values)
    assert (again.window, again.to_json()) == (7, features.to_json())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"kind": "text"}, "of kind 'signals'"),
        ({"more": 1}, "signal features have stride"),
        ({"stride": 0}, "stride must be a whole number, at least 1; got 0"),
        ({"stride": None}, "need a stride"),
        ({"width": 1.5}, "width must be"),
        ({"window": True}, "window must be"),
        ({"mean": ["a", "b"]}, "the mean of signal features must be finite numbers"),
        ({"scale": [1.0]}, "a mean and a scale above 0 for each channel"),
        ({"scale": [1.0, 0.0]}, "above 0"),
    ],
)
def test_a_wrong_description_is_refused(changed, message):
    with pytest.raises(ConfigError, match=message):
        SignalFeatures.from_json(fitted().to_json() | changed)


def test_what_cannot_be_used_is_refused():
    with pytest.raises(NotFittedError, match="call fit"):
        SignalFeatures().apply(TRAINING)
    with pytest.raises(DataError, match=r"channel 1 .* has no value in any training signal"):
        fitted([np.array([[1.0, np.nan], [2.0, np.nan]])])
    with pytest.raises(DataError, match=r"channel 0 .* values that can be squared; got one of size 1.8e\+308"):
        fitted([np.array([[1.0], [-1.797e308]])])
    with pytest.raises(ShapeError, match=r"\(steps, channels=2\), as in training; got \(3, 1\)"):
        fitted().apply([np.ones((3, 1))])
    with pytest.raises(DataError, match="must be finite numbers"):
        fitted().stream().push([1.0, np.inf])
    with pytest.raises(DataError, match="must be numbers; got 'warm'"):
        fitted().stream().push("warm")
