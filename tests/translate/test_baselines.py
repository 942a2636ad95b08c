"""Baselines of translators: IBM model 1 against a slow reference, words and what stands between them."""

from collections import defaultdict

import numpy as np
import pytest

from penstock.errors import BundleError
from penstock.sequences import Sequences
from penstock.translate.baseline_training import expectation_maximisation, fit_baselines, word_pairs
from penstock.translate.baselines import TranslationBaselines, joined, pieces


def slow_model_1(pairs: list[tuple[list[int], list[int]]], iterations: int) -> dict[tuple[int, int], float]:
    """IBM model 1 as in its paper, word by word; 0 is the empty word."""
    probability: dict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    for _ in range(iterations):
        counts: dict[tuple[int, int], float] = defaultdict(float)
        totals: dict[int, float] = defaultdict(float)
        for source, target in pairs:
            for word in target:
                below = sum(probability[each, word] for each in [0, *source])
                for each in [0, *source]:
                    share = probability[each, word] / below
                    counts[each, word] += share
                    totals[each] += share
        probability = defaultdict(float, {(e, f): count / totals[e] for (e, f), count in counts.items()})
    return dict(probability)


def ragged(rows: list[list[int]]) -> Sequences:
    return Sequences(np.array([word for row in rows for word in row], np.int32), np.cumsum([0, *map(len, rows)]))


@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_expectation_maximisation_equals_the_slow_one(iterations: int) -> None:
    generator = np.random.default_rng(0)
    pairs = [
        ([*generator.integers(1, 6, generator.integers(0, 5))], [*generator.integers(1, 7, generator.integers(0, 5))])
        for _ in range(30)
    ]
    found, sentences = word_pairs(ragged([source for source, _ in pairs]), ragged([target for _, target in pairs]))
    probability = expectation_maximisation(found, iterations)

    expected = slow_model_1(pairs, iterations)
    assert sentences == 30
    if iterations:
        assert len(expected) == len(probability)
    for source, target, each in zip(found.source, found.target, probability, strict=True):
        assert each == pytest.approx(expected.get((source, target), 1.0), rel=1e-9)


def test_sentences_beyond_the_limit_are_left_out() -> None:
    rows = ragged([[1, 2], [1], [2, 2]])
    pairs, sentences = word_pairs(rows, rows, most=8)  # 3 x 2 and 2 x 1 occurrences

    assert sentences == 2
    assert len(pairs.pair) == 8


SOURCES = ["das Haus ist klein .", "das Buch ist alt .", "ein Haus", "ein Buch", "das Haus", "klein"]
TARGETS = ["the house is small .", "the book is old .", "a house", "a book", "the house", "small"]


def test_word_by_word_keeps_unknown_words_and_blanks() -> None:
    arrays, settings = fit_baselines(SOURCES * 2, TARGETS * 2, SOURCES, TARGETS, characters=False)
    baselines = TranslationBaselines(arrays)

    assert baselines.names[0] == "ibm1"
    assert set(baselines.names) == {"ibm1", "copy", "most_frequent"}
    assert baselines.answers("ibm1", ["ein  Buch, Anna!", ""]).tolist() == ["a  book, Anna!", ""]
    assert baselines.answers("copy", ["ein Buch"]).tolist() == ["ein Buch"]
    assert baselines.answers("most_frequent", ["x", "y"]).tolist() == ["the house is small ."] * 2
    assert settings["ibm1"]["sentences"] == 12


def test_by_characters() -> None:
    arrays, _ = fit_baselines(["ab", "ba", "a"], ["xy", "yx", "x"], ["ab"], ["xy"], characters=True)

    assert TranslationBaselines(arrays).answers("ibm1", ["a b-a"]).tolist() == ["x y-x"]


@pytest.mark.parametrize("characters", [False, True])
@pytest.mark.parametrize("text", ["", " ", "Don't stop, 3.5!", "  a\tb ", "我的 house は"])
def test_pieces_and_gaps_are_the_text(text: str, characters: bool) -> None:
    words, gaps = pieces(text, characters=characters)

    assert joined(words, gaps) == text
    assert not "".join(gaps).strip()
    if characters:
        assert all(len(word) == 1 for word in words)


def test_damaged_arrays_are_named() -> None:
    arrays, _ = fit_baselines(["a"], ["b"], ["a"], ["b"], characters=False)

    for name in arrays:
        with pytest.raises(BundleError, match=r"damaged|one target word"):
            TranslationBaselines({key: value for key, value in arrays.items() if key != name})
    with pytest.raises(BundleError, match="one target word"):
        TranslationBaselines(arrays | {"targets": np.frombuffer(b"b\nc", np.uint8)})
