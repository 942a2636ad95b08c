"""Byte-pair encoding of UTF-8 as tokens (Sennrich et al. 2016; on bytes: Radford et al. 2019), by `tokenizers`."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, MissingExtraError
from penstock.tokens.decoder import BytesDecoder
from penstock.tokens.level import SPECIAL, Tokens

__all__ = ["BpeTokens"]

_AT_ONCE = 1 << 18
"""Characters that the library reads at once; it needs some 100 bytes for each token."""

_BETWEEN_LINES = re.compile(r"(?<=\S)(?=\n)")
"""Where a text may be cut without a change to its tokens: white space belongs to what follows it."""


def _letters() -> dict[str, int]:
    """Return the byte of each letter by which the library spells bytes: itself where Latin-1 can print it."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(256 + at): byte for at, byte in enumerate(others)}


_LETTERS = _letters()


class BpeTokens(Tokens):
    """Tokens that are frequent runs of bytes inside words, with the space before them; nothing is unknown.

    Needs `pip install 'penstock[bpe]'`.

    Args:
        vocabulary: the tokens, spelled by a letter for each byte as in the files of GPT-2.
        merges: pairs of tokens that become one, the first learned first.

    Examples:
        >>> tokens = BpeTokens.train(["the cat sat on the mat"] * 9, max_vocabulary=300)
        >>> tokens.names(tokens.encode("the mat"))
        ['the', ' mat']
    """

    level: ClassVar[str] = "bpe"
    options: ClassVar[tuple[str, ...]] = ("merges",)

    def __init__(self, vocabulary: Sequence[str], merges: Sequence[Sequence[str]]) -> None:
        super().__init__(vocabulary)
        if not set(_LETTERS) <= set(self.vocabulary) or not set("".join(self.vocabulary)) <= set(_LETTERS):
            raise ConfigError("the vocabulary of bpe tokens must have all 256 bytes, and nothing but bytes")
        pairs = [tuple(pair) for pair in merges]
        for pair in pairs:
            if len(pair) != 2 or not {*pair, "".join(pair)} <= set(self.vocabulary):
                raise ConfigError(f"a merge must be two tokens whose join is a token; got {pair!r:.80}")
        self.merges = [list(pair) for pair in pairs]
        self._spelled = [bytes(_LETTERS[letter] for letter in token) for token in self.vocabulary]
        library = _library()
        ids = {token: position for position, token in enumerate(self.vocabulary)}
        self._tokenizer = _empty(library.models.BPE(vocab=ids, merges=pairs))

    @classmethod
    def train(cls, texts: Iterable[str], *, max_vocabulary: int = 8_000, min_count: int = 2) -> Self:
        """Learn the most frequent pairs of texts, until there are `max_vocabulary` tokens.

        Raises:
            ConfigError: `max_vocabulary` is less than the 256 bytes.
        """
        if max_vocabulary < len(_LETTERS):
            raise ConfigError(f"max_vocabulary of bpe tokens must be at least 256, the bytes; got {max_vocabulary}")
        library = _library()
        tokenizer = _empty(library.models.BPE())
        trainer = library.trainers.BpeTrainer(
            vocab_size=max_vocabulary,
            min_frequency=min_count,
            initial_alphabet=sorted(_LETTERS),
            show_progress=False,
        )
        tokenizer.train_from_iterator((part for text in texts for part in _parts(text)), trainer)
        learned = _description(tokenizer)
        return cls(sorted(learned["vocab"], key=learned["vocab"].get), learned["merges"])

    def ids(self, text: str) -> NDArray[np.int32]:
        """Return the ids; half a surrogate pair counts as a question mark."""
        found = [self._tokenizer.encode(part).ids for part in _parts(text)]
        return np.concatenate([np.zeros(0, np.int32), *(np.array(each, np.int32) + len(SPECIAL) for each in found)])

    def decoder(self) -> BytesDecoder:
        """Return a decoder."""
        return BytesDecoder([b""] * len(SPECIAL) + self._spelled)

    def names(self, ids: Iterable[int]) -> list[str]:
        """Return the text of each token; bytes that are no whole character as U+FFFD."""
        spelled = [*SPECIAL, *(token.decode("utf-8", "replace") for token in self._spelled)]
        return [spelled[position] for position in ids]


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise MissingExtraError("byte-pair encoding needs tokenizers: pip install 'penstock[bpe]'") from error
    return tokenizers


def _empty(model: Any) -> Any:
    """Return a tokenizer of a model, without special tokens: ids of the special ones are ours."""
    library = _library()
    tokenizer = library.Tokenizer(model)
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    return tokenizer


def _description(tokenizer: Any) -> dict[str, Any]:
    return json.loads(tokenizer.to_str())["model"]


def _parts(text: str) -> Iterator[str]:
    """Cut a long text between lines."""
    text = text.encode("utf-8", "replace").decode()
    start = 0
    while len(text) - start > _AT_ONCE and (cut := _BETWEEN_LINES.search(text, start + _AT_ONCE)):
        yield text[start : cut.start()]
        start = cut.start()
    yield text[start:]
