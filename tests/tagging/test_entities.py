"""Scores of chunks and tags, held to seqeval's own count."""

import warnings

import numpy as np
import pytest
import seqeval.metrics
from hypothesis import given
from hypothesis import strategies as st

from penstock.runtime.resampling import compared
from penstock.tagging.entities import entity_counts, entity_scores, entity_table, tag_sums, token_counts

BIO = ["O", "B-A", "I-A", "B-B", "I-B"]
BIOES = [*BIO, "E-A", "S-A", "E-B", "S-B"]


@st.composite
def tagged_twice(draw: st.DrawFn, tags: list[str]) -> tuple[list[list[str]], list[list[str]]]:
    """The true and the predicted tags of a few sentences, broken or not."""
    lengths = draw(st.lists(st.integers(1, 8), min_size=1, max_size=5))
    tag = st.sampled_from(tags)
    return tuple([draw(st.lists(tag, min_size=n, max_size=n)) for n in lengths] for _ in range(2))


@given(st.one_of(tagged_twice(BIO), tagged_twice(BIOES)))
def test_our_count_is_seqevals(pair: tuple[list[list[str]], list[list[str]]]) -> None:
    truth, predicted = pair
    kinds, counts = entity_counts(truth, predicted)
    ours = entity_scores(counts.sum(axis=(0, 2)))
    each = entity_scores(counts.sum(axis=0).T)
    with warnings.catch_warnings():  # seqeval warns of scores without a chunk, which are 0 here and there
        warnings.simplefilter("ignore")
        theirs = seqeval.metrics.classification_report(truth, predicted, output_dict=True) if kinds else {}
        overall = {
            "precision": seqeval.metrics.precision_score(truth, predicted),
            "recall": seqeval.metrics.recall_score(truth, predicted),
            "f1": seqeval.metrics.f1_score(truth, predicted),
        }
    assert {name: float(value) for name, value in ours.items()} == pytest.approx(overall)
    for place, kind in enumerate(kinds):
        assert counts.sum(axis=0)[2, place] == theirs[kind]["support"]
        for name, column in each.items():
            assert column[place] == pytest.approx(theirs[kind]["f1-score" if name == "f1" else name])


def test_types_are_listed_with_their_scores_and_intervals() -> None:
    truth = [["S-PER", "O"]] * 8 + [["B-LOC", "E-LOC"]] * 4
    predicted = [["S-PER", "O"]] * 6 + [["O", "O"]] * 2 + [["B-LOC", "E-LOC"]] * 3 + [["S-LOC", "O"]]
    loc, per = entity_table(truth, predicted)
    assert (loc["label"], loc["rows"], loc["precision"], loc["f1"]) == ("LOC", 4, 0.75, 0.75)
    assert (per["label"], per["rows"], per["precision"], per["recall"]) == ("PER", 8, 1.0, 0.75)
    low, high = per["interval"]["recall"]
    assert low < 0.75 < high


def test_tokens_and_unknown_ones_are_counted_apart() -> None:
    counts = token_counts([["X", "Y", "Y"], []], [["X", "X", "Y"], []], [[True, True, False], []])
    assert counts.tolist() == [[3, 2, 2, 1], [0, 0, 0, 0]]


def test_tags_without_chunks_have_accuracies_alone() -> None:
    scores, sums = tag_sums([["X", "Y"]] * 4, [["X", "X"]] * 4, [[False, True]] * 4, chunked=False)
    assert scores == {"accuracy": 0.5, "accuracy_unknown": 0.0}
    assert sums.units == 4
    scores, _ = tag_sums([["X"]], [["X"]], [[False]], chunked=False)
    assert scores == {"accuracy": 1.0}


def test_a_sentence_may_count_more() -> None:
    both = [["X"], ["Y"]], [["X"], ["X"]], [[False]] * 2
    scores, _ = tag_sums(*both, chunked=False, weights=np.array([1.5, 0.5]))
    assert scores == {"accuracy": 0.75}


def test_a_model_is_better_by_sentences() -> None:
    generator = np.random.default_rng(0)
    truth = [["S-PER" if one else "O" for one in row] for row in generator.random((60, 6)) < 0.3]
    nothing = [["O"] * 6] * 60
    known = [[False] * 6] * 60
    ours, sums = tag_sums(truth, truth, known, chunked=True)
    _, theirs = tag_sums(truth, nothing, known, chunked=True)
    found = compared(sums, {"most_frequent_tag": theirs})
    assert ours == {"f1": 1.0, "precision": 1.0, "recall": 1.0, "accuracy": 1.0}
    assert found["verdict"] == dict.fromkeys(ours, "better")
    assert found["units"] == 60
