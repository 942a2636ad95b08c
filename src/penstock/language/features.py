"""What a language model reads: tokens of texts as ids, or frames of notes as rows of 0 and 1."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.errors import ConfigError, DataError
from penstock.runtime.columns import text_list
from penstock.sequences import Sequences
from penstock.tokens import END, SPECIAL, Tokens, read_tokens
from penstock.tokens.decoder import BytesDecoder

__all__ = ["FrameFeatures", "LanguageFeatures", "read_language_features"]

_PIANO = 21, 108
_MOST_NOTES = 1 << 16


class LanguageFeatures:
    """Texts as ids of tokens, each predicted from those before it; the first from the end of a text before.

    Args:
        tokens: the level of the tokens, and their ids.
        ends: whether the end of each text is predicted too, as the end token: where there were several texts to learn.
        lines: whether the texts that were learned have line breaks.
    """

    kind: ClassVar[str] = "language"
    reads: ClassVar[Literal["text", "step"]] = "text"
    unit: ClassVar[str] = "token"

    def __init__(self, tokens: Tokens, *, ends: bool, lines: bool) -> None:
        self.tokens, self.ends, self.lines = tokens, bool(ends), bool(lines)

    @property
    def first(self) -> int:
        """What the first step reads: the end token, as after another text."""
        return END

    @property
    def size(self) -> int:
        """Number of ids."""
        return len(self.tokens)

    @property
    def level(self) -> str:
        """Name of the tokens' level."""
        return self.tokens.level

    def checked(self, inputs: Any) -> list[str]:
        """Return texts as a list; DataError or DtypeError if they are none."""
        return text_list(inputs)

    def piece(self, item: str) -> NDArray[np.int32]:
        """Return the ids of a piece of a text, whose end ends a token."""
        return self.tokens.encode(item)

    def read(self, texts: Any) -> Sequences:
        """Return the ids of texts, each with its end if ends are predicted; errors as `checked`."""
        return self.tokens.encode_all(self.checked(texts), end=self.ends)

    def names(self, ids: NDArray[np.int32]) -> list[str]:
        """Return each token as a person reads it."""
        return self.tokens.names(ids.tolist())

    def output_names(self, outputs: Sequence[int]) -> list[str]:
        """Return what each output of the head stands for: a token."""
        return self.tokens.names(outputs)

    @cached_property
    def characters(self) -> NDArray[np.int64]:
        """Characters that each token stands for: with words the space after each, an end as a line break; (ids,)."""
        decoder = self.tokens.decoder()
        if isinstance(decoder, BytesDecoder):
            counts = [sum(byte & 0xC0 != 0x80 for byte in spelled) for spelled in decoder.spelled[len(SPECIAL) :]]
        else:
            counts = [len(token) + 1 for token in self.tokens.vocabulary]
        unknown = len(SPECIAL[0]) + 1 if self.level == "word" else 1
        return np.array([unknown, 0, 1, *counts])

    def to_json(self) -> dict[str, Any]:
        """Return everything that `read_language_features` needs, as plain values."""
        return {"kind": self.kind, "ends": self.ends, "lines": self.lines, "tokens": self.tokens.to_json()}

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> "LanguageFeatures":
        """Return features from the result of `to_json`."""
        return cls(read_tokens(described["tokens"]), ends=described["ends"], lines=described["lines"])


class FrameFeatures:
    """Pieces of music as frames: the notes that sound in each, (frames, notes) of 0 and 1; the first from silence.

    Args:
        lowest, highest: the range of notes, as MIDI numbers them; 21 to 108 is a piano's.
    """

    kind: ClassVar[str] = "frames"
    reads: ClassVar[Literal["text", "step"]] = "step"
    unit: ClassVar[str] = "frame"
    level: ClassVar[str] = "notes"
    ends: ClassVar[bool] = False

    def __init__(self, lowest: int = _PIANO[0], highest: int = _PIANO[1]) -> None:
        for value in (lowest, highest):
            check_whole("a note", value, at_least=0, at_most=_MOST_NOTES - 1)
        if lowest > highest:
            raise ConfigError(f"the lowest note must not be above the highest; got {lowest} and {highest}")
        self.lowest, self.highest = int(lowest), int(highest)

    @classmethod
    def fit(cls, pieces: Iterable[Sequence[Sequence[int]]]) -> "FrameFeatures":
        """Return features for the notes of a piano, or for more if the pieces have more."""
        notes = {note for piece in pieces for frame in piece for note in frame}
        return cls(min([_PIANO[0], *notes]), max([_PIANO[1], *notes]))

    @property
    def first(self) -> NDArray[np.float32]:
        """What the first step reads: silence."""
        return np.zeros(self.size, np.float32)

    @property
    def size(self) -> int:
        """Number of notes."""
        return self.highest - self.lowest + 1

    def checked(self, inputs: Any) -> list[list[list[int]]]:
        """Return pieces as lists of frames, which are lists of notes; DataError if they are none."""
        if isinstance(inputs, str | bytes) or not hasattr(inputs, "__iter__"):
            raise DataError(f"pieces must be lists of frames, such as [[60, 64], [62]]; got {inputs!r:.60}")
        return [[self._frame(frame) for frame in _list(piece, "a piece")] for piece in inputs]

    def piece(self, item: Sequence[int]) -> NDArray[np.float32]:
        """Return one frame, (1, notes)."""
        return self._rows([self._frame(item)])

    def read(self, pieces: Any) -> Sequences:
        """Return the frames of pieces; errors as `checked`."""
        parts = [self._rows(piece) for piece in self.checked(pieces)]
        offsets = np.cumsum([0, *map(len, parts)])
        return Sequences(np.concatenate([np.zeros((0, self.size), np.float32), *parts]), offsets)

    def names(self, frames: NDArray[np.float32]) -> list[str]:
        """Return each frame as its notes, such as "60 64"."""
        return [" ".join(str(self.lowest + int(note)) for note in np.flatnonzero(frame)) for frame in frames]

    def output_names(self, outputs: Sequence[int]) -> list[str]:
        """Return what each output of the head stands for: a note."""
        return [str(self.lowest + output) for output in outputs]

    def notes(self, frame: NDArray[np.float32]) -> list[int]:
        """Return the notes of a frame (notes,)."""
        return [self.lowest + int(note) for note in np.flatnonzero(frame)]

    def to_json(self) -> dict[str, Any]:
        """Return everything that `read_language_features` needs, as plain values."""
        return {"kind": self.kind, "lowest": self.lowest, "highest": self.highest}

    def _frame(self, frame: Any) -> list[int]:
        notes = _list(frame, "a frame")
        for note in notes:
            if isinstance(note, bool) or not isinstance(note, int | np.integer):
                raise DataError(f"a frame must be a list of notes, whole numbers such as 60; got {note!r:.40}")
            if not self.lowest <= note <= self.highest:
                raise DataError(f"notes must be from {self.lowest} to {self.highest}, as in training; got {note}")
        return [int(note) for note in notes]

    def _rows(self, piece: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        rows = np.zeros((len(piece), self.size), np.float32)
        for row, frame in zip(rows, piece, strict=True):
            row[[note - self.lowest for note in frame]] = 1
        return rows


def read_language_features(described: Mapping[str, Any]) -> LanguageFeatures | FrameFeatures:
    """Read features from the result of their `to_json`.

    Raises:
        ConfigError: the description is of another kind, or has missing or unknown entries.
    """
    known = {"language": {"ends", "lines", "tokens"}, "frames": {"lowest", "highest"}}
    kind = described.get("kind") if isinstance(described, Mapping) else None
    if kind not in known or set(described) != known[kind] | {"kind"}:
        raise ConfigError(f"features of a language model must be of kind {' or '.join(known)}; got {described!r:.80}")
    if kind == "frames":
        return FrameFeatures(described["lowest"], described["highest"])
    return LanguageFeatures.from_json(described)


def _list(values: Any, what: str) -> list[Any]:
    if not isinstance(values, list | tuple | np.ndarray):
        raise DataError(f"{what} must be a list; got {type(values).__name__}")
    return list(values)
