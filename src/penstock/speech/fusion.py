"""What language models and hot words add to the score of a prefix: see `beam.Fusion`.

All add natural logarithms, weighted; a word that has begun is judged by the likeliest word that it may become, and by
the word itself once it is complete.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from penstock.errors import ConfigError
from penstock.ngrams import BEGIN_NAME, END_NAME, SPACE_NAME, UNKNOWN_NAME, NamedNGrams
from penstock.speech.beam import Fusion

__all__ = ["CharacterFusion", "HotWords", "Together", "WordFusion", "together"]

_MOST_HOT = 1000


class _ByCharacter:
    """A model that reads the text of tokens character by character.

    Args:
        pieces: the text of each token, the blank's first; see `transcriber.Pieces`.
    """

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = pieces

    def added(self, state: Any, token: int) -> float:
        """See `Fusion`."""
        return self._read(state, token)[0]

    def after(self, states: Sequence[Any], tokens: Sequence[int]) -> list[Any]:
        """See `Fusion`."""
        return [self._read(state, token)[1] for state, token in zip(states, tokens, strict=True)]

    def _read(self, state: Any, token: int) -> tuple[float, Any]:
        total = 0.0
        for character in self._pieces[token]:
            value, state = self._character(state, character)
            total += value
        return total, state

    def _character(self, state: Any, character: str) -> tuple[float, Any]:
        raise NotImplementedError


class WordFusion(_ByCharacter):
    """N-grams of words: weight * log p(word | words before) + bonus for each word.

    A state is the words before, at most as many as the n-grams read, and the begin of the next one.

    Args:
        ngrams: of words.
        pieces: as in `CharacterFusion`.
        weight: of the logarithms.
        bonus: for each word, because each lowers the probability of a sentence.
        unknown: for each word without n-grams; below 0.

    Raises:
        ConfigError: no word of the n-grams can be written with these tokens.
    """

    def __init__(
        self, ngrams: NamedNGrams, pieces: Sequence[str], *, weight: float, bonus: float, unknown: float
    ) -> None:
        super().__init__(pieces)
        self._ngrams, self._weight, self._bonus, self._unknown = ngrams, weight, bonus, unknown
        written = {character for piece in pieces for character in piece}
        words = [name for name in ngrams.names[2:] if written.issuperset(name)]
        if not words:
            raise _unwritable(ngrams.names[2:], written)
        self._ahead: dict[str, float] = {}
        for word in words:
            value = self._weight * ngrams.log_prob((), word) + bonus
            for end in range(1, len(word) + 1):
                begin = word[:end]
                self._ahead[begin] = max(value, self._ahead.get(begin, -np.inf))
        self._strange = self._weight * ngrams.log_prob((), UNKNOWN_NAME) + bonus + unknown

    def begin(self) -> Any:
        """See `Fusion`."""
        return (BEGIN_NAME,), ""

    def ended(self, state: Any) -> float:
        """See `Fusion`."""
        value, (words, _) = self._character(state, " ")
        return value + self._weight * self._ngrams.log_prob(words, END_NAME)

    def _character(self, state: Any, character: str) -> tuple[float, Any]:
        words, begun = state
        if not character.isspace():
            longer = begun + character
            return self._look(longer) - self._look(begun), (words, longer)
        if not begun:
            return 0.0, state
        value = self._weight * self._ngrams.log_prob(words, begun) + self._bonus
        value += 0.0 if self._ngrams.known(begun) else self._unknown
        return value - self._look(begun), ((*words, begun)[-max(self._ngrams.order - 1, 1) :], "")

    def _look(self, begun: str) -> float:
        return self._ahead.get(begun, self._strange) if begun else 0.0


class CharacterFusion(_ByCharacter):
    """N-grams of characters: weight * log p(character | characters before) + bonus for each.

    Args:
        ngrams: of characters.
        pieces: the text of each token, the blank's first.
        weight, bonus: as in `WordFusion`.

    Raises:
        ConfigError: the n-grams have none of the tokens' characters.
    """

    def __init__(self, ngrams: NamedNGrams, pieces: Sequence[str], *, weight: float, bonus: float) -> None:
        super().__init__(pieces)
        self._ngrams, self._weight, self._bonus = ngrams, weight, bonus
        written = {character for piece in pieces for character in piece if not character.isspace()}
        if not any(map(ngrams.known, written)):
            raise _unwritable(ngrams.names[2:], written)

    def begin(self) -> Any:
        """See `Fusion`."""
        return (BEGIN_NAME,)

    def ended(self, state: Any) -> float:
        """See `Fusion`."""
        return self._weight * self._ngrams.log_prob(state, END_NAME)

    def _character(self, state: Any, character: str) -> tuple[float, Any]:
        name = SPACE_NAME if character.isspace() else character
        if name == SPACE_NAME and state[-1] in (BEGIN_NAME, SPACE_NAME):
            return 0.0, state
        value = self._weight * self._ngrams.log_prob(state, name) + self._bonus
        return value, (*state, name)[-max(self._ngrams.order - 1, 1) :]


class HotWords(_ByCharacter):
    """A bonus for words or phrases that are likely to be said, such as names.

    What has begun like a hot word has a share of its bonus, by the characters that match, and loses it if it goes on
    otherwise.

    Args:
        words: the words or phrases.
        pieces: as in `CharacterFusion`.
        bonus: for each, in nats.

    Raises:
        ConfigError: there are none or too many, or one can't be written with these tokens.
    """

    def __init__(self, words: Iterable[str], pieces: Sequence[str], *, bonus: float) -> None:
        super().__init__(pieces)
        if isinstance(words, str):
            raise ConfigError(f"hot words must be a list of words; got the text {words!r:.60}")
        phrases = [" ".join(word.split()) if isinstance(word, str) else "" for word in words]
        if not phrases or not all(phrases) or len(phrases) > _MOST_HOT:
            raise ConfigError(
                f"hot words must be 1 to {_MOST_HOT} words or phrases; got {len(phrases)}: {phrases!r:.60}"
            )
        written = {character for piece in pieces for character in piece} | {" "}
        if strange := [phrase for phrase in phrases if not written.issuperset(phrase)]:
            raise ConfigError(
                f"hot words must be written with the tokens of the recogniser, such as {_some(written)}; "
                f"got {strange[0]!r:.60}"
            )
        self._whole, self._share = set(phrases), dict[str, float]()
        for phrase in phrases:
            for end in range(1, len(phrase) + 1):
                share = bonus * end / len(phrase)
                self._share[phrase[:end]] = max(share, self._share.get(phrase[:end], 0.0))
        self._bonus = bonus

    def begin(self) -> Any:
        """See `Fusion`. A state is what has begun like a hot word, None inside another word."""
        return ""

    def ended(self, state: Any) -> float:
        """See `Fusion`."""
        return (self._bonus if state in self._whole else 0.0) - self._share.get(state, 0.0)

    def _character(self, state: Any, character: str) -> tuple[float, Any]:
        if state is None:
            return 0.0, "" if character.isspace() else None
        has = self._share.get(state, 0.0)
        if character.isspace() and state in self._whole:
            return self._bonus - has, ""
        longer = f"{state} " if character.isspace() else state + character
        while longer and longer not in self._share:  # perhaps another one begins with a later word
            longer = longer.partition(" ")[2]
        if longer:
            return self._share[longer] - has, longer
        return -has, "" if character.isspace() else None


class Together:
    """Several models, whose values are added up.

    Args:
        several: the models.
    """

    def __init__(self, several: Sequence[Fusion]) -> None:
        self._several = several

    def begin(self) -> Any:
        """See `Fusion`."""
        return tuple(each.begin() for each in self._several)

    def added(self, state: Any, token: int) -> float:
        """See `Fusion`."""
        return sum(each.added(own, token) for each, own in zip(self._several, state, strict=True))

    def after(self, states: Sequence[Any], tokens: Sequence[int]) -> list[Any]:
        """See `Fusion`."""
        parts = [each.after([state[place] for state in states], tokens) for place, each in enumerate(self._several)]
        return list(zip(*parts, strict=True))

    def ended(self, state: Any) -> float:
        """See `Fusion`."""
        return sum(each.ended(own) for each, own in zip(self._several, state, strict=True))


def together(several: Sequence[Fusion]) -> Fusion | None:
    """Return one model for several, None for none."""
    return Together(several) if len(several) > 1 else next(iter(several), None)


def _unwritable(names: Sequence[str], written: set[str]) -> ConfigError:
    return ConfigError(
        f"the n-grams of {_some(names)} have nothing that the recogniser can write: its characters are such as "
        f"{_some(sorted(written))}. Do they differ in upper and lower case?"
    )


def _some(names: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(names)[:5]))
