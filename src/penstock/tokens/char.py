"""Characters as tokens: the code points of Unicode that occur in the training texts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.tokens.decoder import BytesDecoder
from penstock.tokens.level import SPECIAL, UNKNOWN, Tokens, frequent

__all__ = ["CharTokens"]

_AT_ONCE = 1 << 20
"""Characters that `ids` looks up at once: a bound on the memory that a large text needs beside its ids."""


class CharTokens(Tokens):
    """Tokens that are single characters; a text and its ids say the same, if all its characters are known.

    Examples:
        >>> tokens = CharTokens.train(["hello"])
        >>> tokens.decode(tokens.encode("hole"))
        'hole'
    """

    level: ClassVar[str] = "char"

    def __init__(self, vocabulary: Sequence[str]) -> None:
        super().__init__(vocabulary)
        if any(len(token) != 1 for token in self.vocabulary):
            raise ConfigError("the vocabulary of char tokens must be single characters")
        codes = [ord(token) for token in self.vocabulary]
        self._table = np.full(max(codes, default=0) + 2, UNKNOWN, np.int32)  # the last entry: all greater codes
        self._table[codes] = np.arange(len(SPECIAL), len(self))

    @classmethod
    def train(cls, texts: Iterable[str], *, max_vocabulary: int = 30_000, min_count: int = 1) -> Self:
        """Learn the characters of texts."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(text)
        for surrogate in [token for token in counts if "\ud800" <= token <= "\udfff"]:  # which no file can hold
            del counts[surrogate]
        return cls(frequent(counts, max_vocabulary, min_count))

    def ids(self, text: str) -> NDArray[np.int32]:
        """Return an id for each character."""
        found = np.empty(len(text), np.int32)
        for start in range(0, len(text), _AT_ONCE):
            part = text[start : start + _AT_ONCE].encode("utf-32-le", "surrogatepass")
            codes = np.minimum(np.frombuffer(part, "<u4"), len(self._table) - 1)
            found[start : start + len(codes)] = self._table[codes]
        return found

    def decoder(self) -> BytesDecoder:
        """Return a decoder; an unknown character becomes U+FFFD."""
        return BytesDecoder([b"\xef\xbf\xbd", b"", b"", *(token.encode() for token in self.vocabulary)])
