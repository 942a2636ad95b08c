"""Texts or pieces of music to learn from, to validate and to test with, and how they are divided."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from penstock.datasets import random_split
from penstock.errors import DataError, DtypeError
from penstock.language.features import FrameFeatures, LanguageFeatures
from penstock.language.files import TextFiles
from penstock.runtime.columns import column_list
from penstock.sequences import Sequences

__all__ = ["LanguageData", "LanguagePart", "as_items", "cut", "divided", "items_of_level"]

_MANY = 100
"""So many texts or pieces are divided at random; fewer, or one, at a place."""
_SHORT = 2
"""Texts of fewer tokens, on average, than this many chunks are learned one by one, not as one long text."""
_LONGEST_PATH = 1024


@dataclass(eq=False)
class LanguagePart:
    """Texts or pieces.

    Attributes:
        items: texts, or pieces: lists of frames.
        sequences: their ids or frames, once there are features.
        rows: of training data, how many parts of steps an epoch has, once there are features.
    """

    items: Sequence[Any]
    sequences: Sequences = field(default_factory=lambda: Sequences(np.zeros(0, np.int32), np.zeros(1, np.int64)))
    rows: int = 1

    def __len__(self) -> int:
        return self.rows

    def read(self, features: LanguageFeatures | FrameFeatures) -> None:
        """Turn the items into ids or frames."""
        self.sequences = features.read(self.items)

    def digest(self) -> str:
        """Return a SHA-256 hash that identifies the items."""
        digest = hashlib.sha256()
        for item in self.items:
            data = (item if isinstance(item, str) else repr(item)).encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "little") + data)
        return digest.hexdigest()


@dataclass(eq=False)
class LanguageData:
    """All the data of a training; test may be None."""

    train: LanguagePart
    valid: LanguagePart
    test: LanguagePart | None
    dropped: dict[str, int]
    changed: dict[str, int]

    labels = ()

    def measured(self) -> dict[str, LanguagePart]:
        """Return the parts to measure on, by name."""
        return {"valid": self.valid} | ({} if self.test is None else {"test": self.test})

    def read(self, features: LanguageFeatures | FrameFeatures, steps: int) -> dict[str, int]:
        """Turn all parts into ids or frames, once.

        Args:
            features: which do it.
            steps: of a chunk, after which backpropagation is cut off.

        Returns:
            The number of tokens or frames of each part.

        Raises:
            DataError: a part has none, or they are not what the features read.
        """
        parts = {"train": self.train} | self.measured()
        for name, part in parts.items():
            part.read(features)
            if not len(part.sequences.values):
                raise DataError(f"the {name} data must have at least one {features.unit}; it has none")
        train = self.train.sequences
        self.train.rows = len(train) if self.in_pieces(steps) else max(1, -(-len(train.values) // steps))
        return {name: len(part.sequences.values) for name, part in parts.items()}

    def in_pieces(self, steps: int) -> bool:
        """Whether texts are learned one by one, each from its first token: short ones, and music."""
        train = self.train.sequences
        return train.values.ndim == 2 or (len(train) > 1 and len(train.values) < _SHORT * steps * len(train))


def as_items(given: Any, what: str) -> list[Any]:
    """Return texts or pieces as a list; a path, `Path` or str, stands for the file or folder there.

    Raises:
        DataError: there are none, or they are not all texts or all pieces.
        DtypeError: a single str that is not a path.
    """
    if _is_path(given):
        from penstock.language.readers import read_corpus

        return list(read_corpus(given).inputs)
    if isinstance(given, str):
        raise DtypeError(f"{what} must be a list of texts, or the path of a file; got a single text. Put it in a list.")
    items = list(given) if isinstance(given, list | tuple) else column_list(given, what)
    if not items:
        raise DataError(f"{what} must have at least one text")
    texts = sum(isinstance(item, str) for item in items)
    if texts not in (0, len(items)):
        raise DataError(f"{what} must all be texts (str); {len(items) - texts} of {len(items)} are not")
    return items


def items_of_level(given: Any, what: str, level: str) -> list[Any] | TextFiles:
    """Return texts as a list, or as files if they may be larger than memory; for the level "notes" pieces of music.

    Raises:
        DataError, DtypeError: as `as_items`, or it is the other kind.
    """
    if _is_path(given):
        from penstock.language.readers import find_corpus

        given = find_corpus(given).inputs
    is_files = isinstance(given, TextFiles)
    items = given if is_files else as_items(given, what)
    is_text = is_files or isinstance(items[0], str)
    if is_text and level == "notes":
        raise DataError("level 'notes' learns from pieces, lists of frames such as [[60, 64], [62]]; got texts")
    if not is_text and level != "notes":
        raise DataError(
            f"level {level!r} learns from texts; got {items[0]!r:.60}. For frames of notes set level='notes'."
        )
    return items


def divided(items: Sequence[Any], shares: Sequence[float], random_state: int) -> list[list[Any]]:
    """Divide texts or pieces into parts.

    A hundred or more are divided at random. Fewer are divided at the places that their length gives, in their order,
    nothing at random: a text at the line break before the place, or at the white space if it has none.

    Args:
        items: texts, or pieces.
        shares: of the length for each part, with the sum 1.
        random_state: seed of a random division.

    Raises:
        DataError: a part would be empty.
    """
    if len(items) >= _MANY:
        return [[items[row] for row in rows] for rows in random_split(len(items), shares, random_state=random_state)]
    ends = np.rint(np.cumsum([len(item) for item in items])).astype(np.int64)
    cuts = np.rint(np.cumsum(shares)[:-1] * (ends[-1] if len(ends) else 0)).astype(np.int64).tolist()
    parts: list[list[Any]] = [[] for _ in shares]
    begin = 0
    for item, end in zip(items, ends.tolist(), strict=True):
        places = [_place(item, min(max(cut - begin, 0), len(item))) for cut in cuts]
        for part, start, stop in zip(parts, [0, *places], [*places, len(item)], strict=True):
            if stop > start:
                part.append(item[start:stop])
        begin = end
    if not all(parts):
        length = int(ends[-1]) if len(ends) else 0
        raise DataError(
            f"{len(items)} {'text' if len(items) == 1 else 'texts'} of {length:,} characters can't be divided into "
            f"{len(shares)} parts. Give more, or files for validation and testing."
        )
    return parts


def cut(sequences: Sequences, most: int) -> Sequences:
    """Return the sequences, those of more than `most` steps in parts of at most so many; nothing is copied."""
    counts = -(-sequences.lengths // most)
    if (counts == 1).all():
        return sequences
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = np.repeat(sequences.offsets[:-1], counts) + most * within
    return replace(sequences, offsets=np.append(starts, sequences.offsets[-1]))


def _place(item: Any, near: int) -> int:
    """Where to cut an item near a place: a text after a line break or white space before it, if it has any."""
    if not isinstance(item, str) or near in (0, len(item)):
        return near
    found = item.rfind("\n", 0, near) + 1
    if found:
        return found
    while near and not item[near - 1].isspace():
        near -= 1
    return near


def _is_path(given: Any) -> bool:
    if not isinstance(given, str):
        return isinstance(given, Path)
    try:
        return len(given) <= _LONGEST_PATH and "\n" not in given and Path(given).exists()
    except (OSError, ValueError):  # no name of a file
        return False
