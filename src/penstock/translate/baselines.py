"""Baselines of translators, from arrays alone: word by word, copy, and the most frequent target."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError
from penstock.tokens.spelling import spell_with_gaps

__all__ = ["BASELINES", "TranslationBaselines", "joined", "pieces"]

BASELINES = ("ibm1", "copy", "most_frequent")
"""Word by word by IBM model 1 (Brown et al. 1993), the source as it is, and the training data's commonest target."""
_CHARACTER = re.compile(r"\S")


class TranslationBaselines:
    """The baselines saved with a translator, the best on the validation data first.

    Args:
        arrays: `order` int64, places in `BASELINES`; `characters` int64 (1,), whether words are single characters;
            `sources` and `targets` uint8, as many words in UTF-8 joined by newlines, each the most probable translation
            of the other; `most_frequent` uint8, a text in UTF-8.

    Raises:
        BundleError: arrays are missing or do not match each other.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        try:
            self.names = tuple(BASELINES[place] for place in arrays["order"])
            self._characters = bool(arrays["characters"][0])
            sources, targets = (_text(arrays[name]).split("\n") for name in ("sources", "targets"))
            self._most_frequent = _text(arrays["most_frequent"])
        except (KeyError, IndexError, UnicodeDecodeError) as error:
            raise BundleError(f"the baselines of the translator are damaged: {error}") from error
        if len(sources) != len(targets):
            raise BundleError(f"each source word needs one target word; got {len(sources)} and {len(targets)}")
        self._by_word = dict(zip(sources, targets, strict=True))

    def answers(self, name: str, sources: Sequence[str]) -> NDArray[Any]:
        """Return a baseline's translation of each source, (sources,) of str."""
        if name == "copy":
            return np.array(list(sources), object)
        if name == "most_frequent":
            return np.array([self._most_frequent] * len(sources), object)
        return np.array([self._word_by_word(source) for source in sources], object)

    def _word_by_word(self, source: str) -> str:
        """Translate each word on its own; unknown words and what stands between words stay."""
        words, gaps = pieces(source, characters=self._characters)
        return joined([self._by_word.get(word, word) for word in words], gaps)


def pieces(text: str, *, characters: bool) -> tuple[list[str], list[str]]:
    """Split a text into words, and what stands before each and after the last one.

    Args:
        text: the text.
        characters: whether each visible character is a word; otherwise words are those of `tokens.spelling`.
    """
    if not characters:
        return spell_with_gaps(text)
    spans = [match.span() for match in _CHARACTER.finditer(text)]
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    return [text[start:end] for start, end in spans], [
        text[edges[at] : edges[at + 1]] for at in range(0, len(edges), 2)
    ]


def joined(words: Sequence[str], gaps: Sequence[str]) -> str:
    """Return the text of words and what stands between them, as `pieces` gave it."""
    return gaps[0] + "".join(word + gap for word, gap in zip(words, gaps[1:], strict=True))


def _text(array: NDArray[Any]) -> str:
    return array.astype(np.uint8).tobytes().decode()
