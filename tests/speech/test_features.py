"""Frames stacked to steps, frames made elsewhere, and the tokens of transcripts."""

import numpy as np
import pytest

from penstock.errors import ConfigError, DataError, ShapeError
from penstock.sounds.recordings import Recording
from penstock.speech.features import SpeechFeatures
from penstock.speech.frames import Frames, GivenFrames, between, faster, frame_array
from penstock.tokens import train_tokens

DRAW = np.random.default_rng(0)
INPUTS = [Frames(DRAW.normal(5, 3, (steps, 2)), name=f"of {steps}") for steps in (10, 3, 2, 0)]


def features(**options):
    return SpeechFeatures.fit(GivenFrames(), INPUTS, ["go ahead", "ho", "", ""], **options)


def test_a_step_is_frames_side_by_side():
    made = features(stack=3, subsampling=2)
    steps = made.apply(INPUTS)
    assert steps.lengths.tolist() == [4, 1, 0, 0] == made.steps(np.array([10, 3, 2, 0])).tolist()
    scaled = made.frames.apply(INPUTS)[0]
    np.testing.assert_array_equal(steps[0], [scaled[at : at + 3].ravel() for at in (0, 2, 4, 6)])
    joined = np.concatenate([each.samples for each in INPUTS]).astype(np.float64)
    np.testing.assert_allclose(scaled, (INPUTS[0].samples - joined.mean(0)) / joined.std(0), rtol=1e-5, atol=1e-6)
    assert (made.step_seconds, made.first_seconds) == (0.02, 0.03)


def test_a_running_mean_is_subtracted():
    made = GivenFrames(mean_seconds=0.05).fit(INPUTS)
    plain, running, expected = GivenFrames().fit(INPUTS).apply(INPUTS)[0], np.zeros(2), []
    for frame in plain.astype(np.float64):
        running += 0.2 * (frame - running)
        expected.append(frame - running)
    np.testing.assert_allclose(made.apply(INPUTS)[0], expected, rtol=1e-5, atol=1e-6)


def test_another_speed():
    line = np.arange(9, dtype=np.float32)[:, None]
    np.testing.assert_allclose(between(line, 0.5), np.linspace(0, 8, 18)[:, None], rtol=1e-6)
    assert faster(Frames(line), 3.0).samples[:, 0].tolist() == [0, 4, 8]
    assert faster(Recording(line[:, 0], 8000), 1.1).sample_rate_hz == 8800
    assert between(line[:0], 2.0).shape == (0, 1)


@pytest.mark.parametrize("level", ["char", "word"])
def test_tokens_come_back_as_text_and_unknown_ones_are_counted(level):
    made = features(level=level)
    (known, partly), unknown = made.targets(["go  ahead", "go x"])
    assert made.text(known) == "go ahead"
    assert (unknown, made.text(partly)) == (1, "go")
    assert min(known) >= 1
    assert made.names()[0] == ""
    assert "".join(made.names()[int(number)] for number in known) == {"char": "go ahead", "word": "goahead"}[level]


def test_transcripts_in_lower_case():
    made = SpeechFeatures.fit(GivenFrames(), INPUTS, ["GO"] * 4, lower=True)
    assert made.text(made.targets(["Go"])[0][0]) == "go"


def test_features_come_back_from_json():
    made = features(stack=4, subsampling=1)
    again = SpeechFeatures.from_json(made.to_json())
    assert again.to_json() == made.to_json()
    before = {name: value for name, value in made.to_json().items() if name != "confidence_power"}
    assert SpeechFeatures.from_json(before).confidence_power == 1.0
    np.testing.assert_array_equal(again.apply(INPUTS).values, made.apply(INPUTS).values)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"kind": "audio"}, "must be of kind 'speech'"),
        ({"stack": 0}, "stack must be a whole number from 1 to 64"),
        ({"stack": 1}, "stack must be at least subsampling"),
        ({"lower": 1}, "lower must be True or False"),
        ({"frames": {"kind": "text"}}, "frames must be of kind audio or frames"),
        ({"frames": {"kind": "frames"}}, "frames have frames_per_second, kind"),
        ({"confidence_power": -1}, "confidence_power must be a number"),
        ({"more": 1}, "speech features have"),
    ],
)
def test_a_damaged_description_is_refused(change, match):
    with pytest.raises(ConfigError, match=match):
        SpeechFeatures.from_json(features().to_json() | change)


@pytest.mark.parametrize(
    ("entry", "value", "match"),
    [
        ("size", -1, "the size of frames"),
        ("frames_per_second", "x", "frames_per_second must be a number above 0"),
        ("mean", [0.0], "the mean of frames must be 2 finite numbers"),
        ("scale", [0.0, "a"], "the scale of frames must be numbers"),
    ],
)
def test_damaged_frames_are_refused(entry, value, match):
    described = GivenFrames().fit(INPUTS).to_json()
    with pytest.raises(ConfigError, match=match):
        GivenFrames.from_json(described | {entry: value})


@pytest.mark.parametrize("odd", [None, "inf", "\ud800", {}, [1, "a"], [[1], [2, 3]], 10**400, [10**400], 1e308, []])
def test_odd_values_are_no_frames(odd):
    with pytest.raises((DataError, ShapeError), match=r"^odd: must be"):
        frame_array(odd, "odd", 3)


def test_frames_that_do_not_fit_each_other():
    with pytest.raises(DataError, match="must all have the same features and rate"):
        GivenFrames().fit([INPUTS[0], Frames(np.zeros((4, 3)))])
    with pytest.raises(ShapeError, match=r"must be \(frames, features\); got \(3,\)"):
        Frames(np.zeros(3))
    with pytest.raises(DataError, match="clip: must be finite numbers"):
        Frames(np.full((2, 2), np.nan), name="clip")
    with pytest.raises(ConfigError, match="at least one token"):
        SpeechFeatures(GivenFrames(), train_tokens("char", []))


def test_parts_of_words_come_back_as_text():
    made = features(level="bpe", max_vocabulary=258)
    (numbers,), unknown = made.targets(["go  ahead ho"])
    assert (made.text(numbers), unknown) == ("go ahead ho", 0)
    assert made.outputs == 1 + len(made.tokens.vocabulary)
