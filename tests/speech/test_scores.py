"""Word and character error rates, held to jiwer's."""

import jiwer
import numpy as np
import pytest

from penstock.errors import DataError
from penstock.runtime.resampling import compared
from penstock.speech.scores import by_speaker, error_counts, judged, speech_scores, transcript_counts

WORDS = ["go", "GO", "no", "on now", " stop  it ", "é", ""]


def drawn(count, seed):
    """Transcripts of up to 5 words."""
    draw = np.random.default_rng(seed)
    return [" ".join(draw.choice(WORDS, draw.integers(0, 6)).tolist()) for _ in range(count)]


@pytest.mark.parametrize("rows", [1, 2, 40])
def test_rates_and_counts_are_those_of_jiwer(rows):
    references, predicted = drawn(rows, rows), drawn(rows, rows + 1)
    total = transcript_counts(references, predicted).sum(axis=0)
    ours, counts = speech_scores(total), error_counts(total)
    words, characters = (each(references, predicted) for each in (jiwer.process_words, jiwer.process_characters))
    assert ours["wer"] == pytest.approx(words.wer)
    assert ours["cer"] == pytest.approx(characters.cer)
    for theirs, own in ((words, counts["words"]), (characters, counts["characters"])):
        found = {"equal": theirs.hits, "substituted": theirs.substitutions, "inserted": theirs.insertions}
        assert own == found | {"deleted": theirs.deletions, "reference": own["reference"]}


def test_speakers_are_scored_apart_the_worst_first():
    counts = transcript_counts(["a b", "a b", "c"], ["a b", "a x", "c"])
    worst, best = by_speaker(counts, ["ann", "ben", "ann"])
    assert (worst["speaker"], worst["rows"], worst["wer"], worst["ser"]) == ("ben", 1, 0.5, 1.0)
    assert (best["speaker"], best["rows"], best["wer"], best["ser"]) == ("ann", 2, 0.0, 0.0)
    with pytest.raises(DataError, match="3 recordings needs a speaker; got 1"):
        by_speaker(counts, ["ann"])


def test_a_lower_word_error_rate_is_better():
    references = [f"word {number}" for number in range(40)]
    ours, theirs = judged(references, references), judged(references, ["word"] * 40)
    assert ours.metrics == {"wer": 0.0, "cer": 0.0, "ser": 0.0}
    assert compared(ours.sums, {"other": theirs.sums})["verdict"]["wer"] == "better"


def test_numbers_of_transcripts_must_match():
    with pytest.raises(DataError, match="got 2 and 1"):
        transcript_counts(["a", "b"], ["a"])
    with pytest.raises(DataError, match="got 0 and 0"):
        transcript_counts([], [])
    assert np.isfinite(transcript_counts([""], ["a b"])).all()
