"""Conversion of texts to ids of tokens, learned from the training texts."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from penstock.checks import check_whole
from penstock.errors import ConfigError, DtypeError, NotFittedError
from penstock.pauses import pause
from penstock.sequences import Sequences
from penstock.tokens.counting import WordCounts
from penstock.tokens.shapes import SHAPES, shape
from penstock.tokens.spelling import in_pieces, spell, spell_with_gaps

__all__ = ["TextFeatures"]

_OPTIONS = ("min_count", "max_vocabulary", "max_length", "word_shapes")


class TextFeatures:
    """Converts texts to ids of the tokens in the training texts; id 0 stands for every other token.

    With `word_shapes`, unknown tokens have ids by their spelling (see `tokens.shapes`), for shapes that occurred at
    least `min_count` times in the training texts.

    Args:
        min_count: minimum number of occurrences in the training texts for a token to have an id.
        max_vocabulary: maximum number of tokens with an id; the most frequent are kept.
        max_length: number of tokens of a text that `fit` and training read; predictions read the whole text.
        word_shapes: whether unknown tokens are distinguished by their spelling.
    """

    kind: ClassVar[str] = "text"

    def __init__(
        self, *, min_count: int = 2, max_vocabulary: int = 30_000, max_length: int = 256, word_shapes: bool = True
    ) -> None:
        self.min_count = check_whole("min_count", min_count, at_least=1)
        self.max_vocabulary = check_whole("max_vocabulary", max_vocabulary, at_least=1)
        self.max_length = check_whole("max_length", max_length, at_least=1)
        if not isinstance(word_shapes, bool | np.bool_):
            raise ConfigError(f"word_shapes must be True or False; got {word_shapes!r}")
        self.word_shapes = bool(word_shapes)
        self._ids: dict[str, int] | None = None
        self._shapes: list[str] = []

    @property
    def vocabulary(self) -> dict[str, int]:
        """Token to id, from 1, the most frequent token first."""
        if self._ids is None:
            raise NotFittedError("these TextFeatures have no vocabulary yet: call fit(texts) first")
        return self._ids

    @property
    def shapes(self) -> dict[str, int]:
        """Shape of unknown tokens to id; the ids come after the vocabulary's."""
        return {each: position for position, each in enumerate(self._shapes, start=len(self.vocabulary) + 1)}

    @property
    def vocabulary_size(self) -> int:
        """Number of ids, including 0: the rows of an embedding."""
        return 1 + len(self.vocabulary) + len(self._shapes)

    def fit(self, texts: Iterable[str], vocabulary: Sequence[str] | None = None) -> "TextFeatures":
        """Fit the vocabulary to the training texts; equally frequent tokens are in alphabetical order.

        Counts of more than a million different spellings are approximate, see `tokens.counting`.

        Args:
            texts: the training texts; read once.
            vocabulary: the tokens to know instead of the frequent ones, in the order of their ids.
        """
        words = WordCounts()
        for text in _several(texts):
            words.add(spell(text)[: self.max_length])
        known = self._frequent(words.counts) if vocabulary is None else vocabulary
        self._ids = ids = {token: position for position, token in enumerate(known, start=1)}
        unknown = words.forgotten.copy()
        for word, count in words.counts.items():
            if word.lower() not in ids:
                unknown[shape(word)] += count
        self._shapes = [each for each in SHAPES if self.word_shapes and unknown[each] >= self.min_count]
        return self

    def know(self, tokens: Iterable[str]) -> None:
        """Give ids to further tokens, which did not occur in the training texts; shapes are left as they are."""
        ids = self.vocabulary
        for token in tokens:
            ids.setdefault(token, len(ids) + 1)

    def reads(self, token: str) -> bool:
        """Whether texts can have this token, as it is looked up."""
        return token == token.lower() and spell(token) == [token]

    def _frequent(self, counts: Mapping[str, int]) -> list[str]:
        """Return the tokens to know, given the number of occurrences of each spelling."""
        lowered: Counter[str] = Counter()
        for word, count in counts.items():
            lowered[word.lower()] += count
        frequent = sorted((-count, token) for token, count in lowered.items() if count >= self.min_count)
        return [token for _, token in frequent[: self.max_vocabulary]]

    def apply(self, texts: Iterable[str], *, max_length: int | None = None) -> Sequences:
        """Return the ids of each text's tokens, int32, of at most `max_length` tokens if given."""
        ids, shapes = self.vocabulary, self.shapes
        return _read(texts, max_length, ids, shapes)

    def apply_unknown(self, texts: Iterable[str], *, max_length: int | None = None) -> Sequences:
        """As `apply`, but with the ids that the tokens would have if none were in the vocabulary."""
        return _read(texts, max_length, {}, self.shapes)

    def training(self, texts: Iterable[str]) -> tuple[Sequences, np.ndarray]:
        """Return what training reads: of each token its id, and the id that it would have if it were unknown.

        Returns:
            (total, 2) int32, of at most `max_length` tokens of each text; and the tokens of each whole text, (texts,).
        """
        table = _Pairs(self.vocabulary, self.shapes)
        whole: list[int] = []

        def words() -> Iterator[str]:
            for text in _several(texts):
                spelled = spell(text)
                whole.append(len(spelled))
                yield from spelled[: self.max_length]

        places = np.fromiter(map(table.__getitem__, words()), np.int64)
        lengths = np.array(whole, np.int64)
        offsets = np.concatenate([[0], np.cumsum(np.minimum(lengths, self.max_length))])
        return Sequences(np.array(table.pairs, np.int32).reshape(-1, 2)[places], offsets), lengths

    def lengths(self, texts: Iterable[str]) -> np.ndarray:
        """Return the number of tokens of each text, (texts,) int64."""
        return np.array([len(spell(text)) for text in _several(texts)], np.int64)

    def spelled(self, text: str) -> tuple[list[str], list[str]]:
        """Return the tokens of a text as they are written, and what stands before each and after the last one."""
        return spell_with_gaps(text)

    def unit(self, tokens: Sequence[str]) -> str:
        """Return what most of these tokens are, for a person: "word", or "character" in scripts without spaces."""
        words = sum(len(token) > 1 for token in tokens) >= sum(token.isalpha() for token in tokens) / 2
        return "word" if words else "character"

    def stream(self) -> "TextPieces":
        """Return a converter for a text that arrives piece by piece."""
        return TextPieces(self)

    def to_json(self) -> dict[str, Any]:
        """Return everything that `from_json` needs, as plain values."""
        return {
            "kind": self.kind,
            "min_count": self.min_count,
            "max_vocabulary": self.max_vocabulary,
            "max_length": self.max_length,
            "word_shapes": self.word_shapes,
            "vocabulary": list(self.vocabulary),
            "shapes": self._shapes,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TextFeatures":
        """Read features from the result of `to_json`.

        Raises:
            ConfigError: the description is of another kind, or has missing or unknown entries.
        """
        if not isinstance(data, Mapping) or data.get("kind") != cls.kind:
            raise ConfigError(f"features must be of kind {cls.kind!r}; got {data!r:.80}")
        data = dict[str, Any](word_shapes=False, shapes=[]) | dict(data)  # early bundles have neither
        expected = {"kind", "vocabulary", "shapes", *_OPTIONS}
        if set(data) != expected:
            raise ConfigError(
                f"text features have {', '.join(sorted(expected))}; got {', '.join(sorted(map(str, data)))}"
            )
        tokens, shapes = data["vocabulary"], data["shapes"]
        if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
            raise ConfigError("the vocabulary of text features must be a list of tokens")
        if len(set(tokens)) != len(tokens):
            raise ConfigError("the vocabulary of text features has a duplicate token")
        if not isinstance(shapes, list) or shapes != [each for each in SHAPES if each in shapes]:
            raise ConfigError(f"the shapes of text features must be some of {', '.join(SHAPES)}, in order")
        features = cls(**{name: data[name] for name in _OPTIONS})
        features._ids = {token: position for position, token in enumerate(tokens, start=1)}
        features._shapes = list(shapes)
        return features


class TextPieces:
    """Converts a text that arrives piece by piece. It has no memory: the end of a piece ends a token."""

    def __init__(self, features: TextFeatures) -> None:
        self._ids, self._shapes = features.vocabulary, features.shapes

    def push(self, piece: str) -> np.ndarray:
        """Return the ids (tokens,) of the next piece.

        Raises:
            DtypeError: the piece is not a str.
        """
        if not isinstance(piece, str):
            raise DtypeError(f"a piece must be text (str); got {type(piece).__name__}")
        return np.array(_numbers(spell(piece), self._ids, self._shapes), np.int32)

    def finish(self) -> np.ndarray:
        """Return no ids, (0,)."""
        return np.zeros(0, np.int32)

    def reset(self) -> None:
        """Do nothing: there is no memory."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Empty: there is no memory."""
        return {}


class _Pairs(dict[str, int]):
    """Word to the place in `pairs` of its id and its id if it were unknown; each word is looked up once."""

    def __init__(self, ids: Mapping[str, int], shapes: Mapping[str, int]) -> None:
        super().__init__()
        self._ids, self._shapes = ids, shapes
        self.pairs: list[tuple[int, int]] = []

    def __missing__(self, word: str) -> int:
        unknown = self._shapes.get(shape(word), 0) if self._shapes else 0
        self.pairs.append((self._ids.get(word.lower()) or unknown, unknown))
        self[word] = place = len(self.pairs) - 1
        return place


def _read(texts: Iterable[str], most: int | None, ids: Mapping[str, int], shapes: Mapping[str, int]) -> Sequences:
    """Return the ids of each text's first tokens, at most `most` if given; a long text is read in pieces."""
    values, offsets = array("i"), [0]
    for text in _several(texts):
        for piece in in_pieces(text):
            values.extend(array("i", _numbers(spell(piece), ids, shapes)))
            pause()
            if most is not None and len(values) >= offsets[-1] + most:
                del values[offsets[-1] + most :]
                break
        offsets.append(len(values))
    return Sequences(np.array(values, np.int32), np.array(offsets, np.int64))


def _numbers(words: Iterable[str], ids: Mapping[str, int], shapes: Mapping[str, int]) -> list[int]:
    """Return the id of each word, or else of its shape, or else 0."""
    if not shapes:
        return [ids.get(word.lower(), 0) for word in words]
    return [ids.get(word.lower()) or shapes.get(shape(word), 0) for word in words]


def _several(texts: Iterable[str]) -> Iterable[str]:
    if isinstance(texts, str):
        raise DtypeError(f"texts must be a list of texts; got a single text {texts[:40]!r}. Put it into a list.")
    return texts
