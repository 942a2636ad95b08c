"""Conversion of texts to ids by tokens that are learned already: those of a language model."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from penstock.checks import check_whole
from penstock.errors import ConfigError
from penstock.sequences import Sequences
from penstock.text.features import TextFeatures
from penstock.tokens import UNKNOWN, Tokens, read_tokens

__all__ = ["TokenFeatures", "read_text_features"]

_UNITS = {"char": "character", "byte": "byte", "word": "word", "bpe": "token"}


class TokenFeatures:
    """Converts texts to ids of given tokens, of any level; it learns nothing from texts.

    Args:
        tokens: the tokens.
        max_length: number of tokens of a text that training reads; predictions read the whole text.
    """

    kind: ClassVar[str] = "text-tokens"

    def __init__(self, tokens: Tokens, *, max_length: int = 256) -> None:
        self.tokens, self.max_length = tokens, check_whole("max_length", max_length, at_least=1)

    @property
    def vocabulary_size(self) -> int:
        """Number of ids: the rows of an embedding."""
        return len(self.tokens)

    def apply(self, texts: Iterable[str], *, max_length: int | None = None) -> Sequences:
        """Return the ids of each text's tokens, int32, of at most `max_length` tokens if given."""
        whole = self.tokens.encode_all(texts)
        return whole if max_length is None else Sequences.from_list([ids[:max_length] for ids in whole], np.int32)

    def apply_unknown(self, texts: Iterable[str], *, max_length: int | None = None) -> Sequences:
        """As `apply`, but with the id of the unknown token for each."""
        found = self.apply(texts, max_length=max_length)
        return Sequences(np.full_like(found.values, UNKNOWN), found.offsets)

    def training(self, texts: Iterable[str]) -> tuple[Sequences, np.ndarray]:
        """Return what training reads, as `TextFeatures.training`; the second id is that of the unknown token."""
        whole = self.tokens.encode_all(texts)
        cut = Sequences.from_list([ids[: self.max_length] for ids in whole], np.int32)
        return Sequences(np.stack([cut.values, np.full_like(cut.values, UNKNOWN)], axis=1), cut.offsets), whole.lengths

    def lengths(self, texts: Iterable[str]) -> np.ndarray:
        """Return the number of tokens of each text, (texts,) int64."""
        return self.tokens.encode_all(texts).lengths

    def spelled(self, text: str) -> tuple[list[str], list[str]]:
        """Return the tokens of a text, and what stands between them: a space between words, else nothing."""
        names = self.tokens.names(self.tokens.encode(text).tolist())
        between = " " if self.tokens.level == "word" else ""
        return names, ["", *[between] * (len(names) - 1), ""] if names else [""]

    def unit(self, tokens: Sequence[str]) -> str:
        """Return what a token is, for a person."""
        return _UNITS[self.tokens.level]

    def stream(self) -> "TokenPieces":
        """Return a converter for a text that arrives piece by piece."""
        return TokenPieces(self.tokens)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        return {"kind": self.kind, "max_length": self.max_length, "tokens": self.tokens.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TokenFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing or unknown entries.
            MissingExtraError: the tokens need a package that is not installed.
        """
        if set(data) != {"kind", "max_length", "tokens"} or data["kind"] != cls.kind:
            raise ConfigError(f"features of kind {cls.kind!r} have max_length and tokens; got {data!r:.80}")
        return cls(read_tokens(data["tokens"]), max_length=data["max_length"])


class TokenPieces:
    """Converts a text that arrives piece by piece. It has no memory: the end of a piece ends a token."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def push(self, piece: str) -> np.ndarray:
        """Return the ids (tokens,) of the next piece; DtypeError if it is not a str."""
        return self._tokens.encode(piece)

    def finish(self) -> np.ndarray:
        """Return no ids, (0,)."""
        return np.zeros(0, np.int32)

    def reset(self) -> None:
        """Do nothing: there is no memory."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Empty: there is no memory."""
        return {}


def read_text_features(data: Mapping[str, Any]) -> TextFeatures | TokenFeatures:
    """Read features of texts, of either kind, from the result of their `to_json`; errors as `from_json` of each."""
    of_tokens = isinstance(data, Mapping) and data.get("kind") == TokenFeatures.kind
    return TokenFeatures.from_json(data) if of_tokens else TextFeatures.from_json(data)
