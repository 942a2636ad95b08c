"""Conversion of texts to ids of tokens: words, marks, and single characters in scripts without spaces.

A line break always ends a token, and no token depends on text beyond one: the tokens of a stream's pieces are those of
the pieces joined by line breaks.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Any, ClassVar

import numpy as np

from penstock.errors import ConfigError, DtypeError, NotFittedError
from penstock.sequences import Sequences
from penstock.text.shapes import SHAPES, shape

__all__ = ["TextFeatures", "spell", "spell_with_gaps", "tokenize"]

# Scripts written without spaces, for use in a character class: Han with its numbers and iteration marks, Kana; letters
# of Thai, Lao, Myanmar and Khmer (vowel signs that are combining marks stay with their letter).
_UNSPACED = (
    "\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
    "\u0e01-\u0e30\u0e32\u0e33\u0e40-\u0e46\u0e81-\u0eb0\u0eb2\u0eb3\u0ebd-\u0ec6\u0edc-\u0edf"
    "\u1000-\u102a\u103f\u104e\u1050-\u1055\u105a-\u105d\u1061\u1065\u1066\u106e-\u1070\u1075-\u1081\u108e"
    "\u1780-\u17b3\u17d7\u17dc"
)
# Ranges of Unicode that contain all combining marks and invisible characters.
_WITH_MARKS = [(0, 0x3130), (0xA600, 0xAC00), (0xFB00, 0x10000), (0x10100, 0x12000), (0x13400, 0x13480)]
_WITH_MARKS += [(0x16A00, 0x17000), (0x1BC00, 0x1F000), (0xE0000, 0xE0200)]
# Equivalent to `_tokens` for ASCII text, and three times as fast.
_ASCII_TOKENS = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*|[!-/:-@\[-`{-~]")


@cache
def _tokens() -> re.Pattern[str]:
    """Pattern of one token, compiled at the first use, because it looks up the category of many characters."""
    marks, hidden = _characters("M"), _characters("C") + "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"
    letter = rf"[^\W_{_UNSPACED}]"
    skin, regional = "\U0001f3fb-\U0001f3ff", "\U0001f1e6-\U0001f1ff"
    # Words: an apostrophe, or an invisible joiner as in Persian, is part of a word only between two letters.
    word = rf"{letter}+(?:(?:[{marks}]+|['\u200c\u200d](?={letter})){letter}*)*"
    character = rf"[{_UNSPACED}][{marks}]*"
    flag = rf"[{regional}]{{2}}"
    # A pictograph with its variants, or several joined into one.
    mark = rf"[^\w\s{hidden}][{marks}{skin}]*(?:\u200d[^\w\s{hidden}][{marks}{skin}]*)*|_"
    return re.compile(f"{word}|{character}|{flag}|{mark}")


def _characters(category: str) -> str:
    """Return the assigned characters of a Unicode category, as ranges for a character class."""
    ranges: list[list[int]] = []
    for code in chain.from_iterable(range(*span) for span in _WITH_MARKS):
        kind = unicodedata.category(chr(code))
        if kind[0] == category and kind not in ("Cn", "Cs", "Co"):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


def tokenize(text: str) -> list[str]:
    """Split a text into tokens: NFC, lower case; words, numbers and marks.

    A word is letters, digits and combining marks, with apostrophes inside ("don't"). Each Han or Kana character
    is a token, and each letter with its signs in Thai, Lao, Khmer and Myanmar. Every other visible character is its own
    token ("3.5" gives three), a pictograph together with its variants. White space and control characters are
    dropped.
    """
    return [word.lower() for word in spell(text)]


def spell(text: str) -> list[str]:
    """Return the tokens with their original case."""
    pattern, plain = _pattern_for(text)
    return pattern.findall(plain)


def spell_with_gaps(text: str) -> tuple[list[str], list[str]]:
    """Return the tokens with their original case, and what stands before each and after the last one."""
    pattern, plain = _pattern_for(text)
    spans = [match.span() for match in pattern.finditer(plain)]
    edges = [0, *(edge for span in spans for edge in span), len(plain)]
    gaps = [plain[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2)]
    return [plain[start:end] for start, end in spans], gaps


def _pattern_for(text: str) -> tuple[re.Pattern[str], str]:
    """Return the pattern of tokens, and the text as it is matched."""
    if not isinstance(text, str):
        raise DtypeError(f"texts must be str; got {type(text).__name__}. Leave missing texts out.")
    if text.isascii():
        return _ASCII_TOKENS, text
    return _tokens(), unicodedata.normalize("NFC", text).replace("\u2019", "'").replace("\u00ad", "")


_OPTIONS = ("min_count", "max_vocabulary", "max_length", "word_shapes")


class TextFeatures:
    """Converts texts to ids of the tokens in the training texts; id 0 stands for every other token.

    With `word_shapes`, unknown tokens have ids by their spelling (see `text.shapes`), for shapes that occurred at least
    `min_count` times in the training texts.

    Args:
        min_count: minimum number of occurrences in the training texts for a token to have an id.
        max_vocabulary: maximum number of tokens with an id; the most frequent are kept.
        max_length: number of tokens of a text that `fit` and training read; predictions read the whole text.
        word_shapes: whether unknown tokens are distinguished by their spelling.
    """

    kind: ClassVar[str] = "text"

    def __init__(
        self, *, min_count: int = 2, max_vocabulary: int = 30_000, max_length: int = 256, word_shapes: bool = True
    ) -> None:
        for name, value in (
            ("min_count", min_count),
            ("max_vocabulary", max_vocabulary),
            ("max_length", max_length),
        ):
            if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
                raise ConfigError(f"{name} must be a whole number, at least 1; got {value!r}")
        self.min_count = int(min_count)
        self.max_vocabulary = int(max_vocabulary)
        self.max_length = int(max_length)
        if not isinstance(word_shapes, bool | np.bool_):
            raise ConfigError(f"word_shapes must be True or False; got {word_shapes!r}")
        self.word_shapes = bool(word_shapes)
        self._ids: dict[str, int] | None = None
        self._shapes: list[str] = []

    @property
    def vocabulary(self) -> dict[str, int]:
        """Token to id, from 1, the most frequent token first."""
        if self._ids is None:
            raise NotFittedError("these TextFeatures have no vocabulary yet: call fit(texts) first")
        return self._ids

    @property
    def shapes(self) -> dict[str, int]:
        """Shape of unknown tokens to id; the ids come after the vocabulary's."""
        return {each: position for position, each in enumerate(self._shapes, start=len(self.vocabulary) + 1)}

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, including 0: the rows of an embedding."""
        return 1 + len(self.vocabulary) + len(self._shapes)

    def fit(self, texts: Iterable[str]) -> "TextFeatures":
        """Fit the vocabulary to the training texts; equally frequent tokens are in alphabetical order."""
        counts: Counter[str] = Counter()
        for text in _several(texts):
            counts.update(spell(text)[: self.max_length])
        lowered: Counter[str] = Counter()
        for word, count in counts.items():
            lowered[word.lower()] += count
        frequent = sorted((-count, token) for token, count in lowered.items() if count >= self.min_count)
        self._ids = ids = {token: rank for rank, (_, token) in enumerate(frequent[: self.max_vocabulary], start=1)}
        unknown: Counter[str] = Counter()
        for word, count in counts.items():
            if word.lower() not in ids:
                unknown[shape(word)] += count
        self._shapes = [each for each in SHAPES if self.word_shapes and unknown[each] >= self.min_count]
        return self

    def apply(self, texts: Iterable[str], *, max_length: int | None = None) -> Sequences:
        """Return the ids of each text's tokens, int32, of at most `max_length` tokens if given."""
        ids, shapes = self.vocabulary, self.shapes
        return _sequences(_numbers(spell(text)[:max_length], ids, shapes) for text in _several(texts))

    def apply_unknown(self, texts: Iterable[str], *, max_length: int | None = None) -> Sequences:
        """As `apply`, but with the ids that the tokens would have if none were in the vocabulary."""
        shapes = self.shapes
        return _sequences(_numbers(spell(text)[:max_length], {}, shapes) for text in _several(texts))

    def stream(self) -> "TextPieces":
        """Return a converter for a text that arrives piece by piece."""
        return TextPieces(self)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        return {
            "kind": self.kind,
            "min_count": self.min_count,
            "max_vocabulary": self.max_vocabulary,
            "max_length": self.max_length,
            "word_shapes": self.word_shapes,
            "vocabulary": list(self.vocabulary),
            "shapes": self._shapes,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TextFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing or unknown entries.
        """
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        data = dict[str, Any](word_shapes=False, shapes=[]) | dict(data)  # early bundles have neither
        expected = {"kind", "vocabulary", "shapes", *_OPTIONS}
        if set(data) != expected:
            raise ConfigError(
                f"text features have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}"
            )
        tokens, shapes = data["vocabulary"], data["shapes"]
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise ConfigError("the vocabulary of text features must be a list of tokens")
        if len(set(tokens)) != len(tokens):
            raise ConfigError("the vocabulary of text features has a duplicate token")
        if not isinstance(shapes, list) or shapes != [each for each in SHAPES if each in shapes]:
            raise ConfigError(f"the shapes of text features must be some of {', '.join(SHAPES)}, in order")
        features = cls(**{name: data[name] for name in _OPTIONS})
        features._ids = {token: position for position, token in enumerate(tokens, start=1)}
        features._shapes = list(shapes)
        return features


class TextPieces:
    """Converts a text that arrives piece by piece. It has no memory: the end of a piece ends a token."""

    def __init__(self, features: TextFeatures) -> None:
        self._ids, self._shapes = features.vocabulary, features.shapes

    def push(self, piece: str) -> np.ndarray:
        """Return the ids (tokens,) of the next piece.

        Raises:
            DtypeError: the piece is not a str.
        """
        if not isinstance(piece, str):
            raise DtypeError(f"a piece must be text (str); got {type(piece).__name__}")
        return np.array(_numbers(spell(piece), self._ids, self._shapes), np.int32)

    def finish(self) -> np.ndarray:
        """Return no ids, (0,)."""
        return np.zeros(0, np.int32)

    def reset(self) -> None:
        """Do nothing: there is no memory."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Empty: there is no memory."""
        return {}


def _numbers(words: Iterable[str], ids: Mapping[str, int], shapes: Mapping[str, int]) -> list[int]:
    """Return the id of each word, or else of its shape, or else 0."""
    if not shapes:
        return [ids.get(word.lower(), 0) for word in words]
    return [ids.get(word.lower()) or shapes.get(shape(word), 0) for word in words]


def _sequences(parts: Iterable[list[int]]) -> Sequences:
    parts = list(parts)
    offsets = np.zeros(len(parts) + 1, np.int64)
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    return Sequences(np.fromiter(chain.from_iterable(parts), np.int32, count=offsets[-1]), offsets)


def _several(texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str):
        raise DtypeError(f"texts must be a list of texts; got a single text {texts[:40]!r}. Put it into a list.")
    return texts
