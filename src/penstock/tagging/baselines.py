"""Baselines of taggers, from arrays alone: the most frequent tag of each word, and a CRF over hand-made features.

The features are those that taggers had before networks: of words the word, its affixes, its shape and its neighbours
(Ratnaparkhi 1996); of characters their neighbours and pairs of them (Ng and Low 2004).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError
from penstock.heads import Chain, Viterbi
from penstock.sequences import Sequences

__all__ = ["TagBaselines", "handmade_features", "packed", "unpacked"]

_AFFIXES = 4
_PAIRS = ((-2, -1), (-1, 0), (0, 1), (1, 2), (-1, 1))
_START, _END = "<s>", "</s>"
_RUNS, _ONE = re.compile(r"(.)\1+"), r"\1"
_CRF = ("attributes", "places", "labels", "weights", "transitions")
_SENTENCES = 2000
"""Sentences whose features are in memory at once."""


def handmade_features(sentence: Sequence[str]) -> list[list[str]]:
    """Return the features of each token of a sentence, as names; see the module."""
    own = [_of_word(token) for token in sentence]
    lower = [_START, _START, *(token.lower() for token in sentence), _END, _END]
    found = []
    for place, features in enumerate(own, start=2):
        around = [f"{step:+d} {lower[place + step]}" for step in (-2, -1, 1, 2)]
        pairs = [f"{a:+d}{b:+d} {lower[place + a]} {lower[place + b]}" for a, b in _PAIRS]
        found.append([*features, *around, *pairs])
    return found


@lru_cache(100_000)
def _of_word(token: str) -> tuple[str, ...]:
    shape = _shape(token)
    features = ["bias", f"word {token}", f"lower {token.lower()}", f"shape {shape}"]
    if len(token) > 1:
        features.append(f"runs {_RUNS.sub(_ONE, shape)}")
        ends = range(1, min(_AFFIXES, len(token)) + 1)
        features += [f"starts {token[:size].lower()}" for size in ends]
        features += [f"ends {token[-size:].lower()}" for size in ends]
    return tuple(features)


def _shape(token: str) -> str:
    """A token with a letter for each kind of character: X and x for cases, d for digits, o for other letters."""
    return "".join(
        "X" if each.isupper() else "x" if each.islower() else "d" if each.isdigit() else "o" if each.isalpha() else each
        for each in token[:20]
    )


class TagBaselines:
    """The baselines saved with a tagger: "crf", if there is one, and "most_frequent_tag".

    Args:
        arrays: as in `baseline.safetensors`: `words` uint8, those of the training sentences in UTF-8, each ended by a
            newline; `word_tags` int32 (words,), the most frequent tag of each, and of unknown words `unknown_tag` int32
            (1,). Of the CRF, all or none: `attributes`, the features like `words`; `places` int64 (attributes + 1,),
            where the weights of each begin; `labels` int32 and `weights` float32 of these; `transitions` float32
            (tags, tags), from a tag to the next.
        tags: number of tags.

    Raises:
        BundleError: arrays are missing or do not fit each other.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], tags: int) -> None:
        needed = ("words", "word_tags", "unknown_tag", *(_CRF if any(name in arrays for name in _CRF) else ()))
        if missing := [name for name in needed if name not in arrays]:
            raise BundleError(f"the baseline lacks {', '.join(missing)}. Train the model again, or copy it again.")
        self._tags = tags
        self._words = {word: place for place, word in enumerate(unpacked(arrays["words"]))}
        self._word_tags = np.append(arrays["word_tags"], arrays["unknown_tag"]).astype(np.int64)
        _check("word_tags", len(self._word_tags) == len(self._words) + 1)
        _check("word_tags", _within(self._word_tags, tags))
        self.names: tuple[str, ...] = ("most_frequent_tag",)
        if "weights" in arrays:
            self._read_crf(arrays)
            self.names = ("crf", "most_frequent_tag")

    def _read_crf(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._attributes = {name: place for place, name in enumerate(unpacked(arrays["attributes"]))}
        self._places, self._labels = arrays["places"].astype(np.int64), arrays["labels"].astype(np.int64)
        self._weights, transitions = arrays["weights"].astype(np.float64), arrays["transitions"].astype(np.float64)
        _check("transitions", transitions.shape == (self._tags, self._tags))
        _check("labels", self._labels.shape == self._weights.shape and _within(self._labels, self._tags))
        _check("places", self._places.shape == (len(self._attributes) + 1,))
        _check("places", self._places[0] == 0 and self._places[-1] == len(self._weights))
        _check("places", bool((np.diff(self._places) >= 0).all()))
        self._paths = Viterbi(Chain(transitions, np.zeros(self._tags), np.zeros(self._tags)))

    def answers(self, name: str, sentences: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Return the places of a baseline's tags for the tokens of all sentences, concatenated."""
        if name == "crf":
            parts = [self._paths.several(self._scores(some)) for some in _pieces(sentences)]
            return np.concatenate([np.zeros(0, np.int64), *parts])
        return self._word_tags[self._places_of(sentences)]

    def unknown(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
        """Return whether each token, of all sentences in turn, did not occur in the training sentences."""
        return self._places_of(sentences) == len(self._words)

    def _places_of(self, sentences: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        words, last = self._words, len(self._words)
        return np.array([words.get(token, last) for token in chain.from_iterable(sentences)], np.int64)

    def _scores(self, sentences: Sequence[Sequence[str]]) -> Sequences:
        """Return the sum of the weights of each token's features, for each tag."""
        known, steps = [], []
        offsets = np.zeros(len(sentences) + 1, np.int64)
        np.cumsum([len(sentence) for sentence in sentences], out=offsets[1:])
        for start, sentence in zip(offsets.tolist(), sentences, strict=False):
            for step, names in enumerate(handmade_features(sentence), start=start):
                found = [place for name in names if (place := self._attributes.get(name)) is not None]
                known += found
                steps += [step] * len(found)
        attributes = np.array(known, np.int64)
        counts = np.diff(self._places)[attributes]
        ends = np.cumsum(counts)
        entries = np.arange(counts.sum()) + np.repeat(self._places[attributes] - ends + counts, counts)
        cells = np.repeat(np.array(steps, np.int64), counts) * self._tags + self._labels[entries]
        scores = np.bincount(cells, self._weights[entries], minlength=int(offsets[-1]) * self._tags)
        return Sequences(scores.reshape(-1, self._tags), offsets)


def packed(texts: Sequence[str]) -> NDArray[np.uint8]:
    """Return texts as bytes of UTF-8, each ended by a newline; newlines in them become blanks."""
    return np.frombuffer("".join(f"{_line(text)}\n" for text in texts).encode("utf-8", "replace"), np.uint8)


def unpacked(array: NDArray[Any]) -> list[str]:
    """Return the texts that `packed` was given; BundleError if the array does not hold such."""
    try:
        return array.tobytes().decode().split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise BundleError(f"the words of the baseline are damaged: {error}") from error


def _line(text: str) -> str:
    return text.replace("\n", " ")


def _pieces(sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[Sequence[str]]]:
    for start in range(0, len(sentences), _SENTENCES):
        yield sentences[start : start + _SENTENCES]


def _within(places: NDArray[np.int64], tags: int) -> bool:
    return not len(places) or (int(places.min()) >= 0 and int(places.max()) < tags)


def _check(name: str, fits: bool) -> None:
    if not fits:
        raise BundleError(f"{name} of the baseline does not fit its other arrays. Train the model again.")
