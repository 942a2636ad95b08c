"""The scores of translations are those of sacreBLEU, whole, by sentence and resampled."""

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF

from penstock.errors import DataError
from penstock.runtime.resampling import compared
from penstock.translate.metrics import judged, sentence_chrf, sentence_counts, signatures, translation_scores

REFERENCES = [
    "A man in an orange hat is starring at something.",
    "A Boston Terrier is running on lush green grass in front of a white fence.",
    "Two dogs.",
    "",
    "It costs 3,50 euros - or so!",
]
PREDICTED = [
    "A man in an orange hat is looking at something.",
    "A terrier runs over green grass in front of a fence.",
    "Two dogs.",
    "Nothing at all",
    "",
]


@pytest.mark.parametrize("rows", [slice(None), slice(1), slice(2, 3), slice(3, None)], ids=str)
def test_scores_are_those_of_sacrebleu(rows: slice) -> None:
    predicted, references = PREDICTED[rows], REFERENCES[rows]
    found = translation_scores(sentence_counts(predicted, references).sum(axis=0))

    assert found["bleu"] == pytest.approx(BLEU().corpus_score(predicted, [references]).score, rel=1e-12)
    assert found["chrf"] == pytest.approx(CHRF().corpus_score(predicted, [references]).score, rel=1e-12)
    assert found["exact_match"] == np.mean([a == b for a, b in zip(predicted, references, strict=True)])


def test_chrf_of_each_sentence_is_that_of_sacrebleu() -> None:
    found = sentence_chrf(sentence_counts(PREDICTED, REFERENCES))
    expected = [CHRF().sentence_score(a, [b]).score for a, b in zip(PREDICTED, REFERENCES, strict=True)]

    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_resampled_scores_are_those_of_the_resampled_sentences() -> None:
    sums = judged(REFERENCES, PREDICTED, REFERENCES).sums
    rows = [4, 1, 1, 0, 2]
    predicted, references = [PREDICTED[row] for row in rows], [REFERENCES[row] for row in rows]

    found = sums.scores(sums.values[rows].sum(axis=0))

    assert found["bleu"] == pytest.approx(BLEU().corpus_score(predicted, [references]).score, rel=1e-12)
    assert found["chrf"] == pytest.approx(CHRF().corpus_score(predicted, [references]).score, rel=1e-12)


def test_a_better_translator_gets_a_verdict() -> None:
    references = REFERENCES[:2] * 20
    ours, theirs = (judged(references, each * 20, references) for each in (PREDICTED[:2], ["no", "nothing"]))

    found = compared(ours.sums, {"other": theirs.sums})

    assert found["verdict"] == {"bleu": "better", "chrf": "better", "exact_match": "no clear difference"}
    low, high = found["interval"]["chrf"]
    assert low < ours.metrics["chrf"] < high


def test_chinese_is_scored_by_characters_and_the_signature_says_so() -> None:
    predicted, references = ["一个男人看着狗。"], ["一个人看着一条狗。"]
    found = translation_scores(sentence_counts(predicted, references).sum(axis=0))

    assert found["bleu"] == pytest.approx(BLEU(tokenize="zh").corpus_score(predicted, [references]).score, rel=1e-12)
    assert "tok:zh" in signatures(references)["bleu"]
    assert "tok:13a" in signatures(["A dog."])["bleu"]


@pytest.mark.parametrize("references", [[], ["a", "b"]])
def test_as_many_references_as_translations(references: list[str]) -> None:
    with pytest.raises(DataError, match="same length, at least 1; got 1 and"):
        judged(["x"], ["a"], references) if references else judged([], ["a"], [])
