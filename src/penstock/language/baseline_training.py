"""Trains the baselines of language models: n-grams, whose order the validation data chooses; frequencies of notes."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.events import say
from penstock.language.scores import token_counts
from penstock.ngrams import NGrams, fit_kneser_ney
from penstock.sequences import Sequences

__all__ = ["MOST_TOKENS", "ORDERS", "fit_note_baselines", "fit_token_baselines", "spread"]

_LOGGER = logging.getLogger("penstock.tasks")

MOST_TOKENS = 1 << 21
"""Of training data on disk, n-grams are made of so many tokens at most; they need some 500 bytes each."""
_STRETCH = 1 << 14
ORDERS = {"char": (4, 6, 8), "byte": (4, 6, 8), "bpe": (3, 4, 5), "word": (3, 5)}
"""Lengths of n-grams that are tried, by the level of the tokens."""


def fit_token_baselines(
    train: Sequences,
    valid: Sequences,
    vocabulary_size: int,
    *,
    orders: Sequence[int] = ORDERS["word"],
    begin: int | None = None,
    most: int | None = None,
) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Fit n-grams of several orders, and keep those with the lowest perplexity of the validation data.

    Args:
        train, valid: ids, (total,).
        vocabulary_size: number of ids.
        orders: lengths to try; none for the frequencies of tokens alone.
        begin: the id that ends a sentence, see `penstock.ngrams.fit_kneser_ney`.
        most: of more training ids than these, n-grams are made of about so many, see `spread`; None for all.

    Returns:
        The arrays of `baselines.LanguageBaselines`, and settings by baseline for reports.
    """
    counts = token_counts(train.pieces(), vocabulary_size) + 1  # one more each, so that none is impossible
    arrays = {"unigram": np.log(counts / counts.sum()).astype(np.float32)}
    best: tuple[float, int, dict[str, NDArray[Any]]] | None = None
    learned = train if most is None else spread(train, most)
    for order in orders:
        found = fit_kneser_ney(learned, vocabulary_size, order=order, begin=begin)
        loss = -float(NGrams(found).log_probs(valid).mean()) if len(valid.values) else 0.0
        if best is None or loss < best[0]:
            best = (loss, order, found)
    if best is None:
        return arrays, {}
    ngrams = sum(len(best[2][f"log_probs_{order}"]) for order in range(1, best[1] + 1))
    settings: dict[str, Any] = {"order": best[1], "orders": list(orders), "ngrams": ngrams}
    if learned is not train:
        settings["tokens"] = len(learned.values)
        total = len(train.values)
        say(_LOGGER, "baselines", f"n-grams were made of {settings['tokens']:,} of {total:,} tokens, spread evenly")
    return arrays | best[2], {"kneser_ney": settings}


def spread(sequences: Sequences, most: int) -> Sequences:
    """Return stretches of ids, spread evenly over sequences of more than `most` ids, each a sequence; else all."""
    total = len(sequences.values)
    if total <= most:
        return sequences
    count = max(1, most // _STRETCH)
    length = min(most, _STRETCH)
    starts = np.linspace(0, total - length, count).astype(np.int64).tolist()
    values = np.concatenate([sequences.values[start : start + length] for start in starts])
    sequences.release()
    return Sequences(values, length * np.arange(count + 1))


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
