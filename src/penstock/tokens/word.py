"""Words as tokens: what stands between white space, or the tokens of `tokens.spelling`."""

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_one_of
from penstock.tokens.counting import WordCounts
from penstock.tokens.decoder import WordDecoder
from penstock.tokens.level import END, SPECIAL, UNKNOWN, Tokens, frequent
from penstock.tokens.spelling import tokenize

__all__ = ["WordTokens"]

_SPLITS = ("space", "text")
_WORDS_AND_BREAKS = re.compile(r"\n|\S+")


class WordTokens(Tokens):
    """Tokens that are words.

    Args:
        vocabulary: the words.
        split: "space": words stand between white space, as in files whose words were separated before (Penn Treebank);
            the end of a line is the end token, and the word `<unk>` the unknown one. "text": lower-case words and marks
            as `TextClassifier` reads them; ends of lines are no tokens.

    Examples:
        >>> tokens = WordTokens.train(["the cat sat", "the dog sat"])
        >>> tokens.decode(tokens.encode("the bird sat"))
        'the <unk> sat'
    """

    level: ClassVar[str] = "word"
    options: ClassVar[tuple[str, ...]] = ("split",)

    def __init__(self, vocabulary: Sequence[str], split: str = "space") -> None:
        super().__init__(vocabulary)
        check_one_of("split", split, _SPLITS)
        self.split = split
        if split == "space":
            self._ids |= {"\n": END, SPECIAL[UNKNOWN]: UNKNOWN}

    @classmethod
    def train(
        cls, texts: Iterable[str], *, max_vocabulary: int = 30_000, min_count: int = 1, split: str = "space"
    ) -> Self:
        """Learn the words of texts; see the class for `split`, and `tokens.counting` for more than a million words."""
        words = WordCounts()
        for text in texts:
            words.add(tokenize(text) if split == "text" else text.split())
        if split == "space":
            words.counts.pop(SPECIAL[UNKNOWN], None)
        return cls(frequent(words.counts, max_vocabulary, min_count), split)

    def ids(self, text: str) -> NDArray[np.int32]:
        """Return an id for each word, and if split at white space for each line break."""
        words = tokenize(text) if self.split == "text" else _WORDS_AND_BREAKS.findall(text)
        return np.fromiter((self._ids.get(word, UNKNOWN) for word in words), np.int32)

    def decoder(self) -> WordDecoder:
        """Return a decoder: a space between words, a line break for the end token."""
        return WordDecoder([SPECIAL[UNKNOWN], "", "\n", *self.vocabulary])
