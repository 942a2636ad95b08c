"""Fits the baselines of translators: IBM model 1 by expectation maximisation, and the ranking of the three."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.sequences import Sequences
from penstock.translate.baselines import BASELINES, TranslationBaselines, pieces
from penstock.translate.metrics import sentence_counts, translation_scores

__all__ = ["WordPairs", "expectation_maximisation", "fit_baselines", "word_pairs"]

_ITERATIONS = 5
_MOST_PAIRS = 8_000_000
"""The most pairs of words that are aligned: half a gigabyte. Sentences beyond are left out."""
_JUDGED = 1000


def fit_baselines(
    sources: Sequence[str],
    targets: Sequence[str],
    valid_sources: Sequence[str],
    valid_targets: Sequence[str],
    *,
    characters: bool,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of `translate.baselines.TranslationBaselines`, and the settings for reports.

    The order of the baselines is that of their chrF on the validation data.

    Args:
        sources, targets: the training sentences, as many of both.
        valid_sources, valid_targets: the validation sentences.
        characters: whether to align characters instead of words.
    """
    source_ids, source_words = _numbered(sources, characters)
    target_ids, target_words = _numbered(targets, characters)
    pairs, sentences = word_pairs(source_ids, target_ids)
    best = _most_probable(pairs, expectation_maximisation(pairs, _ITERATIONS), len(source_words))
    known = np.flatnonzero(best >= 0)
    arrays: dict[str, NDArray[Any]] = {
        "order": np.arange(len(BASELINES)),
        "characters": np.array([characters], np.int64),
        "sources": _bytes("\n".join(source_words[word] for word in known)),
        "targets": _bytes("\n".join(target_words[word] for word in best[known])),
        "most_frequent": _bytes(Counter(targets).most_common(1)[0][0]),
    }
    arrays["order"] = _ranked(TranslationBaselines(arrays), valid_sources[:_JUDGED], valid_targets[:_JUDGED])
    settings = {"iterations": _ITERATIONS, "words": len(known), "sentences": sentences, "characters": characters}
    return arrays, {"ibm1": settings}


class WordPairs(NamedTuple):
    """The pairs of words that occur in the same sentence pair.

    source, target: (pairs,) int64, the words of each different pair; source 0 is the empty word
    pair: (occurrences,) int64, the pair of each occurrence; those of one target word stand together
    first: (target words,) int64, the first occurrence of each word of each target sentence
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    pair: NDArray[np.int64]
    first: NDArray[np.int64]


def word_pairs(sources: Sequences, targets: Sequences, most: int = _MOST_PAIRS) -> tuple[WordPairs, int]:
    """Pair each target word with each source word of its sentence, and with the empty word.

    Args:
        sources, targets: as many sentences of word numbers; those of sources begin with 1.
        most: the most occurrences; sentences beyond are left out.

    Returns:
        The pairs, and the number of sentences that were read.
    """
    lengths = sources.lengths + 1  # with the empty word
    count = int(np.searchsorted(np.cumsum(lengths * targets.lengths), most, side="right"))
    count = max(count, min(1, len(lengths)))
    beginnings = sources.offsets[:count]
    words = np.insert(sources.values[: sources.offsets[count]].astype(np.int64), beginnings, 0)
    own = targets.values[: targets.offsets[count]].astype(np.int64)
    sentence = np.repeat(np.arange(count), targets.lengths[:count])
    width = lengths[:count][sentence]  # occurrences of each target word
    first = np.cumsum(width) - width
    place = np.arange(int(width.sum())) - np.repeat(first, width)
    source = words[np.repeat((beginnings + np.arange(count))[sentence], width) + place]
    most_words = int(own.max(initial=0)) + 1
    key, pair = np.unique(source * most_words + np.repeat(own, width), return_inverse=True)
    return WordPairs(key // most_words, key % most_words, pair, first), count


def expectation_maximisation(pairs: WordPairs, iterations: int) -> NDArray[np.float64]:
    """Return the probability of the target word given the source word, for each pair, (pairs,).

    Each word of a target sentence comes from one of the source words, or from the empty word, all of them equally
    probable (IBM model 1). It starts from equal probabilities, and one iteration is a step of expectation and one of
    maximisation.
    """
    probability = np.ones(len(pairs.source))
    for _ in range(iterations if len(pairs.first) else 0):
        each = probability[pairs.pair]
        totals = np.add.reduceat(each, pairs.first)
        each /= np.repeat(totals, np.diff(pairs.first, append=len(each)))
        counts = np.bincount(pairs.pair, each, minlength=len(probability))
        probability = counts / np.bincount(pairs.source, counts)[pairs.source]
    return probability


def _most_probable(pairs: WordPairs, probability: NDArray[np.float64], words: int) -> NDArray[np.int64]:
    """Return the most probable target word of each source word, (words,); -1 for the empty word and for none."""
    order = np.lexsort((-pairs.target, probability))  # the last one wins: of equals, the lowest number
    best = np.full(words, -1, np.int64)
    best[pairs.source[order]] = pairs.target[order]
    best[:1] = -1
    return best


def _numbered(texts: Sequence[str], characters: bool) -> tuple[Sequences, list[str]]:
    """Return the texts as numbers of their words, and the words by number; 0 is the empty word."""
    several = [pieces(text, characters=characters)[0] for text in texts]
    number: dict[str, int] = {"": 0}
    ids = [number.setdefault(word, len(number)) for words in several for word in words]
    offsets = np.concatenate([[0], np.cumsum([len(words) for words in several])]).astype(np.int64)
    return Sequences(np.array(ids, np.int32), offsets), list(number)


def _ranked(baselines: TranslationBaselines, sources: Sequence[str], targets: Sequence[str]) -> NDArray[np.int64]:
    """Return the places of the baselines in the order of their chrF; equals stay as they are."""
    found = [
        translation_scores(sentence_counts(baselines.answers(name, sources).tolist(), targets).sum(axis=0))["chrf"]
        for name in BASELINES
    ]
    return np.argsort(-np.array(found), kind="stable")


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)
