"""From rows of log-probabilities to words with times and confidences, as the rows arrive.

A word is heard from the first step of its first token to the last step of its last one, on the likeliest alignment. Its
confidence is the product, over its tokens, of the highest probability that the network gives the token where it is
heard: of tokens that are independent of each other, the probability that all are right. As networks are surer than they
are right, or less, the product is raised to a power that validation data choose: see `confidence`. Language models
choose the words and have no part in it.

An utterance ends where nothing was said for a while, where it is longer than a decoder holds, and with the sound. Only
then its words are final: before, those that every hypothesis shares are stable, and the rest may still change.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.speech.paths import LONGEST, Decoder, Path
from penstock.speech.spec import BLANK

__all__ = ["SpokenWord", "Timing", "Transcriber", "Transcript", "spoken_words"]

Pieces = Callable[[Sequence[int]], list[str]]
"""The text that each of some tokens adds, beginning with a space where a word begins."""


@dataclass(frozen=True)
class Timing:
    """When rows are heard.

    Attributes:
        step: seconds from a row to the next.
        first: seconds of sound that the first row covers.
        endpoint: seconds without a word after which an utterance ends; 0 if it ends with the sound alone.
    """

    step: float
    first: float = 0.0
    endpoint: float = 0.0


@dataclass(frozen=True)
class SpokenWord:
    """A word of a transcript.

    Attributes:
        text: the word.
        start, end: seconds from the begin of the sound.
        confidence: from 0 to 1; see the module.
    """

    text: str
    start: float
    end: float
    confidence: float

    def to_json(self) -> dict[str, Any]:
        """Return the word as plain values, times in milliseconds' precision."""
        times = {"start": round(self.start, 3), "end": round(self.end, 3)}
        return {"word": self.text, **times, "confidence": round(self.confidence, 4)}


@dataclass(frozen=True, eq=False)
class Transcript:
    """What was heard so far.

    Attributes:
        words: the words that became final since the last one.
        current: the words of the utterance that goes on.
        stable: how many of these no longer change.
        seconds: the length of the sound that was read.
        ended: whether an utterance ended.
    """

    words: list[SpokenWord]
    current: list[SpokenWord]
    stable: int
    seconds: float
    ended: bool

    def to_json(self) -> dict[str, Any]:
        """Return {"seconds", "words": the final ones, "stable": text, "tentative": text, "endpoint": bool}."""
        return {
            "seconds": round(self.seconds, 3),
            "words": [word.to_json() for word in self.words],
            "stable": _text(self.current[: self.stable]),
            "tentative": _text(self.current[self.stable :]),
            "endpoint": self.ended,
        }


class Transcriber:
    """Decodes rows; what it gives depends on the rows alone, not on how many are pushed at once.

    Args:
        decoder: chooses the tokens.
        pieces: the text of tokens.
        timing: of the rows.
        power: of confidences.
    """

    def __init__(self, decoder: Decoder, pieces: Pieces, timing: Timing, power: float = 1.0) -> None:
        self._decoder, self._pieces, self._timing, self._power = decoder, pieces, timing, power
        # Rows that were read, and how many of the last ones say nothing.
        self._read, self._quiet = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._patience = max(round(timing.endpoint / timing.step), 1) if timing.endpoint else 0

    def push(self, rows: NDArray[np.float32]) -> Transcript:
        """Read rows of log-probabilities (rows, tokens)."""
        words: list[SpokenWord] = []
        ended = False
        for row in rows:
            if self._decoder.full:
                words += self._words(self._decoder.cut(self._half()))
            self._decoder.push(row, int(self._read[0]))
            self._read[0] += 1
            likeliest = int(row.argmax())
            silent = likeliest == BLANK or not self._pieces([likeliest])[0].strip()
            self._quiet[0] = self._quiet[0] + 1 if silent else 0
            if self._patience and self._quiet[0] >= self._patience and len(self._decoder.best().tokens):
                words += self._words(self._decoder.finished())
                self._decoder.clear()
                ended = True
        return self._transcript(words, ended)

    def finished(self, before: Sequence[SpokenWord] = ()) -> Transcript:
        """Return the words that the end of the sound makes final, after others; changes nothing."""
        return Transcript([*before, *self._words(self._decoder.finished())], [], 0, self._seconds, True)

    def reset(self) -> None:
        """Start the next sound."""
        self._decoder.clear()
        self._read[0] = self._quiet[0] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the memory by name."""
        return {"read": self._read, "quiet": self._quiet} | self._decoder.arrays()

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Return the least and greatest value that an integer of the memory may have."""
        return self._decoder.bounds()

    def restore(self) -> None:
        """Go on from memory that was written into the arrays."""
        self._decoder.restore()

    @property
    def _seconds(self) -> float:
        read = int(self._read[0])
        return self._timing.first + (read - 1) * self._timing.step if read else 0.0

    def _transcript(self, words: list[SpokenWord], ended: bool) -> Transcript:
        path = self._decoder.best()
        pieces, settled = self._pieces(path.tokens.tolist()), self._decoder.settled
        spans = _spans(pieces)
        # A word is complete where the next one, or the space after it, is settled too.
        starts = [place for place, piece in enumerate(pieces[:settled]) if piece[:1].isspace()]
        stable = sum(1 for _, last in spans if starts and last < starts[-1])
        return Transcript(words, self._words(path), stable, self._seconds, ended)

    def _half(self) -> int:
        """Where to cut an utterance that is too long: before a word, in its first half if there is one."""
        pieces = self._pieces(self._decoder.best().tokens.tolist())
        begins = [place for place, piece in enumerate(pieces) if place and piece[:1].isspace()]
        early = [place for place in begins if place <= LONGEST // 2]
        return early[-1] if early else next(iter(begins), LONGEST // 2)

    def _words(self, path: Path) -> list[SpokenWord]:
        return spoken_words(path, self._pieces(path.tokens.tolist()), self._timing, self._power)


def spoken_words(path: Path, pieces: Sequence[str], timing: Timing, power: float = 1.0) -> list[SpokenWord]:
    """Return the words of a path.

    Args:
        path: the tokens.
        pieces: (tokens,) the text of each.
        timing: of the steps.
        power: of confidences.
    """
    texts = "".join(pieces).split()
    found = []
    for text, (first, last) in zip(texts, _spans(pieces), strict=True):
        start, end = int(path.steps[first, 0]), int(path.steps[last, 1])
        peak = float(path.peaks[first : last + 1].sum())
        found.append(SpokenWord(text, start * timing.step, (end + 1) * timing.step, min(exp(power * peak), 1.0)))
    return found


def _spans(pieces: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first and the last token of each word."""
    found: list[tuple[int, int]] = []
    inside = False
    for place, piece in enumerate(pieces):
        for character in piece:
            if character.isspace():
                inside = False
            elif inside:
                found[-1] = (found[-1][0], place)
            else:
                found.append((place, place))
                inside = True
    return found


def _text(words: Sequence[SpokenWord]) -> str:
    return " ".join(word.text for word in words)
