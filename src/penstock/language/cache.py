"""A cache of what a text has just said (Grave et al. 2017, arXiv:1612.04426), without PyTorch and without training."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_number
from penstock.errors import ConfigError
from penstock.language.scorer import shifted
from penstock.network.checks import check_integer
from penstock.sequences import Sequences

if TYPE_CHECKING:
    from penstock.language.model import SequenceGenerator

__all__ = ["NeuralCache"]

Floats = NDArray[np.float32]
_SPAN = 256
"""Steps that are scored at once: a product with as many states as the window and the span have."""


@dataclass(frozen=True, kw_only=True)
class NeuralCache:
    """Raises the probability of tokens that came after similar states, within the last `window` tokens of a text.

    With y(t) the layers' output from which token t is predicted, token w has the probability

        (1 - share) p(w) + share sum(likeness(i) for i with token w) / sum(likeness(i) for all i)

    over the `window` tokens i before t, with likeness(i) = exp(flatness y(t) y(i)). Each text begins with an empty
    cache. Validation data should choose the options.

    Args:
        window: number of tokens that are remembered, 1 or more.
        share: probability mass of the cache, from 0 to below 1.
        flatness: 0 for how often each token occurred, more for those after similar states.

    Raises:
        ConfigError: a value is out of its range.

    Examples:
        >>> from penstock.language.cache import NeuralCache
        >>> NeuralCache(window=100).share
        0.1
    """

    window: int = 500
    share: float = 0.1
    flatness: float = 0.3

    def __post_init__(self) -> None:
        check_integer(self, "window", at_least=1)
        check_number("share", self.share, at_least=0, below=1)
        check_number("flatness", self.flatness, at_least=0)

    def log_probabilities(self, model: "SequenceGenerator", sequences: Sequences) -> Floats:
        """Return the log-probability of each token of each sequence, (total,).

        Args:
            model: a model of tokens.
            sequences: the result of its `sequences`.

        Raises:
            ConfigError: the model is one of notes, whose frames hardly ever occur twice.
        """
        if sequences.values.ndim != 1:
            raise ConfigError("a cache remembers tokens: a model of notes has none. Leave it out.")
        scorer, inputs = model.scorer, shifted(sequences, model.features.first)
        parts = [
            part for x, targets in zip(inputs, sequences, strict=True) for part in self._cached(scorer, x, targets)
        ]
        return np.concatenate([np.zeros(0, np.float32), *parts])

    def _cached(self, scorer: Any, inputs: NDArray[Any], targets: NDArray[Any]) -> Iterator[Floats]:
        """Yield the log-probabilities of a text, span by span; at most the window and a span are in memory."""
        state, seen, kept = None, np.zeros((0, scorer.network.encoder.output_size), np.float32), targets[:0]
        for start in range(0, len(targets), _SPAN):
            span = slice(start, start + _SPAN)
            y, state = scorer.encoder(np.ascontiguousarray(scorer.vectors(inputs[span])[:, None]), state)
            y = y[:, 0]
            seen, kept = np.concatenate([seen, y]), np.concatenate([kept, targets[span]])
            yield self._mixed(scorer.head.log_probabilities(y, targets[span]), seen, kept)
            seen, kept = seen[-self.window :], kept[-self.window :]

    def _mixed(self, log_probs: Floats, seen: Floats, kept: NDArray[Any]) -> Floats:
        """Return log-probabilities with the cache.

        Args:
            log_probs: (rows,), without it, of the last tokens of `kept`.
            seen: (tokens, features), the output before each token.
            kept: (tokens,) ids.
        """
        rows, tokens = len(log_probs), len(kept)
        place = np.arange(tokens)
        now = place[tokens - rows :, None]
        remembered = (place < now) & (place >= now - self.window)
        likeness = np.where(remembered, self.flatness * (seen[tokens - rows :] @ seen.T).astype(np.float64), -np.inf)
        most = np.maximum(likeness.max(axis=1, keepdims=True), -1e300)  # of the first token nothing is remembered
        weights = np.exp(likeness - most)
        total = weights.sum(axis=1)
        own = (weights * (kept == kept[tokens - rows :, None])).sum(axis=1)
        plain = np.exp(log_probs.astype(np.float64))
        cached = (1 - self.share) * plain + self.share * own / np.where(total > 0, total, 1)
        return np.log(np.where(total > 0, cached, plain)).astype(np.float32)
