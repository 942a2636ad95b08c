"""Texts of ids that arrive one by one, as while a text is generated."""

import codecs
from collections.abc import Iterable, Sequence
from typing import Protocol

__all__ = ["BytesDecoder", "Decoder", "WordDecoder"]


class Decoder(Protocol):
    """Turns ids into text, piece by piece: the pieces joined are the text of all ids.

    Attributes:
        memory: what the next ids' text depends on, a few bytes; may be set, to go on where another decoder stopped.
    """

    memory: bytes

    def push(self, ids: Iterable[int]) -> str:
        """Return the text that is certain after these ids."""

    def finish(self) -> str:
        """Return what is left of the text."""


class BytesDecoder:
    """Decoder of tokens that stand for bytes of UTF-8; bytes that are no UTF-8 become U+FFFD.

    Args:
        spelled: the bytes of each id.

    Attributes:
        spelled: the same.
    """

    def __init__(self, spelled: Sequence[bytes]) -> None:
        self.spelled = spelled
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def memory(self) -> bytes:
        """The first bytes of a character that is not complete yet."""
        return self._characters.getstate()[0]

    @memory.setter
    def memory(self, value: bytes) -> None:
        self._characters.setstate((value, 0))

    def push(self, ids: Iterable[int]) -> str:
        """Return the characters that are complete after these ids."""
        return self._characters.decode(b"".join(self.spelled[position] for position in ids))

    def finish(self) -> str:
        """Return U+FFFD for an incomplete character, else nothing."""
        rest = self._characters.decode(b"", final=True)
        self._characters.reset()
        return rest


class WordDecoder:
    """Decoder of words: a space before each, except at the begin of a line.

    Args:
        spelled: the word of each id; a line break for the id that ends a line.
    """

    def __init__(self, spelled: Sequence[str]) -> None:
        self.spelled = spelled
        self.memory = b""  # b" " inside a line

    def push(self, ids: Iterable[int]) -> str:
        """Return the words."""
        parts = []
        for word in (self.spelled[position] for position in ids):
            if word == "\n":
                parts.append(word)
                self.memory = b""
            elif word:
                parts.append(f" {word}" if self.memory else word)
                self.memory = b" "
        return "".join(parts)

    def finish(self) -> str:
        """Return nothing: each word was complete."""
        self.memory = b""
        return ""
