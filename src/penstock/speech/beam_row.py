"""One row of a prefix beam search: how the hypotheses go on, and which of them are kept.

A hypothesis has two ways to end, in a blank and in its last token. With a row it stays as it is, after a blank or its
last token again, or gets a token more; one that becomes the same as another is added to that. See `beam`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from penstock.speech.spec import BLANK

__all__ = ["OTHER", "Chosen", "Floats", "Held", "Ints", "continued"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLANK, OTHER = 0, 1  # places of alignments that end in a blank, and in the last token


class Held(NamedTuple):
    """The hypotheses before a row.

    sums, best: (hypotheses, 2) log-probabilities over all alignments, and of the likeliest one.
    fused: (hypotheses,) what language models added so far.
    last: (hypotheses,) the last token; the blank if there is none.
    parents: (hypotheses,) the one without the last token, -1 if it is not held; read only where a token is appended.
    """

    sums: Floats
    best: Floats
    fused: Floats
    last: Ints
    parents: Ints


class _Stay(NamedTuple):
    """Hypotheses with the same tokens after a row.

    sums, best: (hypotheses, 2) log-probabilities over all alignments, and of the likeliest one.
    froms: (hypotheses, 2, 2) hypothesis and place of the likeliest alignment's beginning, for both ways to end.
    fresh: (hypotheses,) whether the last token begins in this row, on the alignment that ends in it.
    """

    sums: Floats
    best: Floats
    froms: Ints
    fresh: NDArray[np.bool_]


class _Longer(NamedTuple):
    """Hypotheses with a token more, each (hypotheses, tokens).

    sums, best: log-probabilities over all alignments, and of the likeliest one; they end in the token.
    place: where the likeliest one begins.
    """

    sums: Floats
    best: Floats
    place: Ints


class Chosen(NamedTuple):
    """The hypotheses after a row, the best first, by where they come from.

    source: (chosen,) the hypothesis that each one is, or extends.
    token: (chosen,) the token that it appends; the blank if none.
    sums, best, froms, fresh: as in `_Stay`.
    """

    source: Ints
    token: Ints
    sums: Floats
    best: Floats
    froms: Ints
    fresh: NDArray[np.bool_]


def continued(held: Held, log_probs: Floats, tokens: Ints, added: Floats, size: int, margin: float) -> Chosen:
    """Continue hypotheses by a row, and choose the best.

    Args:
        held: the hypotheses.
        log_probs: the row: the log-probability of each token, and of the blank.
        tokens: those that may be appended.
        added: (hypotheses, tokens), what the language models add.
        size: hypotheses that are kept.
        margin: those whose score is so much below the best one's, in nats, are dropped too.
    """
    count = len(held.sums)
    stay, longer = _staying(held, log_probs), _longer(held, log_probs, tokens)
    if len(tokens):  # in most rows only a blank is likely
        _meet(held, stay, longer, tokens, len(log_probs))
    staying = np.logaddexp(stay.sums[:, _BLANK], stay.sums[:, OTHER]) + held.fused
    scores = np.concatenate([staying, (longer.sums + held.fused[:, None] + added).ravel()])
    order = (-scores).argsort(kind="stable")[:size]
    best = scores[order]
    order = order[(best > -np.inf) & (best >= best[0] - margin)]
    source, token = order.copy(), np.full(len(order), BLANK)
    extends = order >= count
    source[extends], column = np.divmod(order[extends] - count, max(len(tokens), 1))
    token[extends] = tokens[column]
    found = Chosen(source, token, *(each[source] for each in stay))
    row = source[extends]
    found.sums[extends, _BLANK] = found.best[extends, _BLANK] = -np.inf
    found.sums[extends, OTHER] = longer.sums[row, column]
    found.best[extends, OTHER] = longer.best[row, column]
    found.froms[extends, OTHER, 0], found.froms[extends, OTHER, 1] = row, longer.place[row, column]
    found.fresh[extends] = True
    return found


def _staying(held: Held, log_probs: Floats) -> _Stay:
    """The same prefixes, after a blank or their last token again."""
    sums, best, rows = held.sums, held.best, np.arange(len(held.sums))
    place = best.argmax(axis=1)
    blank, again = log_probs[BLANK], log_probs[held.last]
    found = _Stay(
        np.empty_like(sums),
        np.empty_like(best),
        np.empty((len(rows), 2, 2), np.int64),
        np.zeros(len(rows), np.bool_),
    )
    found.sums[:, _BLANK] = np.logaddexp(sums[:, _BLANK], sums[:, OTHER]) + blank
    found.sums[:, OTHER] = sums[:, OTHER] + again
    found.best[:, _BLANK] = best[rows, place] + blank
    found.best[:, OTHER] = best[:, OTHER] + again
    found.froms[..., 0], found.froms[:, _BLANK, 1], found.froms[:, OTHER, 1] = rows[:, None], place, OTHER
    return found


def _longer(held: Held, log_probs: Floats, tokens: Ints) -> _Longer:
    """Each prefix with each token; the same token once more needs a blank before it."""
    sums, best, rows = held.sums, held.best, np.arange(len(held.sums))
    again = tokens == held.last[:, None]
    total = np.logaddexp(sums[:, _BLANK], sums[:, OTHER])
    place = np.where(again, _BLANK, best.argmax(axis=1)[:, None])
    likely = log_probs[tokens]
    return _Longer(np.where(again, sums[:, :1], total[:, None]) + likely, best[rows[:, None], place] + likely, place)


def _meet(held: Held, stay: _Stay, longer: _Longer, tokens: Ints, outputs: int) -> None:
    """Move what extends one prefix to another one that is held over to that one."""
    columns = np.full(outputs, -1)
    columns[tokens] = np.arange(len(tokens))
    (into,) = np.nonzero((held.parents >= 0) & (columns[held.last] >= 0))
    if not len(into):
        return
    row, column = held.parents[into], columns[held.last[into]]
    stay.sums[into, OTHER] = np.logaddexp(stay.sums[into, OTHER], longer.sums[row, column])
    better = longer.best[row, column] > stay.best[into, OTHER]
    stay.fresh[into] = better
    into, row, column, before = into[better], row[better], column[better], (row, column)
    stay.best[into, OTHER] = longer.best[row, column]
    stay.froms[into, OTHER, 0], stay.froms[into, OTHER, 1] = row, longer.place[row, column]
    longer.sums[before] = -np.inf
