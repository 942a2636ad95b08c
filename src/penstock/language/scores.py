"""Scores of language models: nats, perplexity, bits per character, from the log-probabilities of all tokens."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.runtime.resampling import Sums, grouped, stretch_of
from penstock.sequences import Sequences
from penstock.tokens import END, UNKNOWN

__all__ = [
    "counts_from",
    "language_counts",
    "language_scores",
    "language_sums",
    "scores_from",
    "scores_of",
    "sums_of",
    "token_counts",
]

Array = NDArray[np.float64]


def language_sums(
    features: LanguageFeatures | FrameFeatures, sequences: Sequences, log_probabilities: NDArray[Any]
) -> Sums:
    """Return what scores follow from; the units are stretches of steps, because neighbours depend on each other.

    Args:
        features: of the model.
        sequences: what was predicted.
        log_probabilities: of each step, (total,).
    """
    steps = len(sequences.values)
    group, groups, units = grouped(steps, stretch_of(steps), 3)
    return Sums(sums_of(features, sequences.values, log_probabilities, group, groups), scores_of, units)


def sums_of(
    features: LanguageFeatures | FrameFeatures,
    values: NDArray[Any],
    log_probabilities: NDArray[Any],
    group: NDArray[np.int64],
    groups: int,
) -> Array:
    """Return for each group of steps the sums of what scores follow from, (groups, sums).

    Args:
        features: of the model.
        values: the ids or frames that were predicted.
        log_probabilities: of each step, (total,).
        group: of each step, (total,).
        groups: their number.
    """
    sums = [-np.asarray(log_probabilities, np.float64), np.ones(len(values))]
    if isinstance(features, LanguageFeatures):
        sums.append(features.characters[values].astype(np.float64))
    return np.stack([np.bincount(group, each, minlength=groups) for each in sums], axis=1).astype(np.float64)


def language_scores(
    features: LanguageFeatures | FrameFeatures, sequences: Sequences, log_probabilities: NDArray[Any]
) -> dict[str, Any]:
    """Return the scores of a part: `rows`, the number of tokens or frames; `nats`, the mean surprisal of one.

    For texts also `perplexity`, exp(nats), and `bits_per_character`, with a space after each word as a character and a
    line break at each end.
    """
    return scores_from(language_sums(features, sequences, log_probabilities), len(sequences.values))


def scores_from(sums: Sums, rows: int) -> dict[str, Any]:
    """Return the scores of so many tokens or frames from their sums, as `language_scores`."""
    found = sums.scores(sums.values.sum(axis=0))
    return {"rows": rows} | {name: float(value) for name, value in found.items()}


def language_counts(features: LanguageFeatures | FrameFeatures, sequences: Sequences) -> dict[str, int]:
    """Return what scores count: `texts`; `tokens`, with their `ends`; `characters`; `unknown` tokens. Or `frames`."""
    if isinstance(features, FrameFeatures):
        return {"pieces": len(sequences), "frames": len(sequences.values)}
    return counts_from(features, len(sequences), token_counts(sequences.pieces(), features.size))


def counts_from(features: LanguageFeatures, texts: int, counts: NDArray[np.int64]) -> dict[str, int]:
    """Return the same of so many texts, whose tokens occur so often, (ids,)."""
    return {
        "texts": texts,
        "tokens": int(counts.sum()),
        "ends": int(counts[END]),
        "characters": int(counts @ features.characters),
        "unknown": int(counts[UNKNOWN]),
    }


def token_counts(pieces: Iterable[NDArray[Any]], size: int) -> NDArray[np.int64]:
    """Return how often each of `size` ids occurs in all pieces, (size,)."""
    counts = np.zeros(size, np.int64)
    for ids in pieces:
        counts += np.bincount(ids, minlength=size)
    return counts


@np.errstate(invalid="ignore", divide="ignore", over="ignore")  # of resamples without a character
def scores_of(sums: Array) -> dict[str, Array]:
    """Return the scores that follow from sums (..., sums)."""
    nats = sums[..., 0] / sums[..., 1]
    if sums.shape[-1] == 2:
        return {"nats": nats}
    return {
        "nats": nats,
        "perplexity": np.exp(nats),
        "bits_per_character": sums[..., 0] / np.log(2) / sums[..., 2],
    }
