"""A recogniser's words at run time: searched, streamed, and told as plain values."""

import json

import numpy as np
import pytest

import penstock
from penstock.errors import BundleError, ConfigError
from penstock.ngrams import NamedNGrams, write_arpa
from penstock.speech.baselines import SpeechBaselines, baseline_arrays
from penstock.speech.scores import speech_scores, transcript_counts


@pytest.fixture(scope="module")
def model(recogniser, tmp_path_factory):
    return penstock.load(recogniser.save(tmp_path_factory.mktemp("speech") / "model"))


def test_the_ngrams_of_the_training_transcripts_are_saved_with_it(model, spoken):
    assert set(model.baselines.ngrams.names) >= {"yes", "no", "stop"}
    (answers,) = model.baseline_answers(spoken[0][:2]).values()
    assert answers.tolist() in [[word, word] for word in ("yes", "no", "stop")]


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


def test_baselines_hold_what_was_said_most_often_and_its_ngrams():
    arrays = baseline_arrays(["turn it on", "turn  it on", "off"])
    found = SpeechBaselines(arrays)
    assert found.answers("most_frequent_transcript", [1, 2]).tolist() == ["turn it on", "turn it on"]
    expected = NamedNGrams.fit(["turn it on", "turn it on", "off"])
    assert found.ngrams is not None
    assert found.ngrams.log_prob(["<s>"], "turn") == expected.log_prob(["<s>"], "turn")
    assert SpeechBaselines(baseline_arrays(["", " "])).ngrams is None
    for damage in ({"most_frequent": np.array([255], np.uint8)}, {"ngram_names": arrays["ngram_names"][6:]}):
        with pytest.raises(BundleError, match="damaged"):
            SpeechBaselines(arrays | damage)
    with pytest.raises(BundleError, match="damaged"):
        SpeechBaselines({})
