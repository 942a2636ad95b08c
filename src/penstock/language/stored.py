"""Prepares texts that are larger than memory: two passes over their files, into a cache on disk.

The first pass learns the tokens and holds the texts of validation and test, which are few, in memory. The second pass
writes the ids of the training texts to a file, from which training and the baselines read them a part at a time.
"""

import logging
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np

from penstock.datasets.changes import counted
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.events import say
from penstock.language.data import LanguageData, LanguagePart
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.files import Piece, TextFiles, joined
from penstock.language.fitting import fitted_tokens
from penstock.shards import Cache, Writer, default_cache
from penstock.tokens import END

__all__ = ["StoredLanguagePart", "stored_data"]

_LOGGER = logging.getLogger("penstock.tasks")

_IDS, _LENGTHS = "ids.bin", "lengths.bin"
_MOST_LEARNED = 100_000_000
"""Characters from which byte pairs are learned, at most: their number of different words decides on the memory."""


@dataclass(eq=False)
class StoredLanguagePart(LanguagePart):
    """Training texts whose ids lie on disk; `items` is empty.

    Attributes:
        features: what was learned from the texts.
        key: what identifies the texts and options.
    """

    features: LanguageFeatures = field(kw_only=True)
    key: str = field(kw_only=True)

    def read(self, features: LanguageFeatures | FrameFeatures) -> None:
        """Do nothing: the ids are those of `features`."""

    def digest(self) -> str:
        """Return the key of the cache, a hash of the files and options."""
        return self.key


def stored_data(
    train: TextFiles,
    given: Mapping[str, Any],
    *,
    known: LanguageFeatures | None,
    cache: str | None,
    **options: Any,
) -> LanguageData:
    """Prepare training texts on disk, and validation and test texts in memory.

    Args:
        train: the training texts.
        given: by the names valid and test: `TextFiles`, of which a part is drawn if they are much; or texts in memory;
            or None.
        known: features of a model whose training continues, instead of learned ones.
        cache: the folder of prepared data; None for that of the user.
        options: as `fitting.fitted_tokens` takes them.

    Raises:
        DataError: a file lacks a column, can't be read, or a part has no text.
        InputError: the cache can't be written.
    """
    held = {part: files.drawn() for part, files in given.items() if isinstance(files, TextFiles)}
    for files in {each.files: each for each in (train, *held.values())}.values():
        files.check()
    key = {
        "task": "language-model",
        "rows": {part: files.identity() for part, files in {"train": train, **held}.items()},
        "features": {**options, "known": None if known is None else known.to_json()},
    }
    folder = default_cache() if cache is None else Path(cache)
    made = Cache(folder, key, partial(_prepare, train, held, known, options))
    about = made.about
    features = LanguageFeatures.from_json(about["features"])
    ids = made.tokens(_IDS, _dtype(features), _LENGTHS)
    parts = {
        name: None if texts is None else LanguagePart(_kept(made, name) if name in held else texts)
        for name, texts in given.items()
    }
    stored = StoredLanguagePart((), ids, features=features, key=made.digest)
    valid = parts["valid"]
    assert valid is not None
    return LanguageData(stored, valid, parts["test"], dict(about["dropped"]), dict(about["changed"]))


def _prepare(
    train: TextFiles,
    held: Mapping[str, TextFiles],
    known: LanguageFeatures | None,
    options: Mapping[str, Any],
    writer: Writer,
) -> dict[str, Any]:
    """Read the texts twice, and write what training needs; return what is to be known of it."""
    size = sum(path.stat().st_size for path in train.files)
    say(_LOGGER, "features", f"reading {len(train.files)} files ({size / 1e6:,.0f} MB) to learn their tokens")
    first = _FirstPass(train, held)
    with counted() as changed:
        features = first.features(known, size, options)
        first.read_others()
    for part, pieces in first.held.items():
        if not pieces:
            raise DataError(f"no text is left for {part}: give a larger share of --split, or files of its own.")
        writer.keep(part, Rows([text for _, text in pieces], [number for number, _ in pieces]))
    say(_LOGGER, "features", f"{first.texts:,} training texts: reading them again to write their tokens")
    with counted():  # what a reader changes was counted in the first pass
        if not _write(train, features, writer):
            why = ", ".join(f"{count} without a text" for count in first.dropped.values()) or "there are none"
            raise DataError(f"the training texts must have at least one token; they have none ({why}).")
    return {"features": features.to_json(), "dropped": dict(first.dropped), "changed": dict(changed)}


class _FirstPass:
    """The pieces as they pass by: those of training are handed on, those of other parts held.

    Attributes:
        dropped: how many texts were left out, by reason.
        held: the pieces of other parts.
        texts: the training texts.
        lines: whether one of them has a line break.
    """

    def __init__(self, train: TextFiles, held: Mapping[str, TextFiles]) -> None:
        self.dropped, self.texts, self.lines = Counter[str](), 0, False
        self.held: dict[str, list[Piece]] = {part: [] for part in held}
        self._train, self._files = train, held
        self._beside = [part for part, files in held.items() if replace(files, cut=train.cut) == train]

    def features(self, known: LanguageFeatures | None, size: int, options: Mapping[str, Any]) -> LanguageFeatures:
        """Return those known, or learned ones.

        Args:
            known: those of a model whose training continues.
            size: of the files in bytes.
            options: as `fitting.fitted_tokens` takes them.
        """
        pieces = self._training()
        learned = _sample(pieces, size) if options["level"] == "bpe" else pieces
        tokens = fitted_tokens(learned, **options) if known is None else known.tokens
        deque(pieces, maxlen=0)  # what nothing is learned from is counted
        return known or LanguageFeatures(tokens, ends=self.texts > 1, lines=self.lines)

    def read_others(self) -> None:
        """Hold the parts that have files of their own."""
        for part, files in self._files.items():
            if part not in self._beside:
                self.held[part] = list(files.pieces(f"reading {part}", self.dropped))

    def _training(self) -> Iterator[str]:
        last = -1
        for rows, draws in self._train.numbered("reading"):
            self.dropped.update(rows.dropped)
            pieces = list(zip(rows.answers or [], rows.inputs, strict=True))
            for part in self._beside:
                self.held[part] += [pieces[row] for row in np.flatnonzero(self._files[part].holds(draws))]
            for row in np.flatnonzero(self._train.holds(draws)).tolist():
                number, text = pieces[row]
                self.texts, last = self.texts + (number != last), number
                self.lines = self.lines or "\n" in text
                yield text


def _sample(pieces: Iterator[str], size: int) -> Iterator[str]:
    """Yield every so many pieces: about as many characters as may be learned from, and never more."""
    stride = max(1, -(-size // _MOST_LEARNED))
    if stride > 1:
        say(_LOGGER, "features", f"byte pairs are learned from one piece of text in {stride}")
    left = _MOST_LEARNED
    for piece in islice(pieces, 0, None, stride):
        left -= len(piece)
        if left < 0:  # of packed files, whose size says less
            return
        yield piece


def _write(train: TextFiles, features: LanguageFeatures, writer: Writer) -> int:
    """Write the ids of the texts, and the number of each text's; return that of all."""
    dtype, total = _dtype(features), 0
    for _, pieces in groupby(train.pieces("writing tokens"), itemgetter(0)):
        length = int(features.ends)
        for _, text in pieces:
            ids = features.piece(text)
            writer.append(_IDS, ids.astype(dtype))
            length += len(ids)
        if features.ends:
            writer.append(_IDS, np.array([END], dtype))
        writer.append(_LENGTHS, np.array([length], np.int64))
        total += length
    return total


def _kept(cache: Cache, part: str) -> list[str]:
    rows = cache.rows(part)
    return list(joined(zip(rows.answers or [], rows.inputs, strict=True)))


def _dtype(features: LanguageFeatures) -> np.dtype[Any]:
    return np.min_scalar_type(features.size - 1)
