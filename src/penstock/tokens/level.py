"""What all levels of tokens share: special tokens, ids of many texts, names, JSON."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DtypeError
from penstock.sequences import Sequences
from penstock.tokens.decoder import Decoder

__all__ = ["BEGIN", "END", "SPECIAL", "UNKNOWN", "Tokens", "frequent"]

SPECIAL = ("<unk>", "<s>", "</s>")
"""Names of the tokens that every level has: the unknown one, the begin and the end of a text."""

UNKNOWN, BEGIN, END = range(len(SPECIAL))


class Tokens(ABC):
    """Tokens of one level, learned from texts: a text becomes ids, and ids become a text.

    Ids 0, 1 and 2 stand for an unknown token, the begin and the end of a text; the vocabulary's ids follow. The end of
    a piece of text ends a token.

    Args:
        vocabulary: the tokens besides the special ones, in the order of their ids.

    Raises:
        ConfigError: the vocabulary has a duplicate, or something that is no token of this level.
    """

    level: ClassVar[str]
    """Name of the level."""

    options: ClassVar[tuple[str, ...]] = ()
    """Further arguments of the class, which the bundle holds too."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        if not isinstance(vocabulary, list | tuple) or not all(isinstance(token, str) for token in vocabulary):
            raise ConfigError(f"the vocabulary of {self.level} tokens must be a list of tokens")
        self.vocabulary = tuple(vocabulary)
        self._ids = {token: position for position, token in enumerate(vocabulary, start=len(SPECIAL))}
        if len(self._ids) != len(self.vocabulary):
            raise ConfigError(f"the vocabulary of {self.level} tokens has a duplicate token")

    @classmethod
    @abstractmethod
    def train(cls, texts: Iterable[str], *, max_vocabulary: int = 30_000, min_count: int = 1) -> Self:
        """Learn the tokens from texts.

        Args:
            texts: the training texts; read once.
            max_vocabulary: maximum number of tokens besides the special ones; the most frequent are kept.
            min_count: minimum number of occurrences of a token.
        """

    @abstractmethod
    def ids(self, text: str) -> NDArray[np.int32]:
        """Return the ids of a str; `encode` checks its argument first."""

    @abstractmethod
    def decoder(self) -> Decoder:
        """Return a decoder for ids that arrive one by one."""

    def __len__(self) -> int:
        """Number of ids, with the special ones: the rows of an embedding."""
        return len(SPECIAL) + len(self.vocabulary)

    def encode(self, text: str) -> NDArray[np.int32]:
        """Return the ids of a text's tokens, (tokens,) int32.

        Raises:
            DtypeError: the text is not a str.
        """
        if not isinstance(text, str):
            raise DtypeError(f"texts must be str; got {type(text).__name__}. Leave missing texts out.")
        return self.ids(text)

    def encode_all(self, texts: Iterable[str], *, begin: bool = False, end: bool = False) -> Sequences:
        """Return the ids of several texts, each after a begin and before an end where asked.

        Raises:
            DtypeError: the texts are a single str, or one of them is no str.
        """
        if isinstance(texts, str):
            raise DtypeError(f"texts must be a list of texts; got a single text {texts[:40]!r}. Put it into a list.")
        first, last = [[BEGIN]] * begin, [[END]] * end
        return Sequences.from_list((np.concatenate([*first, self.encode(text), *last]) for text in texts), np.int32)

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids; what the text of these tokens alone does not say (spaces between words) is usual."""
        decoder = self.decoder()
        return decoder.push(ids) + decoder.finish()

    def names(self, ids: Iterable[int]) -> list[str]:
        """Return each token as a person reads it; a special one by its name."""
        names = [*SPECIAL, *self.vocabulary]
        return [names[position] for position in ids]

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        described = {"level": self.level, "vocabulary": list(self.vocabulary)}
        return described | {name: getattr(self, name) for name in self.options}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read tokens from the result of `to_json`.

        Raises:
            ConfigError: the description is of another level, or has missing, unknown or unfit entries.
        """
        if not isinstance(data, Mapping) or data.get("level") != cls.level:
            raise ConfigError(f"tokens must be of level {cls.level!r}; got {data!r:.80}")
        expected = {"level", "vocabulary", *cls.options}
        if set(data) != expected:
            raise ConfigError(
                f"{cls.level} tokens have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}"
            )
        try:
            return cls(**{name: value for name, value in data.items() if name != "level"})
        except TypeError as error:  # a list is something else
            raise ConfigError(f"{cls.level} tokens can't be read: {error}") from error


def frequent(counts: Counter[str], max_vocabulary: int, min_count: int) -> list[str]:
    """Return the most frequent tokens; equally frequent ones are in the order of their characters."""
    ordered = sorted((-count, token) for token, count in counts.items() if count >= min_count)
    return [token for _, token in ordered[:max_vocabulary]]
