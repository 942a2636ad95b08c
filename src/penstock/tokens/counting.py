"""Counts of words in bounded memory."""

import logging
from collections import Counter
from collections.abc import Iterable

import numpy as np

from penstock.events import say
from penstock.tokens.shapes import shape

__all__ = ["WordCounts"]

_LOGGER = logging.getLogger("penstock.tokens")
_MOST = 1_000_000


class WordCounts:
    """Counts words; beyond a number of different ones, the rarest are forgotten (Manku and Motwani 2002).

    A word that was forgotten is counted from 0 when it comes again.

    Args:
        most: the most different words.

    Attributes:
        counts: the count of each word.
        forgotten: the occurrences of words that were forgotten, by the words' shape.
        error: the most occurrences that a count may lack; 0 for exact counts.
    """

    def __init__(self, most: int = _MOST) -> None:
        self.counts, self.forgotten, self.error = Counter[str](), Counter[str](), 0
        self._most = most

    def add(self, words: Iterable[str]) -> None:
        """Count words."""
        self.counts.update(words)
        if len(self.counts) > self._most:
            self._forget()

    def _forget(self) -> None:
        """Forget the rarest half, and all that are as rare."""
        numbers = np.fromiter(self.counts.values(), np.int64, len(self.counts))
        least = int(np.partition(numbers, len(numbers) // 2)[len(numbers) // 2])
        if not self.error:
            say(_LOGGER, "counts", f"more than {self._most:,} different words: rare ones are counted approximately")
        self.error += least
        kept: Counter[str] = Counter()
        for word, count in self.counts.items():
            if count > least:
                kept[word] = count
            else:
                self.forgotten[shape(word)] += count
        self.counts = kept
