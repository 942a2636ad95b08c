"""A classifier of sounds at work: whole, piece by piece, and for a hundred thousand frames."""

import numpy as np
import pyarrow
import pytest

from penstock.audio.model import AudioModel
from penstock.errors import ConfigError, DataError
from penstock.network import ClassHead, Network, Numbers, Recurrent
from penstock.sounds.recordings import Recording


def test_streamed_equals_whole(audio_model, spoken):
    whole = audio_model.predict_proba(spoken[0])
    rng = np.random.default_rng(1)
    for recording, expected in zip(spoken[0][::5], whole[::5], strict=True):
        stream = audio_model.stream()
        for piece in np.split(recording.samples, np.sort(rng.integers(0, len(recording.samples), 9))):
            answer = stream.push(piece)
        assert list(answer.values()) == list(stream.finish().values()) == expected.tolist()


def test_one_alone_equals_one_among_others(audio_model, spoken):
    together = audio_model.predict_proba(spoken[0])
    for row in (0, 9, 23):
        np.testing.assert_array_equal(audio_model.predict_proba([spoken[0][row]])[0], together[row])


def test_a_stream_continues_elsewhere_and_starts_again(audio_model, spoken):
    samples = spoken[0][0].samples
    stream = audio_model.stream()
    stream.push(samples[:1000])
    twin, fork = audio_model.stream().load(stream.save()), stream.fork()
    answer = stream.push(samples[1000:])
    assert twin.push(samples[1000:]) == fork.push(samples[1000:]) == answer
    stream.reset()
    stream.push(samples)
    assert list(stream.finish().values()) == audio_model.predict_proba([spoken[0][0]])[0].tolist()


@pytest.mark.slow
def test_a_hundred_thousand_frames_in_constant_memory(audio_model):
    features = audio_model.features
    noise = np.random.default_rng(2).normal(size=1000 * features.hop).astype(np.float32) * np.float32(0.1)
    stream = audio_model.stream()
    size = len(stream.save())
    for _ in range(100):
        answer = stream.push(noise)
    assert len(stream.save()) == size
    frames = (100 * len(noise) - features.window) // features.hop + 1
    assert stream.arrays()["head.length"].tolist() == [frames] == [99_999]
    assert sum(answer.values()) == pytest.approx(1, abs=1e-6)


def test_inputs_of_all_kinds_give_the_same(audio_model, spoken):
    recording = spoken[0][3]
    expected = audio_model.predict_proba([recording])
    for same in (recording.samples, (recording.samples, 8000), recording.samples.astype(np.float64), recording):
        np.testing.assert_array_equal(audio_model.predict_proba([same]), expected)
    assert audio_model.predict_proba([]).shape == (0, 3)
    assert audio_model.predict_proba([np.zeros(0, np.float32)]).shape == (1, 3)


def test_a_table_has_its_recordings_in_a_column(audio_model, spoken):
    samples, labels = [recording.samples.tolist() for recording in spoken[0][:4]], spoken[1][:4]
    table = pyarrow.table({"label": labels, "Audio": samples})
    np.testing.assert_array_equal(audio_model.predict_proba(table), audio_model.predict_proba(samples))
    assert audio_model.evaluate(table) == audio_model.evaluate(samples, labels)
    assert list(audio_model.answers(table)) == list(audio_model.answers(samples))
    with pytest.raises(DataError, match="the table has no column audio; it has label"):
        audio_model.predict(table.drop_columns("Audio"))


def test_answers_name_the_files(audio_model, spoken):
    named, unnamed = audio_model.answers([spoken[0][0], spoken[0][0].samples])
    assert named == {"file": "synthetic yes"} | unnamed
    assert list(unnamed) == ["prediction", "probability_no", "probability_stop", "probability_yes"]


def test_info(audio_model):
    assert audio_model.info()["sample_rate"] == 8000
    assert audio_model.info()["task"] == "audio-classification"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ("clip.wav", "must be a list; got str"),
        (Recording(np.zeros(9, np.float32), 8000), "must be a list; got Recording"),
        (np.zeros(9, np.float32), "must be a list; got one array of samples"),
        (3, "must be a list; got int"),
        ([np.zeros(9, np.float32), np.arange(9)], "recording number 1: samples must be float"),
        (["none.wav"], "^none.wav: can't be read"),
    ],
)
def test_inputs_that_are_none(inputs, message, audio_model):
    with pytest.raises(DataError, match=message):
        audio_model.predict(inputs)


def test_lines_are_not_samples(audio_model):
    with pytest.raises(DataError, match="Pass --raw, and 16-bit little-endian samples at 8000 Hz"):
        audio_model.item("0.1")


def test_a_network_of_another_size_is_refused(audio_model):
    network = Network(Numbers(5), Recurrent(cell="gru", input_size=5, hidden_size=4), ClassHead(3))
    with pytest.raises(ConfigError, match="needs inputs of 16 numbers"):
        AudioModel(network, audio_model.features, audio_model.labels, {})
