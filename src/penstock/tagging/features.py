"""Conversion of sentences to ids: of their words, and of the characters of each word."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.errors import ConfigError, DtypeError, NotFittedError
from penstock.sequences import Sequences
from penstock.tagging.pairs import EDGE, TokenPairs
from penstock.tagging.schemes import SCHEMES, Scheme

__all__ = ["TokenFeatures"]

Ids = NDArray[np.int32]
_OPTIONS = (
    "min_count",
    "max_vocabulary",
    "normalize",
    "spelling",
    "max_word_length",
    "neighbours",
    "min_pair_count",
)
_WITHOUT_PAIRS: dict[str, Any] = {"neighbours": 0, "min_pair_count": 1, "pairs": []}
"""What features of earlier versions lack."""
_LONGER_SHARE = 0.01
"""Tokens of more than one character that sentences of characters may have, such as numbers and broken symbols."""
_DIGIT = re.compile(r"\d")
_UNKNOWN_CHARACTER = 1  # 0 is what stands past a word's end


class TokenFeatures:
    """Converts sentences, lists of tokens, to a row of ids for each token: the word's, its pairs', its characters'.

    The id of an unknown word is 0, and so is that of an unknown pair; that of an unknown character is 1, and 0 stands
    past the end of a word.

    Args:
        min_count: minimum number of occurrences in the training sentences for a word to be known.
        max_vocabulary: maximum number of known words; the most frequent are kept.
        normalize: whether words are looked up in lower case with all digits made 0; characters keep their case.
        spelling: whether characters are read at all.
        max_word_length: number of characters of a token that are read; the rest is cut.
        neighbours: where tokens are characters, those with which each is also read as a pair: 1 for the one before it,
            2 also for the one after it, 0 for none.
        min_pair_count: minimum number of occurrences of a pair to be known; at most `max_vocabulary` are.
        scheme: how tags mark chunks, for the words of predictions; None if they don't.
    """

    kind: ClassVar[str] = "tokens"

    def __init__(
        self,
        *,
        min_count: int = 1,
        max_vocabulary: int = 100_000,
        normalize: bool = True,
        spelling: bool = True,
        max_word_length: int = 40,
        neighbours: int = 0,
        min_pair_count: int = 1,
        scheme: Scheme | None = None,
    ) -> None:
        counts = {"min_count": min_count, "max_vocabulary": max_vocabulary, "max_word_length": max_word_length}
        if neighbours not in (0, 1, 2):
            raise ConfigError(f"neighbours must be 0, 1 or 2; got {neighbours!r}")
        for name, value in (counts | {"min_pair_count": min_pair_count}).items():
            check_whole(name, value, at_least=1)
        for name, value in {"normalize": normalize, "spelling": spelling}.items():
            if not isinstance(value, bool | np.bool_):
                raise ConfigError(f"{name} must be True or False; got {value!r}")
        self.min_count, self.max_vocabulary = int(min_count), int(max_vocabulary)
        self.max_word_length = int(max_word_length)
        self.normalize, self.spelling = bool(normalize), bool(spelling)
        self.neighbours, self.min_pair_count = int(neighbours), int(min_pair_count)
        self.scheme = scheme
        self.by_character = False
        self._pairs = TokenPairs()
        self._words: dict[str, int] | None = None
        self._characters: dict[str, int] = {}

    @property
    def vocabulary(self) -> dict[str, int]:
        """Word, as it is looked up, to id, from 1, the most frequent first."""
        if self._words is None:
            raise NotFittedError("these TokenFeatures have no vocabulary yet: call fit(sentences) first")
        return self._words

    @property
    def vocabulary_size(self) -> int:
        """Number of ids of words, with the 0."""
        return 1 + len(self.vocabulary)

    @property
    def alphabet_size(self) -> int:
        """Number of ids of characters, with the 0 and the 1; 0 if characters are not read."""
        return 2 + len(self._characters) if self.spelling else 0

    @property
    def pair_count(self) -> int:
        """Number of ids of pairs, with the 0; 0 if pairs are not read."""
        return 1 + len(self._pairs.codes) if self.neighbours else 0

    def fit(self, sentences: Iterable[Sequence[str]], vocabulary: Sequence[str] | None = None) -> "TokenFeatures":
        """Fit the vocabulary to the training sentences; equally frequent words are in alphabetical order.

        If tokens are characters, but for one in a hundred, a text is read by character from now on, otherwise by white
        space. The characters of a token are then not read besides, and its pairs are; otherwise pairs are not.

        Args:
            sentences: the training sentences.
            vocabulary: the words to know instead of the frequent ones, in the order of their ids.
        """
        sentences = list(sentences)
        tokens = Counter(chain.from_iterable(sentences))
        words: Counter[str] = Counter()
        characters: Counter[str] = Counter()
        for token, count in tokens.items():
            words[self.looked_up(token)] += count
            for character in token[: self.max_word_length]:
                characters[character] += count
        frequent = sorted((-count, word) for word, count in words.items() if count >= self.min_count)
        known = [word for _, word in frequent[: self.max_vocabulary]] if vocabulary is None else vocabulary
        self._words = {word: rank for rank, word in enumerate(known, start=1)}
        longer = sum(count for token, count in tokens.items() if len(token) > 1)
        self.by_character = bool(tokens) and longer <= _LONGER_SHARE * tokens.total()
        self.spelling = self.spelling and not self.by_character
        self.neighbours = self.neighbours if self.by_character else 0
        if self.neighbours:
            ids = self._words_and_spellings(chain.from_iterable(sentences))[:, 0]
            spans, most = np.cumsum([0, *map(len, sentences)], dtype=np.int64), self.max_vocabulary
            self._pairs = TokenPairs.fit(Sequences(ids, spans), min_count=self.min_pair_count, most=most)
        if self.spelling:
            letters = sorted((-count, character) for character, count in characters.items())
            first = _UNKNOWN_CHARACTER + 1
            self._characters = {character: place for place, (_, character) in enumerate(letters, start=first)}
        return self

    def know(self, words: Iterable[str]) -> None:
        """Give ids to further words, which did not occur in the training sentences."""
        known = self.vocabulary
        for word in words:
            known.setdefault(word, len(known) + 1)

    def reads(self, word: str) -> bool:
        """Whether a token can be looked up as this word."""
        return self.looked_up(word) == word

    def looked_up(self, token: str) -> str:
        """Return a token as it stands in the vocabulary."""
        return _DIGIT.sub("0", token.lower()) if self.normalize else token

    def tokens(self, text: str) -> list[str]:
        """Split a text as the training sentences were: by white space, or into characters without white space."""
        return list("".join(text.split())) if self.by_character else text.split()

    def apply(self, sentences: Iterable[Sequence[str]]) -> Sequences:
        """Return the ids of each sentence's tokens, (tokens, 1 + neighbours + longest spelling) int32."""
        several = list(sentences)
        offsets = np.cumsum([0, *map(len, several)], dtype=np.int64)
        rows = self._words_and_spellings(chain.from_iterable(several))
        return Sequences(self._paired(rows, offsets), offsets)

    def rows(self, tokens: Sequence[str], before: int = EDGE) -> Ids:
        """Return the ids of the tokens of a sentence, as `apply`.

        Args:
            tokens: the tokens.
            before: the id of the word before them; EDGE at the start of the sentence.
        """
        rows = self._words_and_spellings(tokens)
        return self._paired(rows, np.array([0, len(rows)]), before)

    def _words_and_spellings(self, tokens: Iterable[str]) -> Ids:
        """Return the ids of tokens without their pairs, (tokens, 1 + longest spelling)."""
        numbers: dict[str, int] = {}
        which = [numbers.setdefault(token, len(numbers)) for token in tokens]
        longest = max((min(len(token), self.max_word_length) for token in numbers), default=0)
        table = np.zeros((len(numbers), 1 + longest * self.spelling), np.int32)
        words, characters = self.vocabulary, self._characters
        for row, token in zip(table, numbers, strict=True):
            row[0] = words.get(self.looked_up(token), 0)
            if self.spelling:
                spelled = [characters.get(each, _UNKNOWN_CHARACTER) for each in token[: self.max_word_length]]
                row[1 : 1 + len(spelled)] = spelled
        return table[np.array(which, np.int64)]

    def _paired(self, rows: Ids, offsets: NDArray[np.int64], before: int = EDGE) -> Ids:
        """Put the ids of the pairs of the tokens of sentences between those of the words and the spellings."""
        if not self.neighbours:
            return rows
        pairs = self._pairs.columns(Sequences(rows[:, 0], offsets), self.neighbours, before)
        return np.concatenate([rows[:, :1], pairs, rows[:, 1:]], axis=1)

    def cut(self, sentences: Iterable[Sequence[str]]) -> int:
        """Count the tokens that are longer than what is read of them."""
        return sum(len(token) > self.max_word_length for token in chain.from_iterable(sentences) if self.spelling)

    def stream(self) -> "TokenPieces":
        """Return a converter for tokens that arrive piece by piece."""
        return TokenPieces(self)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        scheme = None if self.scheme is None else {"name": self.scheme.name, "separator": self.scheme.separator}
        return {
            "kind": self.kind,
            **{name: getattr(self, name) for name in _OPTIONS},
            "scheme": scheme,
            "by_character": self.by_character,
            "vocabulary": list(self.vocabulary),
            "characters": list(self._characters),
            "pairs": self._pairs.codes.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TokenFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing, unknown or invalid entries.
        """
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        data = {**_WITHOUT_PAIRS, **data}
        expected = {"kind", "scheme", "by_character", "vocabulary", "characters", "pairs", *_OPTIONS}
        if set(data) != expected:
            raise ConfigError(
                f"features of tokens have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}"
            )
        for name in ("vocabulary", "characters"):
            if not isinstance(data[name], list) or not all(isinstance(each, str) for each in data[name]):
                raise ConfigError(f"the {name} of features of tokens must be a list of str")
            if len(set(data[name])) != len(data[name]):
                raise ConfigError(f"the {name} of features of tokens has a duplicate")
        if not isinstance(data["by_character"], bool):
            raise ConfigError(f"by_character must be true or false; got {data['by_character']!r:.40}")
        features = cls(**{name: data[name] for name in _OPTIONS}, scheme=_scheme(data["scheme"]))
        features.by_character = data["by_character"]
        features._words = {word: place for place, word in enumerate(data["vocabulary"], start=1)}
        first = _UNKNOWN_CHARACTER + 1
        features._characters = {each: place for place, each in enumerate(data["characters"], start=first)}
        if not isinstance(data["pairs"], list):
            raise ConfigError(f"the pairs of features of tokens must be a list; got {data['pairs']!r:.40}")
        features._pairs = TokenPairs(data["pairs"])
        return features


class TokenPieces:
    """Converts tokens that arrive piece by piece; it remembers the last one, if it is read as part of a pair."""

    def __init__(self, features: TokenFeatures) -> None:
        self._features = features
        self._last = np.full(1, EDGE, np.int64)

    def push(self, piece: str | Sequence[str]) -> Ids:
        """Return the ids of the next tokens: a list of tokens, or a text, which `TokenFeatures.tokens` splits.

        Raises:
            DtypeError: the piece is neither.
        """
        tokens = self._features.tokens(piece) if isinstance(piece, str) else piece
        if not isinstance(tokens, list | tuple) or not all(isinstance(token, str) for token in tokens):
            raise DtypeError(f"a piece must be text (str) or a list of tokens (str); got {piece!r:.60}")
        rows = self._features.rows(tokens, int(self._last[0]))
        if len(rows):
            self._last[0] = rows[-1, 0]
        return rows

    def finish(self) -> Ids:
        """Return no ids."""
        return self._features.rows([])

    def reset(self) -> None:
        """Forget the last token."""
        self._last[0] = EDGE

    def arrays(self) -> dict[str, np.ndarray]:
        """The memory: the id of the last token."""
        return {"last": self._last} if self._features.neighbours else {}


def _scheme(described: Any) -> Scheme | None:
    if described is None:
        return None
    fits = isinstance(described, Mapping) and set(described) == {"name", "separator"}
    if not fits or described["name"] not in SCHEMES or described["separator"] not in ("-", "_"):
        raise ConfigError(
            f"the scheme of features of tokens must have a known name and separator; got {described!r:.80}"
        )
    return Scheme(described["name"], SCHEMES[described["name"]].letters, described["separator"])
