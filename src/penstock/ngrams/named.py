"""N-grams of words or characters that are told by their names, as a decoder of speech looks them up."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError, DataError
from penstock.ngrams.backoff import NGrams
from penstock.ngrams.kneser_ney import fit_kneser_ney
from penstock.sequences import Sequences

__all__ = ["BEGIN_NAME", "END_NAME", "SPACE_NAME", "UNKNOWN_NAME", "NamedNGrams"]

UNKNOWN_NAME, END_NAME, BEGIN_NAME = "<unk>", "</s>", "<s>"
SPACE_NAME = "<space>"
"""The name of a blank in n-grams of characters, because names in ARPA files hold none."""
_UNKNOWN, _END = 0, 1
_CACHED = 100_000


class NamedNGrams:
    """A back-off model whose tokens have names: `<unk>`, `</s>`, words or characters, and last `<s>`.

    Args:
        names: of the ids that are predicted, `<unk>` and `</s>` first.
        arrays: of `NGrams`.

    Attributes:
        names: the same.
        model: the n-grams.
        characters: whether the tokens are single characters, `<space>` for a blank; words otherwise.

    Raises:
        BundleError: names and arrays do not match.

    Examples:
        >>> ngrams = NamedNGrams.fit(["turn it on", "turn it off"], order=2)
        >>> ngrams.log_prob(("turn",), "it") > ngrams.log_prob(("it",), "turn")
        True
    """

    def __init__(self, names: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> None:
        self.names, self.arrays = tuple(names), dict(arrays)
        self.model = NGrams(arrays)
        if self.model.vocabulary_size != len(names) or self.model.begin != len(names) or len(set(names)) != len(names):
            raise BundleError("the n-grams are damaged: each must have a name of its own. Make them again.")
        self._ids = {name: place for place, name in enumerate([*names, BEGIN_NAME])}
        own = self.names[2:]
        self.characters = bool(own) and all(len(name) == 1 or name == SPACE_NAME for name in own)
        self._looked_up = lru_cache(_CACHED)(self.model.log_prob)

    @classmethod
    def fit(cls, texts: Iterable[str], *, order: int = 3, characters: bool = False) -> "NamedNGrams":
        """Make n-grams from texts, with interpolated modified Kneser-Ney smoothing.

        Args:
            texts: a sentence each.
            order: number of tokens of the longest n-grams.
            characters: whether tokens are characters; words between whitespace otherwise.

        Raises:
            DataError: there is no word, or the order is less than 1.
        """
        if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
            raise DataError(f"the order of n-grams must be a whole number, at least 1; got {order!r:.40}")
        spelled = [cls.tokens(text, characters=characters) for text in texts]
        names = [UNKNOWN_NAME, END_NAME, *sorted({name for tokens in spelled for name in tokens} - {*_SPECIAL})]
        if len(names) == _END + 1:
            raise DataError("n-grams need texts with at least one word; got none")
        ids = {name: place for place, name in enumerate(names)}
        sequences = [[*(ids.get(name, _UNKNOWN) for name in tokens), _END] for tokens in spelled]
        return cls(names, fit_kneser_ney(Sequences.from_list(sequences, np.int64), len(names), order=int(order)))

    @staticmethod
    def tokens(text: str, *, characters: bool) -> list[str]:
        """Return the names of a text's tokens."""
        words = text.split()
        return [SPACE_NAME if each == " " else each for each in " ".join(words)] if characters else words

    @property
    def order(self) -> int:
        """Number of tokens of the longest n-grams."""
        return self.model.order

    def known(self, name: str) -> bool:
        """Whether a word or character has n-grams."""
        return self._ids.get(name, _UNKNOWN) != _UNKNOWN

    def log_prob(self, context: Sequence[str], name: str) -> float:
        """Return the natural logarithm of the probability of a token after others.

        Args:
            context: the names before it, `<s>` where the sentence begins.
            name: the token, `</s>` for the end of the sentence; `<unk>` stands for what is not known.
        """
        held = context[len(context) - self.order + 1 :] if len(context) >= self.order else context
        ids = tuple(self._ids.get(each, _UNKNOWN) for each in held)
        return self._looked_up(ids, self._ids.get(name, _UNKNOWN))

    def __reduce__(self) -> tuple[Any, ...]:
        return NamedNGrams, (self.names, self.arrays)


_SPECIAL = (UNKNOWN_NAME, END_NAME, BEGIN_NAME)
