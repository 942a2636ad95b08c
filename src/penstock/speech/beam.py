"""Prefix beam search for CTC (Hannun et al. 2014, arXiv:1408.2873), row by row, with language models.

A hypothesis is a prefix: the tokens said so far. Its probability is the sum over all alignments, kept apart for those
that end in a blank and in its last token, because after a blank the same token may begin again. After each row the
prefixes with the highest score are kept,

    score = log p(prefix | sound) + what the language models add,

and only tokens above a least probability are appended. Beside the sums runs the likeliest alignment of each prefix,
which says at which steps its tokens are heard.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.errors import ConfigError
from penstock.pauses import pause
from penstock.speech.beam_row import OTHER, Chosen, Floats, Held, Ints, continued
from penstock.speech.paths import LONGEST, Path
from penstock.speech.spec import BLANK

__all__ = ["Fusion", "PrefixBeam", "check_beam"]

_MOST = 1024


class Fusion(Protocol):
    """What language models add to the score of a prefix, token by token."""

    def begin(self) -> Any:
        """Return the state before the first token."""
        ...

    def added(self, state: Any, token: int, /) -> float:
        """Return what a token after this state adds."""
        ...

    def after(self, states: Sequence[Any], tokens: Sequence[int], /) -> list[Any]:
        """Return the states after a token each."""
        ...

    def ended(self, state: Any, /) -> float:
        """Return what the end of the utterance adds."""
        ...


@dataclass(eq=False, slots=True)
class _Prefix:
    """The tokens of a hypothesis as a str with one character each, and the state of the language models after them."""

    key: str
    parent: str | None  # the key without its last token
    state: Any = None
    added: dict[int, float] = field(default_factory=dict)


def check_beam(size: int, least: float, margin: float) -> None:
    """Check the settings of a search, see `PrefixBeam`.

    Raises:
        ConfigError: a value is out of its range.
    """
    check_whole("beam", size, at_least=1, at_most=_MOST)
    if not _is_number(least) or not 0 <= least < 1:
        raise ConfigError(f"least_probability must be a number from 0 to below 1; got {least!r:.40}")
    if not _is_number(margin) or not margin > 0:
        raise ConfigError(f"margin must be a number above 0; got {margin!r:.40}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class PrefixBeam:
    """A decoder, see `paths.Decoder`, that keeps the best prefixes.

    Args:
        tokens: number of scores of a row, the blank's included.
        size: prefixes that are kept.
        least_probability: tokens below it are not appended in a row; 0 for all.
        margin: prefixes whose score is so much below the best one's, in nats, are dropped too.
        fusion: the language models; None for none.

    Raises:
        ConfigError: a value is out of its range.
    """

    def __init__(
        self,
        tokens: int,
        size: int = 16,
        *,
        least_probability: float = 1e-3,
        margin: float = 12.0,
        fusion: Fusion | None = None,
    ) -> None:
        check_beam(size, least_probability, margin)
        self._outputs, self._size, self._margin, self._fusion = tokens, size, margin, fusion
        self._floor = log(least_probability) if least_probability else -np.inf
        self._count, self._lengths = np.ones(1, np.int64), np.zeros(size, np.int64)
        self._tokens = np.zeros((size, LONGEST), np.int64)
        self._sums, self._best = np.zeros((size, 2)), np.zeros((size, 2))
        self._fused = np.zeros(size)
        self._steps, self._peaks = np.zeros((size, 2, LONGEST, 2), np.int64), np.zeros((size, 2, LONGEST))
        self.clear()

    @property
    def full(self) -> bool:
        """See `Decoder`."""
        return bool(self._lengths[: self._count[0]].max() == LONGEST)

    @property
    def settled(self) -> int:
        """The tokens that all hypotheses begin with; see `Decoder`."""
        count = self._count[0]
        shortest = int(self._lengths[:count].min())
        same = (self._tokens[:count, :shortest] == self._tokens[0, :shortest]).all(axis=0)
        return shortest if same.all() else int(same.argmin())

    def push(self, row: NDArray[np.float32], step: int) -> None:
        """See `Decoder`."""
        pause()
        log_probs = row.astype(np.float64)
        tokens = np.flatnonzero(log_probs[1:] >= self._floor) + 1
        added = self._added(tokens.tolist())
        chosen = continued(self._held(tokens), log_probs, tokens, added, self._size, self._margin)
        (new,) = np.nonzero(chosen.token)
        fused, lengths = self._fused[chosen.source], self._lengths[chosen.source]
        fused[new] += added[chosen.source[new], np.searchsorted(tokens, chosen.token[new])]
        lengths[new] += 1
        self._prefixes = self._followed(chosen)
        kept, used = len(lengths), int(lengths.max())
        self._tokens[:kept, :used] = self._tokens[chosen.source, :used]
        self._tokens[new, lengths[new] - 1] = chosen.token[new]
        rows, places = chosen.froms[..., 0], chosen.froms[..., 1]
        self._steps[:kept, :, :used] = self._steps[rows, places, :used]
        self._peaks[:kept, :, :used] = self._peaks[rows, places, :used]
        self._count[0], self._lengths[:kept], self._fused[:kept] = kept, lengths, fused
        self._sums[:kept], self._best[:kept] = chosen.sums, chosen.best
        self._hear(chosen, lengths, log_probs, step)

    def best(self) -> Path:
        """See `Decoder`."""
        return self._path(0)

    def finished(self) -> Path:
        """See `Decoder`; the language models judge the end too."""
        if self._fusion is None:
            return self._path(0)
        count = self._count[0]
        ended = np.array([self._fusion.ended(prefix.state) for prefix in self._prefixes])
        return self._path(int((np.logaddexp(*self._sums[:count].T) + self._fused[:count] + ended).argmax()))

    def cut(self, count: int) -> Path:
        """See `Decoder`; hypotheses that begin otherwise are dropped."""
        found, held, rest = self._path(0), int(self._count[0]), LONGEST - count
        (kept,) = np.nonzero(
            (self._lengths[:held] >= count) & (self._tokens[:held, :count] == self._tokens[0, :count]).all(axis=1)
        )
        for array in (self._lengths, self._tokens, self._sums, self._best, self._fused, self._steps, self._peaks):
            array[: len(kept)] = array[kept]
        for array in (self._tokens, np.moveaxis(self._steps, 2, 1), np.moveaxis(self._peaks, 2, 1)):
            array[:, :rest], array[:, rest:] = array[:, count:].copy(), 0
        self._count[0] = len(kept)
        self._lengths[: len(kept)] -= count
        self.restore()
        return Path(found.tokens[:count], found.steps[:count], found.peaks[:count])

    def clear(self) -> None:
        """See `Decoder`."""
        for array in self.arrays().values():
            array[...] = 0
        self._count[0] = 1
        self._sums[0, OTHER] = self._best[0, OTHER] = -np.inf
        self.restore()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Decoder`."""
        return {
            "count": self._count,
            "lengths": self._lengths,
            "tokens": self._tokens,
            "sums": self._sums,
            "best": self._best,
            "fused": self._fused,
            "steps": self._steps,
            "peaks": self._peaks,
        }

    def bounds(self) -> dict[str, tuple[int, int]]:
        """See `Decoder`."""
        return {"count": (1, self._size), "lengths": (0, LONGEST), "tokens": (0, self._outputs - 1)}

    def restore(self) -> None:
        """See `Decoder`: language models read again what is held, also after a cut."""
        count = int(self._count[0])
        spelled = [self._tokens[row, : self._lengths[row]].tolist() for row in range(count)]
        keys = ["".join(map(chr, tokens)) for tokens in spelled]
        states: list[Any] = [None] * count
        if self._fusion is not None:
            states = [self._fusion.begin() for _ in range(count)]
            for place in range(max(map(len, spelled))):
                rows = [row for row in range(count) if place < len(spelled[row])]
                after = self._fusion.after([states[row] for row in rows], [spelled[row][place] for row in rows])
                for row, state in zip(rows, after, strict=True):
                    states[row] = state
        self._prefixes = [
            _Prefix(key, key[:-1] if key else None, state) for key, state in zip(keys, states, strict=True)
        ]

    def _added(self, tokens: Sequence[int]) -> Floats:
        """Return what the language models add for each prefix and token, (prefixes, tokens)."""
        found = np.zeros((len(self._prefixes), len(tokens)))
        if self._fusion is None or not tokens:
            return found
        for row, prefix in zip(found, self._prefixes, strict=True):
            known, state = prefix.added, prefix.state
            for column, token in enumerate(tokens):
                value = known.get(token)
                if value is None:
                    value = known[token] = self._fusion.added(state, token)
                row[column] = value
        return found

    def _held(self, tokens: Ints) -> Held:
        """Return the hypotheses, from which a row goes on."""
        count = len(self._prefixes)
        ends = self._tokens[np.arange(count), self._lengths[:count] - 1]
        parents = np.full(count, -1)
        if len(tokens):  # in most rows only a blank is likely, and no parent is asked for
            at: dict[str | None, int] = {prefix.key: row for row, prefix in enumerate(self._prefixes)}
            parents = np.array([at.get(prefix.parent, -1) for prefix in self._prefixes])
        return Held(
            self._sums[:count],
            self._best[:count],
            self._fused[:count],
            np.where(self._lengths[:count] > 0, ends, BLANK),
            parents,
        )

    def _followed(self, chosen: Chosen) -> list[_Prefix]:
        """Return the prefixes of the chosen hypotheses."""
        found, new = [], []
        for row, token in zip(chosen.source.tolist(), chosen.token.tolist(), strict=True):
            before = self._prefixes[row]
            if token == BLANK:
                found.append(before)
                continue
            found.append(_Prefix(before.key + chr(token), before.key))
            new.append((found[-1], before.state, token))
        if self._fusion is not None and new:
            for (prefix, _, _), state in zip(
                new, self._fusion.after([each[1] for each in new], [each[2] for each in new]), strict=True
            ):
                prefix.state = state
        return found

    def _hear(self, chosen: Chosen, lengths: Ints, log_probs: Floats, step: int) -> None:
        """Note the last token of each hypothesis, in alignments that end in it at this step."""
        (rows,) = np.nonzero(lengths)
        places = lengths[rows] - 1
        heard, fresh = log_probs[self._tokens[rows, places]], chosen.fresh[rows]
        peaks, begins = self._peaks[rows, OTHER, places], self._steps[rows, OTHER, places, 0]
        self._peaks[rows, OTHER, places] = np.where(fresh, heard, np.maximum(peaks, heard))
        self._steps[rows, OTHER, places, 0] = np.where(fresh, step, begins)
        self._steps[rows, OTHER, places, 1] = step

    def _path(self, row: int) -> Path:
        length, place = self._lengths[row], int(self._best[row].argmax())
        return Path(
            self._tokens[row, :length].copy(),
            self._steps[row, place, :length].copy(),
            self._peaks[row, place, :length].copy(),
        )
