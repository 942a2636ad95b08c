"""Log-mel features: what a frame is, and that pieces of a sound give the frames of the whole, bit for bit."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import ConfigError, DataError, NotFittedError, ShapeError
from penstock.sounds.features import AudioFeatures
from penstock.sounds.recordings import Recording

RATES = (8000, 11025, 16000, 44100)


def noise(seconds: float, rate: int = 8000, seed: int = 0) -> np.ndarray:
    """A noise whose loudness goes up and down."""
    time = np.arange(round(seconds * rate)) / rate
    return (np.random.default_rng(seed).normal(size=len(time)) * 0.1 * np.sin(7 * time) ** 2).astype(np.float32)


@pytest.fixture(scope="module")
def features():
    return AudioFeatures(mel_bins=10, mean_seconds=0.3, delta_frames=(2, 5)).fit([Recording(noise(2), 8000)])


def log_mel_reference(samples: np.ndarray, rate: int, bins: int, window: int, hop: int) -> np.ndarray:
    """Kaldi's filterbank as it is defined, in float64: frame, offset, pre-emphasis, window, power, triangles, log."""
    size = 1 << (window - 1).bit_length()
    mel = lambda hz: 1127 * np.log1p(hz / 700)  # noqa: E731
    edges = np.linspace(mel(20), mel(rate / 2), bins + 2)
    points = mel(np.arange(size // 2) * rate / size)[:, None]
    rising, falling = (points - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - points) / np.diff(edges)[1:]
    triangles = np.clip(np.minimum(rising, falling), 0, None)
    shape = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / (window - 1))) ** 0.85
    rows = []
    for start in range(0, len(samples) - window + 1, hop):
        frame = samples[start : start + window].astype(np.float64)
        frame = frame - frame.mean()
        frame = (frame - 0.97 * np.concatenate([frame[:1], frame[:-1]])) * shape
        power = np.abs(np.fft.rfft(frame, size))[: size // 2] ** 2
        rows.append(np.log(np.maximum(power @ triangles, np.exp(-15))))
    return np.array(rows)


@pytest.mark.parametrize("rate", RATES)
def test_frames_are_kaldis(rate):
    samples = noise(0.3, rate)
    features = AudioFeatures(mel_bins=12).fit([Recording(samples, rate)])
    expected = log_mel_reference(samples, rate, 12, features.window, features.hop)
    found = features.log_mel(samples)
    assert found.shape == expected.shape == (14, 12)
    # float32 sums of powers over a window: six digits, of logarithms up to 15
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)


def test_scale_and_changes(features):
    samples = noise(0.5, seed=3)
    (found,) = features.apply([Recording(samples, 8000)])
    mean, scale = features.scale
    now = (features.log_mel(samples) - mean) * scale
    running = np.zeros(10, np.float32)
    for frame in now:
        running = running + np.float32(0.02 / 0.3) * (np.maximum(frame, np.float32(-1.5)) - running)
        frame -= running
    assert found.shape == (24, features.size) == (24, 30)
    np.testing.assert_array_equal(found[:, :10], now)
    for place, frames in ((10, 2), (20, 5)):
        before = now[np.maximum(np.arange(len(now)) - frames, 0)]
        np.testing.assert_array_equal(found[:, place : place + 10], now - before)


def test_training_data_have_mean_0_and_spread_1():
    whole = (
        AudioFeatures(mel_bins=10).fit([Recording(noise(2), 8000)]).apply([Recording(noise(2), 8000)]).values[:, :10]
    )
    # the sums are float64, the features float32
    np.testing.assert_allclose(whole.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(whole.std(axis=0), 1, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=12), st.integers(0, 3))
def test_pieces_give_the_frames_of_the_whole(features, sizes, seed):
    samples = noise(sum(sizes) / 8000, seed=seed)
    (whole,) = features.apply([Recording(samples, 8000)])
    pieces = features.stream()
    parts = [pieces.push(part) for part in np.split(samples, np.cumsum(sizes)[:-1])] if sizes else []
    parts.append(pieces.finish())
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("rate", RATES)
def test_single_samples_give_the_frames_of_the_whole(rate):
    samples = noise(0.08, rate)
    features = AudioFeatures(mel_bins=6).fit([Recording(samples, rate)])
    pieces = features.stream()
    parts = [pieces.push(samples[place : place + 1]) for place in range(len(samples))]
    np.testing.assert_array_equal(np.concatenate(parts), features.apply([Recording(samples, rate)])[0])


@pytest.mark.parametrize(("window", "hop", "changes"), [(0.025, 0.01, (3, 8)), (0.03, 0.03, ()), (0.05, 0.004, (1,))])
def test_other_frames_too(window, hop, changes):
    samples = noise(0.9, seed=4)
    features = AudioFeatures(mel_bins=6, window_seconds=window, hop_seconds=hop, delta_frames=changes)
    described = features.fit([Recording(samples, 8000)]).to_json()
    pieces = AudioFeatures.from_json(json.loads(json.dumps(described))).stream()
    sizes = {name: array.nbytes for name, array in pieces.arrays().items()}
    parts = [pieces.push(part) for part in np.array_split(samples, 41)]
    np.testing.assert_array_equal(np.concatenate(parts), features.apply([Recording(samples, 8000)])[0])
    assert {name: array.nbytes for name, array in pieces.arrays().items()} == sizes


def test_long_sounds_are_cut_where_nobody_notices(features):
    samples = noise(16)
    pieces = features.stream()
    parts = [pieces.push(part) for part in np.array_split(samples, 97)]
    np.testing.assert_array_equal(np.concatenate(parts), features.apply([Recording(samples, 8000)])[0])


def test_memory_continues_elsewhere_and_does_not_grow(features):
    samples = noise(0.6, seed=5)
    pieces, twin = features.stream(), features.stream()
    sizes = {name: array.nbytes for name, array in pieces.arrays().items()}
    pieces.push(samples[:1234])
    for name, array in twin.arrays().items():
        array[...] = pieces.arrays()[name]
    np.testing.assert_array_equal(twin.push(samples[1234:]), pieces.push(samples[1234:]))
    assert {name: array.nbytes for name, array in pieces.arrays().items()} == sizes
    pieces.reset()
    np.testing.assert_array_equal(pieces.push(samples), features.apply([Recording(samples, 8000)])[0])


def test_samples_of_16_bits_and_several_channels(features):
    whole = (noise(0.2) * 32768).astype(np.int16)
    expected = features.stream().push(whole.astype(np.float32) / np.float32(32768))
    np.testing.assert_array_equal(features.stream().push(whole), expected)
    np.testing.assert_array_equal(features.stream().push(np.stack([whole, whole], axis=1)), expected)


def test_other_rates_are_changed_first(features):
    time = np.arange(22050) / 22050
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32) * np.float32(0.3)
    (resampled,) = features.apply([Recording(tone, 22050)])
    (plain,) = features.apply([Recording(tone[: 22050 * 8000 // 22050], 22050)])
    right = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000).astype(np.float32) * np.float32(0.3)
    (expected,) = features.apply([Recording(right, 8000)])
    assert resampled.shape == expected.shape
    strongest = features.log_mel(right).mean(axis=0).argmax()
    # in the tone's own band, away from the filter's ends; elsewhere there is only what the resampler leaves
    np.testing.assert_allclose(resampled[10:-10, strongest], expected[10:-10, strongest], atol=0.01)
    assert len(plain) < len(resampled)


def test_the_rate_is_the_commonest_of_training():
    recordings = [Recording(noise(0.2, rate), rate) for rate in (16000, 8000, 8000, 44100)]
    assert AudioFeatures().fit(recordings).sample_rate == 8000
    assert AudioFeatures(sample_rate=16000).fit(recordings).sample_rate == 16000


def test_json_gives_the_same_features(features):
    again = AudioFeatures.from_json(json.loads(json.dumps(features.to_json())))
    sound = [Recording(noise(0.3, seed=8), 8000)]
    np.testing.assert_array_equal(again.apply(sound).values, features.apply(sound).values)
    assert again.to_json() == features.to_json()


def test_models_of_before_the_running_mean_hear_as_they_did(features):
    old = features.to_json()
    del old["mean_seconds"]
    sound = [Recording(noise(0.3, seed=8), 8000)]
    found = AudioFeatures.from_json(old).apply(sound).values
    plain = AudioFeatures.from_json(features.to_json() | {"mean_seconds": 0.0}).apply(sound).values
    np.testing.assert_array_equal(found, plain)
    assert (found != features.apply(sound).values).any()


def test_another_microphone_is_forgotten():
    """A gain, the same in each frame, is a difference that each frame lessens by its share in the running mean."""
    features = AudioFeatures(mel_bins=10, mean_seconds=0.2).fit([Recording(noise(2), 8000)])
    plain = AudioFeatures.from_json(features.to_json() | {"mean_seconds": 0.0})
    loud = np.random.default_rng(0).normal(size=16000).astype(np.float32) * np.float32(0.1)
    several = [[Recording(sound, 8000)] for sound in (loud, loud * np.float32(0.5))]
    far, near = (abs(np.subtract(*(each.apply(sound)[0][:, :10] for sound in several))) for each in (plain, features))
    assert far.min() > 0.1
    frames = np.arange(1, len(near) + 1)[:, None]
    np.testing.assert_allclose(near, far * (1 - features.mean_share) ** frames, atol=1e-4)


def test_nothing_to_hear_gives_no_or_equal_frames(features):
    silence = np.zeros(1600, np.float32)
    plain = AudioFeatures.from_json(features.to_json() | {"mean_seconds": 0.0})
    (found,) = plain.apply([Recording(silence, 8000)])
    assert np.isfinite(found).all()
    assert (found == found[0]).all()
    assert np.isfinite(features.apply([Recording(silence, 8000)])[0]).all()
    for length in (0, 1, features.window - 1):
        assert features.apply([Recording(silence[:length], 8000)]).lengths.tolist() == [0]
    assert features.apply([]).values.shape == (0, features.size)
    assert features.log_mels([]).values.shape == (0, 10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mel_bins": 3}, "mel_bins must be a whole number from 4"),
        ({"mel_bins": True}, "mel_bins must be a whole number"),
        ({"sample_rate": 100}, "sample_rate must be a whole number from 4000"),
        ({"hop_seconds": 0.04}, "hop_seconds must be a number from 0.001 to 0.03"),
        ({"delta_frames": (0,)}, "delta_frames must be a whole number from 1"),
        ({"sample_rate": 8000, "highest_hz": 5000.0}, "at most half of the sample rate, 4000"),
    ],
)
def test_invalid_options(options, message):
    with pytest.raises(ConfigError, match=message):
        AudioFeatures(**options)


def test_errors(features):
    with pytest.raises(NotFittedError, match="sample rate"):
        _ = AudioFeatures().rate
    with pytest.raises(NotFittedError, match="no scale"):
        AudioFeatures(sample_rate=8000).apply([Recording(noise(1), 8000)])
    with pytest.raises(DataError, match="as long as one frame"):
        AudioFeatures().fit([Recording(noise(0.01), 8000)])
    with pytest.raises(ConfigError, match="sample_rate must be a whole number"):
        AudioFeatures().fit([])
    with pytest.raises(DataError, match="float from -1 to 1, or int16; got int64"):
        features.stream().push(np.arange(10))
    with pytest.raises(DataError, match="NaN or infinity"):
        features.stream().push(np.array([0.0, np.nan], np.float32))
    with pytest.raises(ShapeError, match="Transpose"):
        features.stream().push(np.zeros((2, 8000), np.float32))
    with pytest.raises(ConfigError, match="of kind 'audio'"):
        AudioFeatures.from_json({"kind": "text"})
    with pytest.raises(ConfigError, match="audio features have"):
        AudioFeatures.from_json(features.to_json() | {"more": 1})
    with pytest.raises(ConfigError, match="10 finite numbers"):
        AudioFeatures.from_json(features.to_json() | {"mean": [1.0]})
