"""Alignments beside RapidFuzz, through jiwer, and beside an edit distance by recursion."""

from collections import Counter
from functools import cache

import jiwer
import numpy as np
import pytest

from penstock.speech.alignment import DELETED, EQUAL, INSERTED, SUBSTITUTED, align

TYPES = {"equal": EQUAL, "substitute": SUBSTITUTED, "insert": INSERTED, "delete": DELETED}


def drawn(count, seed=0):
    """Pairs of sequences of up to 8 items, often alike."""
    draw = np.random.default_rng(seed)
    return [tuple(draw.choice(list("abc"), draw.integers(0, 9)).tolist() for _ in range(2)) for _ in range(count)]


def distance(reference, predicted):
    @cache
    def least(i, j):
        if not i or not j:
            return i + j
        other = reference[i - 1] != predicted[j - 1]
        return min(least(i - 1, j) + 1, least(i, j - 1) + 1, least(i - 1, j - 1) + other)

    return least(len(reference), len(predicted))


@pytest.mark.parametrize(("reference", "predicted"), drawn(30))
def test_edits_are_as_few_as_possible_and_lead_from_one_to_the_other(reference, predicted):
    edits = align(reference, predicted)
    assert sum(edit.kind != EQUAL for edit in edits) == distance(reference, predicted)
    assert [edit.reference for edit in edits if edit.kind != INSERTED] == list(range(len(reference)))
    assert [edit.predicted for edit in edits if edit.kind != DELETED] == list(range(len(predicted)))
    for edit in edits:
        if edit.reference is not None and edit.predicted is not None:
            assert (reference[edit.reference] == predicted[edit.predicted]) == (edit.kind == EQUAL)


def test_each_kind_of_error_is_as_frequent_as_jiwer_says():
    pairs = drawn(300)
    references, predicted = ([" ".join(each) for each in part] for part in zip(*pairs, strict=True))
    theirs = jiwer.process_words(references, predicted)
    for (reference, said), chunks in zip(pairs, theirs.alignments, strict=True):
        expected = [
            kind
            for chunk in chunks
            for kind in [TYPES[chunk.type]]
            * max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
        ]
        assert [edit.kind for edit in align(reference, said)] == expected


@pytest.mark.parametrize(("reference", "predicted"), [("", ""), ("", "ab"), ("ab", "")])
def test_empty_sides(reference, predicted):
    kinds = Counter(edit.kind for edit in align(reference, predicted))
    assert kinds == Counter({INSERTED: len(predicted), DELETED: len(reference)}) - Counter()
