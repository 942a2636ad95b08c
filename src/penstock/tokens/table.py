"""The table of levels of tokens."""

from collections.abc import Iterable, Mapping
from typing import Any

from penstock.checks import check_one_of
from penstock.errors import ConfigError
from penstock.tokens.bpe import BpeTokens
from penstock.tokens.byte import ByteTokens
from penstock.tokens.char import CharTokens
from penstock.tokens.level import Tokens
from penstock.tokens.word import WordTokens

__all__ = ["LEVELS", "read_tokens", "train_tokens"]

LEVELS: dict[str, type[Tokens]] = {kind.level: kind for kind in (CharTokens, ByteTokens, WordTokens, BpeTokens)}
"""All levels of tokens, by name."""


def train_tokens(level: str, texts: Iterable[str], **options: Any) -> Tokens:
    """Learn the tokens of a level from texts; options are those of the level's `train`.

    Raises:
        ConfigError: there is no such level.
        MissingExtraError: the level needs a package that is not installed.

    Examples:
        >>> train_tokens("char", ["hello"], max_vocabulary=3).vocabulary
        ('l', 'e', 'h')
    """
    return _class_of(level).train(texts, **options)


def read_tokens(data: Mapping[str, Any]) -> Tokens:
    """Read tokens from the result of their `to_json`.

    Raises:
        ConfigError: the description is of no level, or has missing or unknown entries.
        MissingExtraError: the level needs a package that is not installed.
    """
    if not isinstance(data, Mapping):
        raise ConfigError(f"tokens must be described by a mapping; got {data!r:.80}")
    return _class_of(data.get("level")).from_json(data)


def _class_of(level: Any) -> type[Tokens]:
    check_one_of("the level of tokens", level, LEVELS)
    return LEVELS[level]
