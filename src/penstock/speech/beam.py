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
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.errors import ConfigError
from penstock.pauses import pause
from penstock.speech.paths import LONGEST, Path
from penstock.speech.spec import BLANK

__all__ = ["Fusion", "PrefixBeam", "check_beam"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST = 1024
_BLANK, _OTHER = 0, 1  # places of alignments that end in a blank, and in the last token


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


class _Stay(NamedTuple):
    """Hypotheses with the same tokens after a row.

    sums, best: (hypotheses, 2) log-probabilities over all alignments, and of the likeliest one.
    froms: (hypotheses, 2, 2) hypothesis and place of the likeliest alignment's beginning, for both ways to end.
    fresh: (hypotheses,) whether the last token begins in this row, on the alignment that ends in it.
    """

    sums: Floats
    best: Floats
    froms: Ints
    fresh: NDArray[np.bool_]


class _Longer(NamedTuple):
    """Hypotheses with a token more, each (hypotheses, tokens).

    sums, best: log-probabilities over all alignments, and of the likeliest one; they end in the token.
    place: where the likeliest one begins.
    """

    sums: Floats
    best: Floats
    place: Ints


class _Chosen(NamedTuple):
    """The hypotheses after a row, the best first, by where they come from.

    source: (chosen,) the hypothesis that each one is, or extends.
    token: (chosen,) the token that it appends; the blank if none.
    sums, best, froms, fresh: as in `_Stay`.
    """

    source: Ints
    token: Ints
    sums: Floats
    best: Floats
    froms: Ints
    fresh: NDArray[np.bool_]


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
        chosen = self._choose(log_probs, tokens, added)
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
        self._sums[0, _OTHER] = self._best[0, _OTHER] = -np.inf
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

    def _choose(self, log_probs: Floats, tokens: Ints, added: Floats) -> _Chosen:
        """Continue the prefixes by a row, and choose the best."""
        count = len(self._prefixes)
        rows = np.arange(count)
        last = np.where(self._lengths[:count] > 0, self._tokens[rows, self._lengths[:count] - 1], BLANK)
        stay = self._staying(log_probs, rows, last)
        longer = self._longer(log_probs, rows, tokens, last)
        if len(tokens):  # in most rows only a blank is likely
            self._meet(stay, longer, tokens, last)
        fused = self._fused[:count]
        staying = np.logaddexp(stay.sums[:, _BLANK], stay.sums[:, _OTHER]) + fused
        scores = np.concatenate([staying, (longer.sums + fused[:, None] + added).ravel()])
        order = (-scores).argsort(kind="stable")[: self._size]
        best = scores[order]
        order = order[(best > -np.inf) & (best >= best[0] - self._margin)]
        source, token = order.copy(), np.full(len(order), BLANK)
        extends = order >= count
        source[extends], column = np.divmod(order[extends] - count, max(len(tokens), 1))
        token[extends] = tokens[column]
        found = _Chosen(source, token, *(each[source] for each in stay))
        row = source[extends]
        found.sums[extends, _BLANK] = found.best[extends, _BLANK] = -np.inf
        found.sums[extends, _OTHER] = longer.sums[row, column]
        found.best[extends, _OTHER] = longer.best[row, column]
        found.froms[extends, _OTHER, 0], found.froms[extends, _OTHER, 1] = row, longer.place[row, column]
        found.fresh[extends] = True
        return found

    def _staying(self, log_probs: Floats, rows: Ints, last: Ints) -> _Stay:
        """The same prefixes, after a blank or their last token again."""
        sums, best = self._sums[: len(rows)], self._best[: len(rows)]
        place = best.argmax(axis=1)
        blank, again = log_probs[BLANK], log_probs[last]
        found = _Stay(
            np.empty_like(sums),
            np.empty_like(best),
            np.empty((len(rows), 2, 2), np.int64),
            np.zeros(len(rows), np.bool_),
        )
        found.sums[:, _BLANK] = np.logaddexp(sums[:, _BLANK], sums[:, _OTHER]) + blank
        found.sums[:, _OTHER] = sums[:, _OTHER] + again
        found.best[:, _BLANK] = best[rows, place] + blank
        found.best[:, _OTHER] = best[:, _OTHER] + again
        found.froms[..., 0], found.froms[:, _BLANK, 1], found.froms[:, _OTHER, 1] = rows[:, None], place, _OTHER
        return found

    def _longer(self, log_probs: Floats, rows: Ints, tokens: Ints, last: Ints) -> _Longer:
        """Each prefix with each token; the same token once more needs a blank before it."""
        sums, best = self._sums[: len(rows)], self._best[: len(rows)]
        again = tokens == last[:, None]
        total = np.logaddexp(sums[:, _BLANK], sums[:, _OTHER])
        place = np.where(again, _BLANK, best.argmax(axis=1)[:, None])
        likely = log_probs[tokens]
        return _Longer(
            np.where(again, sums[:, :1], total[:, None]) + likely, best[rows[:, None], place] + likely, place
        )

    def _meet(self, stay: _Stay, longer: _Longer, tokens: Ints, last: Ints) -> None:
        """Move what extends one prefix to another one that is held over to that one."""
        at: dict[str | None, int] = {prefix.key: row for row, prefix in enumerate(self._prefixes)}
        parents = np.array([at.get(prefix.parent, -1) for prefix in self._prefixes])
        columns = np.full(self._outputs, -1)
        columns[tokens] = np.arange(len(tokens))
        (into,) = np.nonzero((parents >= 0) & (columns[last] >= 0))
        if not len(into):
            return
        row, column = parents[into], columns[last[into]]
        stay.sums[into, _OTHER] = np.logaddexp(stay.sums[into, _OTHER], longer.sums[row, column])
        better = longer.best[row, column] > stay.best[into, _OTHER]
        stay.fresh[into] = better
        into, row, column, before = into[better], row[better], column[better], (row, column)
        stay.best[into, _OTHER] = longer.best[row, column]
        stay.froms[into, _OTHER, 0], stay.froms[into, _OTHER, 1] = row, longer.place[row, column]
        longer.sums[before] = -np.inf

    def _followed(self, chosen: _Chosen) -> list[_Prefix]:
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

    def _hear(self, chosen: _Chosen, lengths: Ints, log_probs: Floats, step: int) -> None:
        """Note the last token of each hypothesis, in alignments that end in it at this step."""
        (rows,) = np.nonzero(lengths)
        places = lengths[rows] - 1
        heard, fresh = log_probs[self._tokens[rows, places]], chosen.fresh[rows]
        peaks, begins = self._peaks[rows, _OTHER, places], self._steps[rows, _OTHER, places, 0]
        self._peaks[rows, _OTHER, places] = np.where(fresh, heard, np.maximum(peaks, heard))
        self._steps[rows, _OTHER, places, 0] = np.where(fresh, step, begins)
        self._steps[rows, _OTHER, places, 1] = step

    def _path(self, row: int) -> Path:
        length, place = self._lengths[row], int(self._best[row].argmax())
        return Path(
            self._tokens[row, :length].copy(),
            self._steps[row, place, :length].copy(),
            self._peaks[row, place, :length].copy(),
        )
