"""Rows in many files, read block by block and never all at once: of tables, or pieces of plain texts."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.columns import text_table
from penstock.datasets.layout import DETECT, Layout
from penstock.datasets.naming import absent_words
from penstock.datasets.parquet import parquet_rows
from penstock.datasets.plain import stream_plain
from penstock.datasets.readers import column_names, stream_table, table_ending
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.events import Steps
from penstock.shards.files import identities

__all__ = ["Block", "Shards"]

_LOGGER = logging.getLogger("penstock.shards")
_ALL = (0.0, 1.0)
_PROBED_BLOCKS = 2
_MOST_HELD = 10_000


class Block(NamedTuple):
    """Some rows of a file.

    Attributes:
        where: the file and the number of the first row, for messages.
        file: the number of the file, from 0.
        columns: the values of each role, such as "text" and "label".
        draws: a number from 0 to below 1 for each row, (rows,) float64, which depends on the seed, the number of the
            file and the row alone.
    """

    where: str
    file: int
    columns: Mapping[str, list[Any]]
    draws: NDArray[np.float64]


@dataclass(frozen=True)
class Shards:
    """The rows of many files of one kind, or a seeded draw from them, for estimators in place of inputs and answers.

    Attributes:
        files: the files, in order: tables, or plain texts, whose rows are the pieces of `datasets.plain`.
        columns: the column of each role, such as {"text": "review", "label": "stars"}; none of plain texts, which have
            the role "text".
        layout: the layout of text files.
        cut: rows belong to it whose draw is at least the first number and below the second.
        seed: the seed of the draws.
        held_bytes: about how much of the files is held in memory where the rest is not, at most.
    """

    files: tuple[Path, ...]
    columns: Mapping[str, str]
    layout: Layout = DETECT
    cut: tuple[float, float] = _ALL
    seed: int = 0
    held_bytes: int = 1 << 25

    @property
    def inputs(self) -> Self:
        """These rows themselves: estimators read inputs and answers together."""
        return self

    # What `Rows` has too; what was dropped or changed is known only after the rows were read.
    answers: ClassVar[None] = None
    dropped: ClassVar[Mapping[str, int]] = MappingProxyType({})
    changed: ClassVar[Mapping[str, int]] = MappingProxyType({})

    @property
    def is_plain(self) -> bool:
        """Whether the files are plain texts, and rows their pieces."""
        return table_ending(self.files[0]) is None

    def check(self) -> None:
        """Check that each table has the columns, before anything is read in full.

        Raises:
            DataError: a file lacks a column, or its first rows can't be read.
        """
        for path in () if self.is_plain else self.files:
            there = column_names(path, self.layout)
            if missing := [name for name in self.columns.values() if name not in there]:
                other = "" if path == self.files[0] else f" The columns were found in {self.files[0]}."
                raise DataError(f"{path}: {absent_words(missing, there)}.{other} All files must have these columns.")

    def split(self, proportions: Sequence[float], seed: int) -> list[Self]:
        """Draw parts at random, row by row; each row belongs to one part.

        The parts after the first one get at most as many rows as are held in memory; the first one gets the rest.
        """
        share_held = self.held() / self.estimated_rows
        shares = [min(share, share_held) for share in proportions[1:]]
        ends = np.cumsum([1 - sum(shares), *shares]).tolist()
        ends[-1] = 1.0
        return [replace(self, cut=cut, seed=seed) for cut in zip([0.0, *ends[:-1]], ends, strict=True)]

    def drawn(self) -> Self:
        """Draw at random as many of the rows as are held in memory."""
        low, high = self.cut
        share = self.held() / (self.estimated_rows * (high - low))
        return self if share >= 1 else replace(self, cut=(low, low + (high - low) * share))

    def held(self) -> float:
        """Return about how many rows are held in memory where others are not: 10,000, or fewer long ones."""
        row_bytes = sum(path.stat().st_size for path in self.files) / self.estimated_rows
        return min(_MOST_HELD, self.held_bytes / max(row_bytes, 1))

    def holds(self, draws: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether rows with these draws belong to it, (rows,)."""
        low, high = self.cut
        return (draws >= low) & (draws < high)

    @cached_property
    def estimated_rows(self) -> float:
        """About how many rows the files have, from their sizes and the first rows of the largest one."""
        sizes = [path.stat().st_size for path in self.files]
        path = self.files[int(np.argmax(sizes))]
        return max(1.0, sum(sizes) / max(1, *sizes) * _rows_of(path, _tables(path, self.columns, self.layout)))

    def blocks(self, what: str, steps: Any) -> Iterator[Block]:
        """Yield the rows of all files, also those of other draws.

        Args:
            what: what is done with them, for the progress.
            steps: the logger that gets the progress.

        Raises:
            DataError: a file can't be read; the message names it, and the row if it is known.
        """
        with Steps(steps, what, len(self.files), "files") as progress:
            for number, path in enumerate(self.files):
                first = 0
                for columns in _tables(path, self.columns, self.layout):
                    rows = len(next(iter(columns.values())))
                    draws = _draws(self.seed, number, first, rows)
                    yield Block(f"{path}, from row {first + 1}", number, columns, draws)
                    first += rows
                progress.advance()

    def usable(
        self, read: Callable[[Mapping[str, list[Any]]], Rows], what: str, steps: Any
    ) -> Iterator[tuple[Block, Rows, NDArray[np.float64]]]:
        """Yield each block, its usable rows and their draws.

        Args:
            read: returns the usable rows, perhaps none, from the values of each role.
            what, steps: as `blocks` takes them.

        Raises:
            DataError: as `blocks`; or values can't be used, where the message names the file and the block's first row.
        """
        for block in self.blocks(what, steps):
            try:
                rows = read(block.columns)
            except DataError as error:
                raise DataError(f"{block.where}: {error}") from error
            yield block, rows, block.draws if rows.kept is None else block.draws[rows.kept]

    def rows(self, what: str = "reading", steps: logging.Logger = _LOGGER) -> Iterator[Rows]:
        """Yield the texts and labels of each block that belong to it and can be used, perhaps none of them.

        Args:
            what, steps: as for `blocks`.

        Raises:
            DataError: a file can't be read, or has values that are no texts or labels.
        """
        for block in self.blocks(what, steps):
            own = np.flatnonzero(self.holds(block.draws)).tolist()
            text, label = ([block.columns[role][row] for row in own] for role in ("text", "label"))
            try:
                yield text_table(text, label, may_be_empty=True)
            except DataError as error:
                raise DataError(f"{block.where}: {error}") from error

    def loaded(self) -> Rows:
        """Return all rows that belong to it and can be used, in memory.

        Raises:
            DataError: as `rows`; or there are none.
        """
        self.check()
        dropped: Counter[str] = Counter()
        inputs, answers = list[Any](), list[Any]()
        for block in self.rows():
            dropped.update(block.dropped)
            inputs += block.inputs
            answers += block.answers or []
        if not inputs:
            raise DataError(f"{self.files[0]}: no rows are left to use. Is it the right file and column?")
        return Rows(inputs, answers, dict(dropped), columns=self.columns)

    def identity(self) -> dict[str, Any]:
        """Return what identifies the rows, as JSON: the files' content, the columns, the layout and the draw."""
        return {
            "files": identities(self.files),
            "columns": dict(self.columns),
            "layout": vars(self.layout),
            "cut": list(self.cut),
            "seed": self.seed,
        }


def _tables(path: Path, columns: Mapping[str, str], layout: Layout) -> Iterator[dict[str, list[Any]]]:
    """Yield the values of each role, some rows at a time."""
    if table_ending(path) is None:
        yield from ({"text": [piece]} for piece in stream_plain(path, layout.encoding))
        return
    for table in stream_table(path, list(columns.values()), layout):
        yield {role: table[name] for role, name in columns.items()}


def _rows_of(path: Path, tables: Iterator[dict[str, list[Any]]]) -> float:
    """Return about how many rows a file has, from the size of the first ones."""
    if table_ending(path) == ".parquet":
        return parquet_rows(path)
    rows = size = 0
    whole = True
    for number, table in enumerate(tables):
        if number == _PROBED_BLOCKS:
            whole = False
            break
        rows += len(next(iter(table.values())))
        size += sum(len(str(value).encode(errors="replace")) + 1 for values in table.values() for value in values)
    return rows if whole or not size else rows * path.stat().st_size / size


def _draws(seed: int, file: int, first: int, rows: int) -> NDArray[np.float64]:
    """Return uniform numbers that depend on the place of a row alone (SplitMix64, Steele et al. 2014)."""
    start = np.random.SeedSequence([seed, file]).generate_state(1, np.uint64)
    with np.errstate(over="ignore"):  # the arithmetic is modulo 2**64
        z = start + np.arange(first + 1, first + rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
