"""Words with times, from rows of log-probabilities that arrive in any pieces."""

import numpy as np
import pytest

from penstock.speech.beam import PrefixBeam
from penstock.speech.paths import Greedy, Path
from penstock.speech.transcriber import Timing, Transcriber, spoken_words

NAMES = ["", "a", "b", " "]


def pieces(tokens):
    return [NAMES[token] for token in tokens]


def rows_of(text, blanks=1, likely=0.9):
    """Rows that say a text, each character once, a few blanks after each; "_" for a blank."""
    tokens = [token for each in text for token in [NAMES.index(each.strip("_")) if each != " " else 3, *[0] * blanks]]
    rows = np.full((len(tokens), len(NAMES)), (1 - likely) / (len(NAMES) - 1))
    rows[np.arange(len(tokens)), tokens] = likely
    return np.log(rows).astype(np.float32)


def transcriber(decoder, **timing):
    return Transcriber(decoder, pieces, Timing(0.1, 0.2, **timing))


DECODERS = {"greedy": lambda: Greedy(len(NAMES)), "beam": lambda: PrefixBeam(len(NAMES), 4)}


@pytest.mark.parametrize("make", DECODERS.values(), ids=DECODERS)
def test_words_have_times_and_confidences(make):
    listener = transcriber(make())
    heard = listener.push(rows_of("ab a", likely=0.8))
    assert (heard.words, heard.ended, heard.seconds) == ([], False, pytest.approx(0.9))
    first, second = listener.finished().words
    assert (first.text, first.start, first.end) == ("ab", 0.0, pytest.approx(0.3))
    assert (second.text, second.start, second.end) == ("a", pytest.approx(0.6), pytest.approx(0.7))
    assert first.confidence == pytest.approx(0.8**2)
    assert second.confidence == pytest.approx(0.8)


def test_a_word_is_stable_when_what_follows_it_is():
    listener = transcriber(Greedy(len(NAMES)))
    told = [listener.push(row[None]).to_json() for row in rows_of("ab ba")]
    assert [each["stable"] for each in told] == ["", "", "", "", "ab", "ab", "ab", "ab", "ab", "ab"]
    assert [each["tentative"] for each in told] == ["a", "a", "ab", "ab", "", "", "b", "b", "ba", "ba"]
    assert [word.text for word in listener.finished().words] == ["ab", "ba"]


@pytest.mark.parametrize("make", DECODERS.values(), ids=DECODERS)
def test_silence_ends_an_utterance(make):
    listener = transcriber(make(), endpoint=0.5)
    rows = np.concatenate([rows_of("ab"), rows_of("______"), rows_of("b a")])
    each = [listener.push(row[None]) for row in rows]
    ends = [place for place, heard in enumerate(each) if heard.ended]
    assert ends == [7]  # the last "b" is in row 2, and five blanks follow
    assert [word.text for word in each[7].words] == ["ab"]
    assert each[8].current == []
    rest = listener.finished().words
    assert [word.text for word in rest] == ["b", "a"]
    assert rest[0].start == pytest.approx(1.6)


@pytest.mark.parametrize("make", DECODERS.values(), ids=DECODERS)
def test_pieces_give_the_bits_of_the_whole(make, monkeypatch):
    for name in ("penstock.speech.paths.LONGEST", "penstock.speech.beam.LONGEST"):
        monkeypatch.setattr(name, 16)
    scores = np.random.default_rng(0).normal(size=(300, len(NAMES))) * 3
    rows = (scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))).astype(np.float32)
    whole = transcriber(make(), endpoint=0.4)
    words = whole.push(rows).words + whole.finished().words
    listener = transcriber(make(), endpoint=0.4)
    found = [word for row in rows for word in listener.push(row[None]).words] + listener.finished().words
    assert found == words
    assert len(words) > 20
    for name, array in listener.arrays().items():
        np.testing.assert_array_equal(array, whole.arrays()[name])
    whole.reset()
    assert whole.push(rows).words + whole.finished().words == words


def test_tokens_of_several_characters_belong_to_the_words_that_they_begin_and_end():
    path = Path(np.arange(4), np.array([[0, 0], [2, 3], [5, 5], [6, 8]]), np.log([0.5, 0.5, 1, 0.25]))
    words = spoken_words(path, [" tu", "rn it", "", " on"], Timing(1.0))
    assert [(word.text, word.start, word.end) for word in words] == [("turn", 0, 4), ("it", 2, 4), ("on", 6, 9)]
    assert [word.confidence for word in words] == pytest.approx([0.25, 0.5, 0.25])
