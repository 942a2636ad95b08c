"""Pairs of neighbours, beside the obvious form: a dictionary of pairs, token by token."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from penstock.sequences import Sequences
from penstock.tagging.pairs import EDGE, TokenPairs

SENTENCES = [[1, 2, 3], [], [2, 3], [6], [3, 0, 2], [], [1, 2]]


def pairs_of(sentence):
    return list(pairwise([EDGE, *sentence, EDGE]))


@pytest.mark.parametrize("neighbours", [1, 2])
@pytest.mark.parametrize(("min_count", "most"), [(1, 100), (2, 100), (1, 3), (9, 100)])
def test_they_equal_a_dictionary(neighbours, min_count, most):
    counts = Counter(pair for sentence in filter(None, SENTENCES) for pair in pairs_of(sentence) if 0 not in pair)
    frequent = sorted((-count, pair) for pair, count in counts.items() if count >= min_count)[:most]
    known = {pair: place for place, pair in enumerate(sorted(pair for _, pair in frequent), start=1)}
    found = TokenPairs.fit(Sequences.from_list(SENTENCES, np.int64), min_count=min_count, most=most)
    assert len(found.codes) == len(known)
    unseen = [*SENTENCES, [5, 4, 1, 2], [0]]
    expected = [
        [known.get(pair, 0) for pair in pairs_of(sentence)[place : place + neighbours]]
        for sentence in unseen
        for place in range(len(sentence))
    ]
    ids = found.columns(Sequences.from_list(unseen, np.int64), neighbours)
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, expected)


def test_the_rest_of_a_sentence_begins_with_the_token_before_it():
    found = TokenPairs.fit(Sequences.from_list(SENTENCES, np.int64), min_count=1, most=100)
    whole = found.columns(Sequences.from_list([[1, 2, 3]], np.int64), 1)
    np.testing.assert_array_equal(found.columns(Sequences.from_list([[2, 3]], np.int64), 1, before=1), whole[1:])
