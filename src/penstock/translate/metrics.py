"""BLEU (Papineni et al. 2002), chrF (Popović 2015) and exact match of translations.

sacreBLEU tokenises and counts; its signatures say how. All scores follow from sums over sentences, so that they can be
resampled; for the sums of a whole corpus they are sacreBLEU's own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError, MissingExtraError
from penstock.runtime.judged import Judged
from penstock.runtime.resampling import Sums, units_of

__all__ = ["METRICS", "judged", "sentence_chrf", "sentence_counts", "signatures", "translation_scores"]

METRICS = ("bleu", "chrf", "exact_match")

_WORDS, _CHARACTERS = 4, 6  # the longest n-grams of BLEU and of chrF
_WEIGHT_OF_RECALL = 4.0  # beta² of chrF2
_BLEU, _CHRF = 2 + 2 * _WORDS, 3 * _CHARACTERS
_WIDTH = _BLEU + _CHRF + 2

Array = NDArray[np.float64]


def judged(sources: Sequence[str], predicted: Sequence[str], references: Sequence[str]) -> Judged:
    """Return translations with their scores, as `evaluate` and `compare` judge them.

    Args:
        sources, predicted, references: (sentences,) each.

    Raises:
        DataError: their numbers differ, or there are none.
        MissingExtraError: sacreBLEU is not installed.
    """
    if len(predicted) != len(references) or not len(references):
        raise DataError(
            f"sources and references must have the same length, at least 1; got {len(predicted)} and {len(references)}"
        )
    counts = sentence_counts(predicted, references)
    group, groups = units_of(len(counts), _WIDTH)
    values = np.zeros((groups, _WIDTH))
    np.add.at(values, group, counts)
    return Judged(
        translation_scores(counts.sum(axis=0)),
        Sums(values, _scores, len(counts), shares=("exact_match",)),
        np.array(references, object),
        np.array(predicted, object),
        names=[{"source": source} for source in sources],
    )


def sentence_counts(predicted: Sequence[str], references: Sequence[str]) -> Array:
    """Return what all scores follow from, for each sentence, (sentences, 30) float64.

    The columns are: length of the prediction and of the reference in BLEU's tokens; matching n-grams for n = 1 to 4;
    predicted n-grams for n = 1 to 4; for each n = 1 to 6, the predicted, reference and matching n-grams of characters;
    1 if the prediction is the reference; 1.
    """
    ngrams = _sacrebleu("metrics.helpers").extract_all_char_ngrams
    # `effective_order` changes the score of a sentence, which is not used here, and not its counts.
    bleu = _sacrebleu("metrics").BLEU(tokenize=_tokenizer(references), effective_order=True, force=True)
    found = np.zeros((len(references), _WIDTH))
    for row, prediction, reference in zip(found, predicted, references, strict=True):
        words = bleu.sentence_score(prediction, [reference])
        row[:_BLEU] = [words.sys_len, words.ref_len, *words.counts, *words.totals]
        pairs = zip(ngrams(prediction, _CHARACTERS), ngrams(reference, _CHARACTERS), strict=True)
        row[_BLEU : _BLEU + _CHRF] = [count for ours, theirs in pairs for count in _matches(ours, theirs)]
        row[-2:] = [prediction.strip() == reference.strip(), 1]
    return found


def translation_scores(counts: Array) -> dict[str, float]:
    """Return bleu and chrf, 0 to 100, and exact_match, 0 to 1, for the sum of the counts of all sentences, (30,)."""
    return {name: float(value) for name, value in _scores(counts).items()}


def sentence_chrf(counts: Array) -> Array:
    """Return the chrF of each sentence, for counts (sentences, 30)."""
    return _chrf(counts[..., _BLEU : _BLEU + _CHRF])


def signatures(references: Sequence[str]) -> dict[str, str]:
    """Return sacreBLEU's signatures of BLEU and chrF for these references: tokeniser, smoothing, version.

    Raises:
        MissingExtraError: sacreBLEU is not installed.
    """
    metrics = _sacrebleu("metrics")
    both = {"bleu": metrics.BLEU(tokenize=_tokenizer(references), force=True), "chrf": metrics.CHRF()}
    for metric in both.values():
        metric.corpus_score(["-"], [["-"]])  # the number of references belongs to the signature
    return {name: str(metric.get_signature()) for name, metric in both.items()}


def _scores(sums: Array) -> dict[str, Array]:
    exact, rows = sums[..., -2], sums[..., -1]
    return {
        "bleu": _bleu(sums[..., :_BLEU]),
        "chrf": _chrf(sums[..., _BLEU : _BLEU + _CHRF]),
        "exact_match": exact / np.maximum(rows, 1),
    }


def _bleu(sums: Array) -> Array:
    """BLEU with sacreBLEU's exponential smoothing: the k-th order without a match counts as 1 / 2^k matches."""
    predicted, reference = sums[..., 0], sums[..., 1]
    correct, total = sums[..., 2 : 2 + _WORDS], sums[..., 2 + _WORDS :]
    none = correct == 0
    matches = np.where(none, 0.5 ** np.cumsum(none, axis=-1), correct)
    precisions = 100 * matches / np.maximum(total, 1)
    brevity = np.exp(np.minimum(1 - reference / np.maximum(predicted, 1), 0))
    defined = (total > 0).all(axis=-1) & (correct > 0).any(axis=-1)
    return np.where(defined, brevity * np.exp(np.log(precisions).mean(axis=-1)), 0.0)


def _chrf(sums: Array) -> Array:
    """chrF2, as sacreBLEU averages it: over the orders that both sides have."""
    predicted, reference, matches = np.moveaxis(sums.reshape(*sums.shape[:-1], _CHARACTERS, 3), -1, 0)
    there = (predicted > 0) & (reference > 0)
    orders = np.maximum(there.sum(axis=-1), 1)
    precision, recall = (
        np.where(there, matches / np.maximum(each, 1), 0.0).sum(axis=-1) / orders for each in (predicted, reference)
    )
    below = _WEIGHT_OF_RECALL * precision + recall
    return 100 * (1 + _WEIGHT_OF_RECALL) * precision * recall / np.where(below > 0, below, 1.0)


def _matches(ours: Mapping[str, int], theirs: Mapping[str, int]) -> tuple[int, int, int]:
    """Count the n-grams of the prediction, of the reference, and those that match; none are counted without any."""
    matching = Counter(ours) & Counter(theirs)
    return sum(ours.values()) if theirs else 0, sum(theirs.values()), sum(matching.values())


def _tokenizer(references: Sequence[str]) -> str:
    """Return sacreBLEU's tokeniser: "zh" for Chinese, "char" for other scripts without spaces, else its default."""
    sample = "".join(references[:1000])
    letters = sum(map(str.isalpha, sample)) or 1
    han, kana, thai = (
        sum(low <= each <= high for each in sample) / letters
        for low, high in (("\u4e00", "\u9fff"), ("\u3041", "\u30ff"), ("\u0e01", "\u0eff"))
    )
    if max(kana, thai) > 0.2:
        return "char"
    return "zh" if han > 0.5 else "13a"


@cache
def _sacrebleu(module: str) -> Any:
    from importlib import import_module

    try:
        found: ModuleType = import_module(f"sacrebleu.{module}")
    except ModuleNotFoundError as error:
        raise MissingExtraError("BLEU and chrF need sacreBLEU: pip install 'penstock[translate]'") from error
    return found
