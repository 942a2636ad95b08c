"""Counts n-grams and discounts them by modified Kneser-Ney (Chen and Goodman 1999), with NumPy's sorts alone.

Of the n-grams of the highest order the occurrences count, of the lower ones the different tokens before them, because
lower orders only decide where the higher ones do not know the next token. Counts of 1, of 2 and above are lowered by
D1, D2 and D3; what is taken away is the weight of the next lower order, and of the lowest that of equal probabilities.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.ngrams.backoff import Ids, Text, as_text
from penstock.sequences import Sequences

__all__ = ["MOST_NGRAMS", "discounts", "fit_kneser_ney"]

MOST_NGRAMS = 2_500_000
"""More n-grams are not kept: those of three and more tokens that occur least often are left out. A bundle holds twelve
bytes for each."""

_FALLBACK = (0.5, 1.0, 1.5)  # where too few counts are 1, 2, 3 or 4, as with few characters
_ALWAYS_KEPT = 2  # orders

Floats = NDArray[np.float64]


class _Counted(NamedTuple):
    """The different n-grams of one order, in lexical order.

    tokens: (n-grams,), the last token of each
    parents: (n-grams,), the place of the tokens before it among the n-grams that are one shorter
    suffixes: (n-grams,), the place of the tokens after the first among them
    occurrences: (n-grams,)
    begins: (n-grams,) bool, whether the first token is `begin`, before which there is nothing
    """

    tokens: Ids
    parents: Ids
    suffixes: Ids
    occurrences: Ids
    begins: NDArray[np.bool_]


def fit_kneser_ney(
    sequences: Sequences, vocabulary_size: int, *, order: int, begin: int | None = None, most: int = MOST_NGRAMS
) -> dict[str, NDArray[Any]]:
    """Return the arrays of `backoff.NGrams`.

    Args:
        sequences: ids of the training texts, (total,).
        vocabulary_size: number of ids.
        order: number of tokens of the longest n-grams, 1 or more.
        begin: an id that ends a sentence, such as a line break, beyond which no n-gram reaches; it also stands before
            each text. None if n-grams reach back to the begin of their text.
        most: maximum number of n-grams to keep.

    Raises:
        DataError: an id is not in the vocabulary.
    """
    first = vocabulary_size if begin is None else begin
    counted = _count(as_text(sequences, first, vocabulary_size), max(vocabulary_size, first + 1), order)
    kept = _kept(counted, most)
    arrays = {"vocabulary": np.array([vocabulary_size]), "begin": np.array([first])}
    lower = np.full(1, 1 / vocabulary_size)  # beneath all orders: equal probabilities
    for number, (grams, keep) in enumerate(zip(counted, kept, strict=True), start=1):
        longer = counted[number] if number < order else None
        weights, lower = _smoothed(grams, _counts(grams, longer), keep, lower)
        arrays[f"log_probs_{number}"] = np.log(lower[keep]).astype(np.float32)
        if number > 1:
            before = kept[number - 2]
            parents = (np.cumsum(before) - 1)[grams.parents[keep]]
            arrays[f"backoffs_{number - 1}"] = np.log(weights[before]).astype(np.float32)
            arrays[f"tokens_{number}"] = grams.tokens[keep].astype(np.int32)
            arrays[f"offsets_{number}"] = np.searchsorted(parents, np.arange(before.sum() + 1))
    return arrays


def discounts(counts: Ids) -> Floats:
    """Return what is taken from a count of 0, of 1, of 2, and of 3 or more, (4,) float64."""
    ones, twos, threes, fours = (int((counts == number).sum()) for number in (1, 2, 3, 4))
    if not min(ones, twos, threes, fours):
        return np.array([0.0, *_FALLBACK])
    share = ones / (ones + 2 * twos)
    found = np.array([0.0, 1 - 2 * share * twos / ones, 2 - 3 * share * threes / twos, 3 - 4 * share * fours / threes])
    usable = (found[1:] > 0).all() and (found <= np.arange(4)).all()
    return found if usable else np.array([0.0, *_FALLBACK])


def _count(text: Text, size: int, order: int) -> list[_Counted]:
    """Return the n-grams of each order from 1; those of order 1 are all ids."""
    nowhere = np.zeros(size, np.int64)
    occurrences = np.bincount(text.tokens[text.predicted], minlength=size)
    found = [_Counted(np.arange(size), nowhere, nowhere, occurrences, nowhere > 0)]
    places = text.tokens  # of the n-gram that ends at each step
    for length in range(1, order):
        steps = np.flatnonzero(text.context >= length)
        keys = places[steps - 1] * size + text.tokens[steps]
        different, firsts, inverse, occurrences = np.unique(
            keys, return_index=True, return_inverse=True, return_counts=True
        )
        firsts = steps[firsts]
        begins = text.context[firsts] == length
        found.append(_Counted(different % size, different // size, places[firsts], occurrences, begins))
        places = np.full(len(text.tokens), -1)
        places[steps] = inverse
    return found


def _counts(grams: _Counted, longer: _Counted | None) -> Ids:
    """Return the number of different tokens before each n-gram; its occurrences, where nothing longer is counted."""
    if longer is None:
        return grams.occurrences
    before = np.bincount(longer.suffixes, minlength=len(grams.tokens))
    return np.where(grams.begins, grams.occurrences, before)


def _kept(counted: Sequence[_Counted], most: int) -> list[NDArray[np.bool_]]:
    """Return which n-grams of each order are kept.

    One that occurs often enough has parts that do too, so that what is kept is complete.
    """
    fewest = 1
    while True:
        kept = [
            grams.occurrences >= (fewest if order > _ALWAYS_KEPT else 0) for order, grams in enumerate(counted, start=1)
        ]
        if sum(int(keep.sum()) for keep in kept[_ALWAYS_KEPT:]) <= most:
            return kept
        fewest += 1


def _smoothed(grams: _Counted, counts: Ids, keep: NDArray[np.bool_], lower: Floats) -> tuple[Floats, Floats]:
    """Return the weight of the lower order after each shorter n-gram, and the probability of each n-gram's last token.

    Args:
        grams, counts, keep: the n-grams of an order, their counts, and which are kept.
        lower: (shorter n-grams,), the probability of their last token.
    """
    left = counts - discounts(counts)[np.minimum(counts, 3)]
    totals = np.bincount(grams.parents, counts, minlength=len(lower))
    known = np.bincount(grams.parents, left * keep, minlength=len(lower))
    weights = np.where(totals > 0, 1 - known / np.maximum(totals, 1), 1.0)
    return weights, left / np.maximum(totals, 1)[grams.parents] + weights[grams.parents] * lower[grams.suffixes]
