"""Greedy and beam search, batched over sources: what one source gives does not depend on the others, bit for bit.

Each step, a source keeps its best continuations by log-probability, as many as the beam is wide less the targets that
have ended (as in the first attention models' search); it is done when as many have ended as the beam is wide. Then the
ended targets are ranked by log-probability / length ** normalization. With a beam as wide as there are prefixes this is
an exhaustive search.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.checks import check_number, check_whole
from penstock.pauses import pause

__all__ = ["Beam", "Decoder", "Hypothesis", "log_probabilities", "search"]

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
_GROUP = 24  # columns whose maximum is looked at first: about the square root of a vocabulary over a beam


@dataclass(frozen=True, kw_only=True)
class Beam:
    """Settings of a search.

    Attributes:
        begin, end: the ids of the tokens before the first one and after the last one.
        banned: ids that are never written.
        size: targets that are continued at once; 1 is a greedy search.
        normalization: the exponent of the length, counted with the end token, by which log-probabilities are divided.
        max_length: tokens of a target, without its end, after which it has to end.
        ratio: the same for each step of the source; the larger limit of the two applies.

    Raises:
        ConfigError: a value is invalid.
    """

    begin: int
    end: int
    banned: tuple[int, ...] = ()
    size: int = 5
    normalization: float = 1.0
    max_length: int = 100
    ratio: float = 0.0

    def __post_init__(self) -> None:
        for name in ("size", "max_length"):
            check_whole(_SPOKEN[name], getattr(self, name), at_least=1)
        check_number("normalization", self.normalization, at_least=0)


_SPOKEN = {"size": "beam", "max_length": "max_length"}


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A target that has ended.

    Attributes:
        tokens: (tokens,) ids, without the end token.
        score: the log-probability over the length ** normalization.
        log_probability: natural logarithm, with the end token.
        weights: (tokens + 1, source steps), the attention of each token and of the end token.
    """

    tokens: Ints
    score: float
    log_probability: float
    weights: Floats


class Decoder(Protocol):
    """What a search asks of a network; see `translate.head.AttentionReadout`."""

    def begin(self, sources: Sequence[Any], /) -> Any:
        """Return one row for each source."""
        ...

    def step(self, rows: Any, tokens: Ints, /) -> tuple[Floats, Floats, Any]:
        """Return the scores (rows, vocabulary) after these tokens, attention weights, and the rows after the step."""
        ...


@dataclass(eq=False)
class _Trail:
    """Where the rows of each step came from, to spell out what ended."""

    parents: list[Ints] = field(default_factory=list)
    tokens: list[Ints] = field(default_factory=list)
    weights: list[Floats] = field(default_factory=list)

    def spelled(self, step: int, row: int, steps: int) -> tuple[Ints, Floats]:
        """The tokens before `step` of the row that ended there, and the weights up to it."""
        tokens, weights = [], [self.weights[step][row, :steps]]
        for before in range(step - 1, -1, -1):
            tokens.append(self.tokens[before][row])
            row = self.parents[before][row]
            weights.append(self.weights[before][row, :steps])
        return np.array(tokens[::-1], np.int64), np.stack(weights[::-1])


def search(decoder: Decoder, sources: Sequence[Any], beam: Beam, n_best: int | None = None) -> list[list[Hypothesis]]:
    """Return the targets of each source, the best first.

    Args:
        decoder: the network.
        sources: what it attends to; each has `steps`.
        beam: the settings.
        n_best: the number of targets for each source, at most the beam's size, which is the default.
    """
    rows, owner = decoder.begin(sources), np.arange(len(sources))
    limits = np.array([max(beam.max_length, int(beam.ratio * source.steps)) for source in sources])
    totals, tokens, open_ = np.zeros(len(sources)), np.full(len(sources), beam.begin), np.full(len(sources), beam.size)
    trail, ended = _Trail(), [[] for _ in sources]  # type: ignore[var-annotated]
    for step in range(int(limits.max(initial=0)) + 1):
        scores, weights, rows = decoder.step(rows, tokens)
        pause()
        trail.weights.append(weights)
        parents, tokens, totals = _continued(scores, totals, owner, open_, limits[owner] <= step, beam)
        ends = tokens == beam.end
        for parent, total in zip(parents[ends].tolist(), totals[ends].tolist(), strict=True):
            ended[owner[parent]].append((total / (step + 1) ** beam.normalization, total, step, parent))
        np.subtract.at(open_, owner[parents[ends]], 1)
        parents, tokens, totals = parents[~ends], tokens[~ends], totals[~ends]
        if not len(parents):
            break
        trail.parents.append(parents)
        trail.tokens.append(tokens)
        counts = np.bincount(owner[parents], minlength=len(sources))
        rows = rows.take(parents, counts[np.unique(owner)])
        owner = owner[parents]
    return [
        [
            Hypothesis(spelled[0], score, total, spelled[1])
            for score, total, step, row in sorted(found, key=lambda each: -each[0])[:n_best]
            for spelled in [trail.spelled(step, row, source.steps)]
        ]
        for source, found in zip(sources, ended, strict=True)
    ]


def _continued(
    scores: Floats, totals: NDArray[np.float64], owner: Ints, open_: Ints, last: NDArray[np.bool_], beam: Beam
) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Choose each source's continuations, those of a source together and the best first.

    Args:
        scores: (rows, vocabulary), changed in place.
        totals: (rows,), the log-probabilities so far.
        owner: (rows,), the source of each row, never decreasing.
        open_: (sources,), how many continuations a source may have.
        last: (rows,), whether only the end may follow.

    Returns:
        The row that each one continues, its token, and its log-probability.
    """
    offset = _offsets(scores)
    ends = scores[:, beam.end].copy()
    if last.any():
        scores[last] = -np.inf
    scores[:, beam.banned] = -np.inf
    scores[:, beam.end] = ends
    tokens = _largest(scores, min(beam.size, scores.shape[1]))
    every = totals[:, None] + (np.take_along_axis(scores, tokens, 1) + offset[:, None])
    flat, of = every.ravel(), np.repeat(owner, tokens.shape[1])
    order = np.lexsort((-flat, of))
    first = np.searchsorted(of, of)
    kept = order[(np.arange(len(order)) - first < open_[of]) & np.isfinite(flat[order])]
    return kept // tokens.shape[1], tokens.ravel()[kept], flat[kept]


def log_probabilities(scores: Floats, tokens: NDArray[Any]) -> NDArray[np.float64]:
    """Return the log-probabilities (rows, n) of tokens (rows, n) by scores (rows, vocabulary)."""
    return np.take_along_axis(scores, tokens, 1) + _offsets(scores)[:, None]


def _offsets(scores: Floats) -> NDArray[np.float64]:
    """What turns scores (rows, vocabulary) into log-probabilities, (rows,): a row's bits depend on that row alone.

    The softmax of the highest score is 1 over the sum of all exponentials. NumPy's logarithm may differ by an element's
    place, Python's does not.
    """
    highest = np.arange(len(scores)), scores.argmax(axis=1)
    sums = np.array([math.log(value) for value in engine.softmax(scores)[highest].tolist()])
    return sums - scores[highest].astype(np.float64)


def _largest(scores: Floats, count: int) -> Ints:
    """Return the columns of the `count` largest scores of each row, (rows, count), the largest first.

    The largest ones lie in the groups of columns with the largest maxima; few groups need to be looked through. A row
    with fewer than `count` scores above -inf ends with columns whose score is -inf.
    """
    rows, columns = scores.shape
    groups = columns // _GROUP
    if groups <= count:
        return np.argsort(-scores, axis=1, kind="stable")[:, :count]
    whole = scores[:, : groups * _GROUP].reshape(rows, _GROUP, groups)
    chosen = np.sort(np.argpartition(-whole.max(axis=1), count, axis=1)[:, :count], axis=1)
    inside = (np.arange(_GROUP)[:, None] * groups + chosen[:, None]).reshape(rows, -1)
    rest = np.broadcast_to(np.arange(groups * _GROUP, columns), (rows, columns - groups * _GROUP))
    places = np.concatenate([inside, rest], axis=1)
    left, best = np.take_along_axis(scores, places, 1), np.empty((rows, count), np.int64)
    for rank in range(count):  # faster than sorting them
        best[:, rank] = left.argmax(axis=1)
        left[np.arange(rows), best[:, rank]] = -np.inf
    return np.take_along_axis(places, best, 1)
