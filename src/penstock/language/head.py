"""Heads of language models on the engine; a row's bits do not depend on other rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.language.spec import BernoulliHead, NextTokenHead

__all__ = ["BernoulliReadout", "NextTokenReadout", "log_share"]

Floats = NDArray[np.float32]


class NextTokenReadout:
    """Log-probabilities of the next token.

    Args:
        spec: `language.spec.NextTokenHead`.
        tensors: those of `spec.parameter_shapes`; with `spec.tied` also `weight`, the table of the embedding.
        features: the encoder's output size.
        bidirectional: must be False, because what comes next is unknown.

    Attributes:
        outputs: the number of tokens.
    """

    def __init__(
        self, spec: NextTokenHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.spec, self.outputs = spec, spec.tokens
        self._projection = engine.Linear(tensors["projection"]) if "projection" in tensors else None
        if not spec.cutoffs:
            self._linear = engine.Linear(tensors["weight"], tensors["bias"])
            return
        self._linear = engine.Linear(tensors["adaptive.head.weight"], tensors["adaptive.head.bias"])
        self._tails = [
            [engine.Linear(tensors[f"adaptive.tail.{number}.{layer}.weight"]) for layer in range(2)]
            for number in range(len(spec.cutoffs))
        ]

    @property
    def linear(self) -> engine.Linear | None:
        """The layer whose scores are `scores`, of an ordinary softmax without a projection; None of others."""
        return self._linear if self._projection is None and not self.spec.cutoffs else None

    @property
    def width(self) -> int:
        """Scores that are computed at once for a row: what bounds the rows of a span."""
        return max(self._linear.outputs, *(end - start for start, end in self.spec.clusters()), 1)

    def scores(self, y: Floats) -> Floats:
        """Return what a softmax over all tokens turns into probabilities: y (rows, features) -> (rows, outputs).

        These are the linear layer's scores, or log-probabilities of an adaptive softmax.
        """
        first = self._first(y)
        if not self.spec.cutoffs:
            return first
        logs, (most, norm) = first, _norms(first)
        found = np.empty((len(y), self.outputs), np.float32)
        found[:, : self.spec.cutoffs[0]] = (logs[:, : self.spec.cutoffs[0]] - most[:, None]) - norm[:, None]
        for number, (start, end) in enumerate(self.spec.clusters()):
            rest = self._tail(number, y)
            tail_most, tail_norm = _norms(rest)
            cluster = (logs[:, self.spec.cutoffs[0] + number] - most) - norm
            found[:, start:end] = ((rest - tail_most[:, None]) - tail_norm[:, None]) + cluster[:, None]
        return found

    def log_probabilities(self, y: Floats, targets: NDArray[np.integer[Any]]) -> Floats:
        """Return the log-probability of each target: y (rows, features), targets (rows,) -> (rows,)."""
        first = self._first(y)
        if not self.spec.cutoffs:
            return _chosen(first, targets)
        short = self.spec.cutoffs[0]
        clusters = self.spec.clusters()
        places = np.searchsorted(self.spec.cutoffs, targets, side="right")  # 0 for the short list
        found = _chosen(first, np.where(places == 0, targets, short + places - 1))
        for number, (start, _) in enumerate(clusters):
            (rows,) = np.nonzero(places == number + 1)
            if len(rows):
                found[rows] += _chosen(self._tail(number, np.ascontiguousarray(y[rows])), targets[rows] - start)
        return found

    def _first(self, y: Floats) -> Floats:
        """The scores of the linear layer: of all tokens, or of the short list and the clusters."""
        return self._linear(y if self._projection is None else self._projection(y))

    def _tail(self, number: int, y: Floats) -> Floats:
        down, up = self._tails[number]
        return up(down(y))


class BernoulliReadout:
    """Log-odds of each note in the next frame.

    Args:
        spec: `language.spec.BernoulliHead`.
        tensors: `weight` (notes, features) and `bias` (notes,).
        features: the encoder's output size.
        bidirectional: must be False, because what comes next is unknown.

    Attributes:
        outputs: the number of notes.
    """

    def __init__(
        self, spec: BernoulliHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.outputs = self.width = spec.outputs
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])

    def scores(self, y: Floats) -> Floats:
        """y (rows, features) -> log-odds (rows, notes)."""
        return self._linear(y)

    def log_probabilities(self, y: Floats, targets: NDArray[Any]) -> Floats:
        """Return the log-probability of each frame, the sum over its notes: targets (rows, notes) -> (rows,)."""
        # log p = log sigmoid(x) where a note sounds, log sigmoid(-x) where not; summed note by note.
        scores = self.scores(y).astype(np.float64)
        signed = np.where(targets > 0, scores, -scores)
        each = np.minimum(signed, 0) - np.log1p(np.exp(-np.abs(signed)))
        return np.cumsum(each, axis=1)[:, -1].astype(np.float32)


def log_share(own: Floats, most: Floats, share: Floats) -> Floats:
    """Return the log-softmax of a score, all (rows,).

    Args:
        own: the score.
        most: the greatest score of its row.
        share: the greatest score's probability, which is 1 / sum of exp(score - greatest).
    """
    return (own - most) - _log_sum(share)


def _log_sum(share: Floats) -> Floats:
    return (-np.log(share.astype(np.float64))).astype(np.float32)


def _greatest(scores: Floats) -> tuple[Floats, Floats]:
    """The greatest score of each row, and its probability by the engine's sum, whose bits depend on the row alone."""
    places = scores.argmax(axis=1)[:, None]
    found = (np.take_along_axis(each, places, axis=1)[:, 0] for each in (scores, engine.softmax(scores)))
    return next(found), next(found)


def _norms(scores: Floats) -> tuple[Floats, Floats]:
    """The greatest score of each row, and the logarithm of the sum of exp(score - greatest), both (rows,)."""
    most, share = _greatest(scores)
    return most, _log_sum(share)


def _chosen(scores: Floats, targets: NDArray[np.integer[Any]]) -> Floats:
    """The log-softmax of each row at its target, (rows,)."""
    own = np.take_along_axis(scores, targets[:, None].astype(np.int64), axis=1)[:, 0]
    return log_share(own, *_greatest(scores))
