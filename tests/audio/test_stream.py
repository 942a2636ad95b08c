"""Words in a stream: the scores and times of a slow, obvious reading, whatever the pieces."""

import numpy as np
import pytest

from penstock.audio.model import AudioModel
from penstock.audio.stream import Word
from penstock.errors import ConfigError, StateError
from penstock.network import ClassHead, Network

WINDOW, SMOOTHED = 15, 2


@pytest.fixture(scope="module")
def samples(spoken):
    """All of the words, one after the other, with short gaps."""
    gap = np.zeros(900, np.float32)
    return np.concatenate([part for recording in spoken[0] for part in (recording.samples, gap)])


def read_slowly(model, samples, threshold):
    """Scores (frames, labels) and words, each frame from its window, by the head itself."""
    (vectors,) = model.encode(model.checked([samples]))
    outputs, _ = model.scorer.encoder(np.ascontiguousarray(vectors[:, None]))
    raw = []
    for frame in range(len(outputs)):
        window = outputs[max(frame - WINDOW + 1, 0) : frame + 1]
        raw.append(model.scorer.head.forward(window)[0])
    padded = [np.zeros(len(model.labels), np.float32)] * (SMOOTHED - 1) + raw
    scores = np.stack([np.mean(padded[frame : frame + SMOOTHED], axis=0) for frame in range(len(raw))])
    words = []
    for label, name in enumerate(model.labels):
        frame = 0
        while frame < len(scores):
            end = frame
            while end < len(scores) and scores[end, label] >= threshold and end - frame < 51:
                end += 1
            if end > frame:
                stretch = scores[frame:end, label].astype(np.float64)
                middle = frame + (stretch * np.arange(len(stretch))).sum() / stretch.sum()
                words.append((end, label, Word(name, (middle * 160 + 240) / 8000, stretch.max())))
                while end < len(scores) and scores[end, label] >= threshold:
                    end += 1
            frame = end + 1
    return scores, [word for _, _, word in sorted(words, key=lambda found: found[:2])]


def heard_in_pieces(spotter, samples, rng):
    seconds, scores, words, start = [], [], [], 0
    while start < len(samples):
        size = int(rng.integers(0, 3000))
        heard = spotter.push(samples[start : start + size])
        start += size
        seconds.append(heard.seconds)
        scores.append(heard.scores)
        words += heard.words
        spotter = spotter.fork() if size % 2 else spotter
    return np.concatenate(seconds), np.concatenate(scores), words + spotter.finish().words


@pytest.mark.parametrize("threshold", [0.36, 0.5])
def test_scores_and_words_are_those_of_a_slow_reading(audio_model, samples, threshold):
    expected, words = read_slowly(audio_model, samples, threshold)
    heard = audio_model.spotter(threshold=threshold).push(samples)
    # three float32 numbers, added in another order
    np.testing.assert_allclose(heard.scores, expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(heard.seconds, (np.arange(len(expected)) * 160 + 240) / 8000)
    spotter = audio_model.spotter(threshold=threshold)
    found = spotter.push(samples).words + spotter.finish().words
    assert len(found) > 3
    assert [word.label for word in found] == [word.label for word in words]
    # sums over a second's frames in float32
    np.testing.assert_allclose([word.seconds for word in found], [word.seconds for word in words], atol=1e-4)
    np.testing.assert_allclose([word.score for word in found], [word.score for word in words], atol=1e-6)


def test_pieces_give_what_the_whole_gives(audio_model, samples):
    spotter = audio_model.spotter(threshold=0.4)
    whole = spotter.push(samples)
    words = whole.words + spotter.finish().words
    for seed in range(3):
        seconds, scores, found = heard_in_pieces(
            audio_model.spotter(threshold=0.4), samples, np.random.default_rng(seed)
        )
        np.testing.assert_array_equal(seconds, whole.seconds)
        np.testing.assert_array_equal(scores, whole.scores)
        assert found == words


def test_memory_is_small_saved_and_forgotten(audio_model, samples):
    spotter = audio_model.spotter(threshold=0.4)
    empty = spotter.save()
    first = spotter.push(samples)
    assert len(spotter.save()) == len(empty) < 20_000
    twin = audio_model.spotter(threshold=0.4).load(spotter.save())
    assert twin.push(samples[:5000]).words == spotter.push(samples[:5000]).words
    spotter.reset()
    assert spotter.save() == empty
    np.testing.assert_array_equal(spotter.push(samples).scores, first.scores)
    with pytest.raises(StateError, match="expected the state of a spotter stream"):
        spotter.load(audio_model.stream().save())


@pytest.mark.slow
def test_twenty_thousand_frames_in_constant_memory(audio_model):
    """The stream that it asks holds five times as many in `test_model.py`."""
    noise = np.random.default_rng(2).normal(size=2000 * 160).astype(np.float32) * np.float32(0.1)
    spotter = audio_model.spotter(threshold=0.4)
    size = len(spotter.save())
    for _ in range(10):
        heard = spotter.push(noise)
    assert len(spotter.save()) == size
    assert heard.seconds[-1] == pytest.approx((19_998 * 160 + 240) / 8000)


def test_only_the_words_asked_for_are_heard(audio_model, samples):
    spotter = audio_model.spotter(["stop"], threshold=0.4)
    assert {word.label for word in spotter.push(samples).words} == {"stop"}
    both = audio_model.spotter({"stop": 0.4, "no": 0.999}).push(samples).words
    assert {word.label for word in both} == {"stop"}


@pytest.mark.parametrize(
    ("words", "threshold", "message"),
    [
        (["go"], 0.5, "has no label 'go'; its labels are 'no', 'stop', 'yes'"),
        ("go", 0.5, "has no label 'go'"),
        (["stop"], 1.0, "between 0 and 1; got 1.0 for 'stop'"),
        ({"stop": "high"}, 0.5, "between 0 and 1; got 'high'"),
    ],
)
def test_invalid_words_and_thresholds(words, threshold, message, audio_model):
    with pytest.raises(ConfigError, match=message):
        audio_model.spotter(words, threshold=threshold)


def test_other_poolings_have_no_window(audio_model):
    network = Network(audio_model.network.inputs, audio_model.network.encoder, ClassHead(3, "mean"))
    model = AudioModel(network, audio_model.features, audio_model.labels, audio_model.tensors)
    with pytest.raises(ConfigError, match="with max pooling; this one has pooling mean"):
        model.spotter()
