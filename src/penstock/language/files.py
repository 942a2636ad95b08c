"""Texts in many files, or in a large one, that are read piece by piece and never all at once."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from penstock.datasets.columns import text_table
from penstock.datasets.rows import Rows
from penstock.shards import Shards

__all__ = ["HELD_BYTES", "Piece", "TextFiles", "joined"]

_LOGGER = logging.getLogger("penstock.tasks")

HELD_BYTES = 1 << 21
"""About how much text of validation and test is held in memory where training text is not."""


class Piece(NamedTuple):
    """A piece of a text: the text of a table's row, or one of those that make up a plain file.

    Attributes:
        text: the piece.
        number: of the whole text, from 0.
        draw: from 0 to below 1, see `shards.table.Block`.
    """

    text: str
    number: int
    draw: float


@dataclass(frozen=True)
class TextFiles(Shards):
    """Texts of files: a plain file is one, whose rows are its pieces, a table has one in each row."""

    held_bytes: int = HELD_BYTES

    def pieces(self, what: str, dropped: Counter[str] | None = None) -> Iterator[Piece]:
        """Yield all pieces of all texts in order, also those of other draws.

        Args:
            what: what is done with them, for the progress.
            dropped: gets how many texts were left out, by reason.

        Raises:
            DataError: a file can't be read; the message names it.
        """
        number = 0
        for block, rows, draws in self.usable(_usable, what, _LOGGER):
            if dropped is not None:
                dropped.update(rows.dropped)
            for text, draw in zip(rows.inputs, draws.tolist(), strict=True):
                yield Piece(text, block.file if self.is_plain else number, draw)
                number += 1

    def own(self, what: str, dropped: Counter[str] | None = None) -> Iterator[Piece]:
        """Yield the pieces that belong to it, as `pieces`."""
        low, high = self.cut
        return (piece for piece in self.pieces(what, dropped) if low <= piece.draw < high)

    def texts(self, dropped: Counter[str] | None = None) -> Iterator[str]:
        """Yield its texts: the pieces that belong to it, joined."""
        return joined(self.own("reading", dropped))


def joined(pieces: Iterable[Piece]) -> Iterator[str]:
    """Yield whole texts from their pieces."""
    return ("".join(piece.text for piece in some) for _, some in groupby(pieces, attrgetter("number")))


def _usable(columns: Mapping[str, list[Any]]) -> Rows:
    return text_table(columns["text"], may_be_empty=True)
