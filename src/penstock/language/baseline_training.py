"""Trains the baselines of language models: n-grams, whose order the validation data chooses; frequencies of notes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.ngrams import NGrams, fit_kneser_ney
from penstock.sequences import Sequences

__all__ = ["ORDERS", "fit_note_baselines", "fit_token_baselines"]

ORDERS = {"char": (4, 6, 8), "byte": (4, 6, 8), "bpe": (3, 4, 5), "word": (3, 5)}
"""Lengths of n-grams that are tried, by the level of the tokens."""


def fit_token_baselines(
    train: Sequences,
    valid: Sequences,
    vocabulary_size: int,
    *,
    orders: Sequence[int] = ORDERS["word"],
    begin: int | None = None,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Fit n-grams of several orders, and keep those with the lowest perplexity of the validation data.

    Args:
        train, valid: ids, (total,).
        vocabulary_size: number of ids.
        orders: lengths to try; none for the frequencies of tokens alone.
        begin: the id that ends a sentence, see `penstock.ngrams.fit_kneser_ney`.

    Returns:
        The arrays of `baselines.LanguageBaselines`, and settings by baseline for reports.
    """
    counts = np.bincount(train.values, minlength=vocabulary_size) + 1  # one more each, so that none is impossible
    arrays = {"unigram": np.log(counts / counts.sum()).astype(np.float32)}
    best: tuple[float, int, dict[str, NDArray[Any]]] | None = None
    for order in orders:
        found = fit_kneser_ney(train, vocabulary_size, order=order, begin=begin)
        loss = -float(NGrams(found).log_probs(valid).mean()) if len(valid.values) else 0.0
        if best is None or loss < best[0]:
            best = (loss, order, found)
    if best is None:
        return arrays, {}
    ngrams = sum(len(best[2][f"log_probs_{order}"]) for order in range(1, best[1] + 1))
    settings = {"order": best[1], "orders": list(orders), "ngrams": ngrams}
    return arrays | best[2], {"kneser_ney": settings}


def fit_note_baselines(train: Sequences) -> dict[str, NDArray[Any]]:
    """Count how often notes sound, after a frame with them and without.

    Args:
        train: frames (total, notes), 1 where a note sounds.

    Returns:
        The arrays of `baselines.NoteBaselines`. Half a frame more is counted on both sides (Krichevsky and Trofimov
        1981), so that no frame is impossible.
    """
    on = train.values > 0
    later = np.ones(len(on), np.bool_)
    later[train.offsets[:-1][train.lengths > 0]] = False
    after, before = on[later], np.roll(on, 1, axis=0)[later]
    repeat = [(0.5 + (after & held).sum(axis=0)) / (1 + held.sum(axis=0)) for held in (~before, before)]
    frequencies = (0.5 + on.sum(axis=0)) / (1 + len(on))
    return {"frequencies": frequencies.astype(np.float32), "repeat": np.stack(repeat).astype(np.float32)}
