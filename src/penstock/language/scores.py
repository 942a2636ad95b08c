"""Scores of language models: nats, perplexity, bits per character, from the log-probabilities of all tokens."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.runtime.resampling import Sums, grouped, stretch_of
from penstock.sequences import Sequences
from penstock.tokens import END, UNKNOWN

__all__ = ["language_counts", "language_scores", "language_sums"]

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
    sums = [-np.asarray(log_probabilities, np.float64), np.ones(steps)]
    if isinstance(features, LanguageFeatures):
        sums.append(features.characters[sequences.values].astype(np.float64))
    group, groups, units = grouped(steps, stretch_of(steps), len(sums))
    values = np.stack([np.bincount(group, each, minlength=groups) for each in sums], axis=1).astype(np.float64)
    return Sums(values, _scores, units)


def language_scores(
    features: LanguageFeatures | FrameFeatures, sequences: Sequences, log_probabilities: NDArray[Any]
) -> dict[str, Any]:
    """Return the scores of a part: `rows`, the number of tokens or frames; `nats`, the mean surprisal of one.

    For texts also `perplexity`, exp(nats), and `bits_per_character`, with a space after each word as a character and a
    line break at each end.
    """
    sums = language_sums(features, sequences, log_probabilities)
    found = sums.scores(sums.values.sum(axis=0))
    return {"rows": len(sequences.values)} | {name: float(value) for name, value in found.items()}


def language_counts(features: LanguageFeatures | FrameFeatures, sequences: Sequences) -> dict[str, int]:
    """Return what scores count: `texts`; `tokens`, with their `ends`; `characters`; `unknown` tokens. Or `frames`."""
    if isinstance(features, FrameFeatures):
        return {"pieces": len(sequences), "frames": len(sequences.values)}
    ids = sequences.values
    return {
        "texts": len(sequences),
        "tokens": len(ids),
        "ends": int((ids == END).sum()),
        "characters": int(features.characters[ids].sum()),
        "unknown": int((ids == UNKNOWN).sum()),
    }


@np.errstate(invalid="ignore", divide="ignore", over="ignore")  # of resamples without a character
def _scores(sums: Array) -> dict[str, Array]:
    nats = sums[..., 0] / sums[..., 1]
    if sums.shape[-1] == 2:
        return {"nats": nats}
    return {
        "nats": nats,
        "perplexity": np.exp(nats),
        "bits_per_character": sums[..., 0] / np.log(2) / sums[..., 2],
    }
