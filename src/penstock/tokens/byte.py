"""Bytes of UTF-8 as tokens: nothing is unknown, and the vocabulary is always the same."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.tokens.decoder import BytesDecoder
from penstock.tokens.level import SPECIAL, Tokens

__all__ = ["ByteTokens"]

_BYTES = tuple(chr(byte) if 0x20 < byte < 0x7F else f"0x{byte:02x}" for byte in range(256))


class ByteTokens(Tokens):
    """Tokens that are the bytes of a text in UTF-8.

    Examples:
        >>> tokens = ByteTokens()
        >>> tokens.decode(tokens.encode("né"))
        'né'
    """

    level: ClassVar[str] = "byte"

    def __init__(self, vocabulary: Sequence[str] = _BYTES) -> None:
        super().__init__(vocabulary)
        if self.vocabulary != _BYTES:
            raise ConfigError("the vocabulary of byte tokens must be the 256 bytes in order")

    @classmethod
    def train(cls, texts: Iterable[str], *, max_vocabulary: int = 30_000, min_count: int = 1) -> Self:
        """Return the tokens, which no text and no limit changes."""
        return cls()

    def ids(self, text: str) -> NDArray[np.int32]:
        """Return an id for each byte; half a surrogate pair counts as a question mark."""
        return np.frombuffer(text.encode("utf-8", "replace"), np.uint8).astype(np.int32) + len(SPECIAL)

    def decoder(self) -> BytesDecoder:
        """Return a decoder."""
        return BytesDecoder([b""] * len(SPECIAL) + [bytes([byte]) for byte in range(256)])
