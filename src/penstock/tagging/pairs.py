"""Pairs of neighbouring tokens, which stand for the words that a tagger by characters does not see."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.sequences import Sequences

__all__ = ["EDGE", "TokenPairs"]

Ids = NDArray[np.integer[Any]]
_BITS = 31
EDGE = (1 << _BITS) - 1
"""The id that stands before a sentence and after it."""


class TokenPairs:
    """Ids of pairs of neighbours, by the ids of their tokens.

    The id of a pair is its place in `codes`, from 1; that of a rare pair, or one with an unknown token, is 0.

    Args:
        codes: (pairs,), ascending: left * 2**31 + right of each pair, with `EDGE` at the ends of a sentence.

    Raises:
        ConfigError: the codes are not such.
    """

    def __init__(self, codes: Any = ()) -> None:
        given = np.asarray(codes)
        if given.size == 0:
            given = np.zeros(0, np.int64)
        if given.ndim != 1 or given.dtype.kind != "i":
            raise ConfigError(f"codes of pairs must be a list of integers; got {codes!r:.60}")
        if len(given) and (given[0] < 0 or (np.diff(given) <= 0).any()):
            raise ConfigError(f"codes of pairs must ascend from 0; got {codes!r:.60}")
        self.codes = given.astype(np.int64)

    @classmethod
    def fit(cls, ids: Sequences, *, min_count: int, most: int) -> "TokenPairs":
        """Return the most frequent pairs of sentences, at most `most`, that occur `min_count` times or more.

        Args:
            ids: the ids of the tokens, 0 for unknown ones.
            min_count, most: see above; of equally frequent pairs those with the lowest codes are kept.
        """
        left, right = _beside(ids, EDGE)
        codes = np.concatenate([_codes(left, ids.values), _codes(ids.values, right)[right == EDGE]])
        found, counts = np.unique(codes[codes >= 0], return_counts=True)
        found, counts = found[counts >= min_count], counts[counts >= min_count]
        return cls(np.sort(found[np.argsort(-counts, kind="stable")[:most]]))

    def columns(self, ids: Sequences, neighbours: int, before: int = EDGE) -> NDArray[np.int32]:
        """Return the ids of each token's pairs: with the token before it and, of 2 neighbours, the one after it.

        Args:
            ids: the ids of the tokens.
            neighbours: 1 or 2.
            before: the id of the token before the first sentence, if that is the rest of one.

        Returns:
            (tokens, neighbours).
        """
        left, right = _beside(ids, before)
        pairs = [_codes(left, ids.values), _codes(ids.values, right)][:neighbours]
        return np.stack([self._ids(codes) for codes in pairs], axis=1)

    def _ids(self, codes: NDArray[np.int64]) -> NDArray[np.int32]:
        places = np.searchsorted(self.codes, codes, side="right")  # also the id, if the code before is this one
        known = np.concatenate([[-1], self.codes])[places] == codes
        return np.where(known & (codes >= 0), places, 0).astype(np.int32)


def _beside(ids: Sequences, before: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ids (tokens,) of the tokens before and after each one."""
    values, filled = ids.values.astype(np.int64), ids.lengths > 0
    left, right = np.concatenate([[before], values])[:-1], np.concatenate([values, [EDGE]])[1:]
    left[ids.offsets[:-1][filled][1:]] = EDGE
    right[ids.offsets[1:][filled] - 1] = EDGE
    return left, right


def _codes(left: Ids, right: Ids) -> NDArray[np.int64]:
    """Return the codes of pairs; -1 if one of their tokens is unknown."""
    return np.where((left > 0) & (right > 0), (left.astype(np.int64) << _BITS) + right, -1)
