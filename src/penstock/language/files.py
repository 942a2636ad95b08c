"""Texts in many files, or in a large one, that are read piece by piece and never all at once."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.changes import counted
from penstock.datasets.columns import text_table
from penstock.datasets.rows import Rows
from penstock.shards import Shards

__all__ = ["Piece", "TextFiles", "joined"]

_LOGGER = logging.getLogger("penstock.tasks")

Piece = tuple[int, str]
"""The number of a text, from 0, and a piece of it: the text of a table's row, or one of those of a plain file."""


@dataclass(frozen=True)
class TextFiles(Shards):
    """Texts of files: a plain file is one, whose rows are its pieces, a table has one in each row.

    About 2 MB of validation and test data are held in memory where training data are not.
    """

    held_bytes: int = 1 << 21

    def numbered(self, what: str, steps: logging.Logger = _LOGGER) -> Iterator[tuple[Rows, NDArray[np.float64]]]:
        """Yield the pieces of each block, also those of other draws, and their draws; answers are the texts' numbers.

        Args:
            what, steps: as for `blocks`.

        Raises:
            DataError: a file can't be read, or has values that are no texts; the message names it.
        """
        texts = 0
        for block, rows, draws in self.usable(_usable, what, steps):
            numbers = [block.file] * len(rows) if self.is_plain else list(range(texts, texts + len(rows)))
            texts += len(rows)
            yield Rows(rows.inputs, numbers, rows.dropped), draws

    def rows(self, what: str = "reading", steps: logging.Logger = _LOGGER) -> Iterator[Rows]:
        """Yield the pieces of each block that belong to it, perhaps none; see `numbered`."""
        for rows, draws in self.numbered(what, steps):
            yield replace(rows.take(np.flatnonzero(self.holds(draws))), dropped=rows.dropped)

    def pieces(self, what: str, dropped: Counter[str] | None = None) -> Iterator[Piece]:
        """Yield the pieces that belong to it; `dropped` gets how many texts were left out, by reason."""
        for rows in self.rows(what):
            if dropped is not None:
                dropped.update(rows.dropped)
            yield from zip(rows.answers or [], rows.inputs, strict=True)

    def texts(self, dropped: Counter[str] | None = None) -> Iterator[str]:
        """Yield its texts, the pieces that belong to it joined; as `pieces`."""
        return joined(self.pieces("reading", dropped))

    def loaded(self) -> Rows:
        """Return its texts in memory."""
        self.check()
        dropped: Counter[str] = Counter()
        with counted() as changed:
            texts = list(self.texts(dropped))
        return Rows(texts, dropped=dict(dropped), columns=self.columns, changed=dict(changed))


def joined(pieces: Iterable[Piece]) -> Iterator[str]:
    """Yield whole texts from their pieces."""
    return ("".join(text for _, text in some) for _, some in groupby(pieces, itemgetter(0)))


def _usable(columns: Mapping[str, list[Any]]) -> Rows:
    return text_table(columns["text"], may_be_empty=True)
