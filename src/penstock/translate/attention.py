"""Attention to sources on the engine: weights and the mean that they give, with bits that depend on one row alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.translate.spec import AttentionDecoder

__all__ = ["AttentionLayer", "Source"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Source:
    """One source as the decoder reads it.

    Attributes:
        steps: its length.
        keys: (steps, size), what queries are compared with; for "luong" packed, from queries to scores.
        values: the encoder's outputs packed, from weights (rows, steps) to means (rows, features).
        state: the decoder's initial states (states,), those of all layers concatenated.
    """

    steps: int
    keys: "Floats | engine.Linear"
    values: engine.Linear
    state: Floats


class AttentionLayer:
    """Scores sources by "luong" or "bahdanau", as `AttentionDecoder` describes.

    Each source's products are the engine's, with a matrix of its own, so that no product is padded. The softmax of all
    sources together is padded with -inf, whose exponential, 0, changes no sum.

    Args:
        spec: the head's description.
        tensors: `key_weight` and the others of the head.
    """

    def __init__(self, spec: AttentionDecoder, tensors: Mapping[str, Floats]) -> None:
        self._additive = spec.attention == "bahdanau"
        self._keys = engine.Linear(tensors["key_weight"], tensors["key_bias"] if self._additive else None)
        if self._additive:
            self._queries = engine.Linear(tensors["query_weight"])
            self._scores = engine.Linear(tensors["score_weight"])

    def source(self, y: Floats, state: Floats) -> Source:
        """Prepare the encoder's outputs (steps, features) of one source, 1 step or more."""
        keys = self._keys(y)
        return Source(len(y), keys if self._additive else engine.Linear(keys), engine.Linear(y.T), state)

    def __call__(self, queries: Floats, sources: Sequence[Source], counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Attend from decoder outputs to their sources.

        Args:
            queries: (rows, size), those of the first source, then those of the second, and so on.
            sources: the sources.
            counts: (sources,), the number of rows of each source, which may be 0.

        Returns:
            The means (rows, features), and the weights (rows, longest source), 0 past a source's end.
        """
        ends = np.cumsum(counts)
        pieces = [(source, slice(end - count, end)) for source, end, count in zip(sources, ends, counts, strict=True)]
        scores = np.full((len(queries), max(source.steps for source in sources)), -np.inf, np.float32)
        asked = self._queries(queries) if self._additive else queries
        for source, rows in pieces:
            if rows.start < rows.stop:
                scores[rows, : source.steps] = self._scored(asked[rows], source)
        weights = engine.softmax(scores)
        means = [
            source.values(np.ascontiguousarray(weights[rows, : source.steps]))
            for source, rows in pieces
            if rows.start < rows.stop
        ]
        return np.concatenate(means), weights

    def _scored(self, queries: Floats, source: Source) -> Floats:
        """Scores (rows, steps) of a source's steps, for its rows of queries."""
        if not self._additive:
            assert isinstance(source.keys, engine.Linear)
            return source.keys(queries)
        assert isinstance(source.keys, np.ndarray)
        hidden = engine.tanh(queries[:, None] + source.keys)
        return self._scores(hidden.reshape(-1, hidden.shape[2])).reshape(len(queries), source.steps)
