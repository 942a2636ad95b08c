"""A recogniser's words at run time: searched, streamed, and told as plain values."""

import json

import numpy as np
import pandas
import pytest

import penstock
from penstock.errors import BundleError, ConfigError
from penstock.ngrams import NamedNGrams, write_arpa
from penstock.sequences import Sequences
from penstock.speech.baselines import SpeechBaselines, baseline_arrays, template_arrays
from penstock.speech.inputs import spoken_by
from penstock.speech.scores import speech_scores, transcript_counts


@pytest.fixture(scope="module")
def model(recogniser, tmp_path_factory):
    return penstock.load(recogniser.save(tmp_path_factory.mktemp("speech") / "model"))


def test_the_ngrams_of_the_training_transcripts_are_saved_with_it(model, spoken):
    assert set(model.baselines.ngrams.names) >= {"yes", "no", "stop"}
    answers = model.baseline_answers(spoken[0][:2])["most_frequent_transcript"]
    assert answers.tolist() in [[word, word] for word in ("yes", "no", "stop")]


def test_words_said_one_by_one_are_matched_with_templates(model, spoken):
    assert model.baselines.names == ("template_matching", "most_frequent_transcript")
    found = model.evaluate(spoken[0], spoken[1])["baselines"]
    assert found["template_matching"]["wer"] < 0.1 < found["most_frequent_transcript"]["wer"]


def test_searches_agree_with_each_other(model, spoken, tmp_path):
    sounds = spoken[0][:4]
    assert model.predict(sounds, beam=1).tolist() == model.predict(sounds).tolist()
    own = model.predict(sounds, ngrams=True).tolist()
    write_arpa(model.baselines.ngrams, tmp_path / "lm.arpa")
    assert model.predict(sounds, ngrams=tmp_path / "lm.arpa", beam=16).tolist() == own
    assert model.predict(sounds, hot_words=["stop"], hot_bonus=60.0, ngrams=True).tolist() != own


def test_a_search_is_measured_as_it_predicts(model, spoken):
    sounds, texts = spoken[0][:6], list(spoken[1][:6])
    predicted = model.predict(sounds, hot_words=["yes", "no"], ngrams=True).tolist()
    expected = speech_scores(transcript_counts(texts, predicted).sum(axis=0))
    assert model.evaluate(sounds, texts, hot_words="yes,no", ngrams=True)["metrics"] == expected


def test_speakers_are_measured_apart(model, spoken, tmp_path):
    sounds, texts = spoken[0][:6], list(spoken[1][:6])
    speakers = ["ann", "ben", "ann", "ann", None, "ben"]
    found = model.evaluate(spoken_by(sounds, speakers), texts)["speakers"]
    rows = {one["speaker"]: one for one in found}
    assert {name: one["rows"] for name, one in rows.items()} == {"ann": 3, "ben": 2, "": 1}
    assert rows["ben"]["wer"] == model.evaluate([sounds[1], sounds[5]], [texts[1], texts[5]])["metrics"]["wer"]
    assert "speakers" not in model.evaluate(sounds, texts)
    table = pandas.DataFrame({"audio": sounds, "text": texts, "speaker": speakers})
    assert model.evaluate(table)["speakers"] == found


def test_rows_hold_words_with_times(model, spoken):
    (row,) = model.answers(spoken[0][:1], words=True, hot_words=["yes"], hot_bonus=60.0)
    assert [word["word"] for word in row["words"]] == row["prediction"].split()
    for word in row["words"]:
        assert 0 <= word["start"] < word["end"] <= spoken[0][0].seconds + 0.1
        assert 0 <= word["confidence"] <= 1
    assert json.loads(json.dumps(row)) == row


def test_endless_sound_is_told_in_utterances(model, spoken):
    stream = model.listen(["stop"])
    told = []
    for sound in spoken[0][:3]:
        samples = np.concatenate([sound.samples, np.zeros(12_000, np.float32)])
        told += [stream.as_json(stream.push(samples[start : start + 800])) for start in range(0, len(samples), 800)]
    assert set(told[-1]) == {"seconds", "words", "stable", "tentative", "endpoint"}
    assert json.loads(json.dumps(told)) == told
    assert [each["seconds"] for each in told] == sorted(each["seconds"] for each in told)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"beam": 0}, "beam must be"),
        ({"beam": 1, "hot_words": ["yes"]}, "beam must be at least 2"),
        ({"weight": -1.0}, "weight must be a number, at least 0"),
        ({"unknown": 1.0}, "unknown must be a number, at most 0"),
        ({"word_bonus": float("nan")}, "word_bonus must be a number; got nan"),
        ({"hot_words": ["YES"]}, "hot words must be written"),
        ({"language_model": "x"}, "a language model of characters is needed"),
    ],
)
def test_odd_searches_are_refused(model, spoken, search, message):
    if search.get("language_model"):
        search = {"language_model": model}
    with pytest.raises(ConfigError, match=message):
        model.predict(spoken[0][:1], **search)
    with pytest.raises(ConfigError, match="no threshold"):
        model.listen(threshold=0.5)


class Plain:
    """Each input is a number, which three frames of one feature hold."""

    size = 1

    def apply(self, inputs):
        return Sequences.from_list([np.full((3, 1), each) for each in inputs], np.float32)


def test_templates_are_of_single_words_and_few():
    arrays = template_arrays([1, 2, 3], ["one", "two", "one"], Plain())
    found = SpeechBaselines(baseline_arrays(["one", "two", "one"]) | arrays, Plain())
    assert found.answers("template_matching", [1.9, 1.1, 2.8]).tolist() == ["two", "one", "one"]
    assert template_arrays([1, 2], ["one two", "one"], Plain()) == {}
    many = [f"word{number}" for number in range(101)]
    assert template_arrays(range(101), many, Plain()) == {}
    for damage in (
        {"template_words": np.zeros(0, np.uint8)},
        {"template_frames": np.zeros((9, 2), np.float32)},
        {"template_frames": np.full((9, 1), np.nan, np.float32)},
        {"template_offsets": np.array([0, 3, 6, 10])},
    ):
        with pytest.raises(BundleError, match="damaged"):
            SpeechBaselines(baseline_arrays(["one"]) | arrays | damage, Plain())


def test_baselines_hold_what_was_said_most_often_and_its_ngrams():
    arrays = baseline_arrays(["turn it on", "turn it on", "off"])
    found = SpeechBaselines(arrays, Plain())
    assert found.names == ("most_frequent_transcript",)
    assert found.answers("most_frequent_transcript", [1, 2]).tolist() == ["turn it on", "turn it on"]
    expected = NamedNGrams.fit(["turn it on", "turn it on", "off"])
    assert found.ngrams is not None
    assert found.ngrams.log_prob(["<s>"], "turn") == expected.log_prob(["<s>"], "turn")
    assert SpeechBaselines(baseline_arrays(["", ""]), Plain()).ngrams is None
    for damage in ({"most_frequent": np.array([255], np.uint8)}, {"ngram_names": arrays["ngram_names"][6:]}):
        with pytest.raises(BundleError, match="damaged"):
            SpeechBaselines(arrays | damage, Plain())
    with pytest.raises(BundleError, match="damaged"):
        SpeechBaselines({}, Plain())
