"""Linear chains of labels at run time: the best path, the probabilities of labels, and decoding with a fixed lag.

A path of labels y over the steps of a sequence scores

    start[y1] + scores[1, y1] + sum over t > 1 of (transitions[y(t-1), y(t)] + scores[t, y(t)]) + end[yT]

(Lafferty et al. 2001). Many sequences are computed together, in float64; all sums run over the labels in order, so that
the bits of a sequence do not depend on the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock.pauses import pause
from penstock.sequences import Sequences

__all__ = ["Chain", "LaggedPaths", "best_paths", "lagged_paths", "marginals"]

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

# Entries of the largest array: sequences and steps and labels of a batch, some tens of megabytes.
_ENTRIES = 2**21


@dataclass(frozen=True, eq=False)
class Chain:
    """The scores of a chain that do not depend on a sequence.

    Attributes:
        transitions: (labels, labels) float64, from a label to the next one.
        start, end: (labels,) float64, of the first and the last label.
    """

    transitions: Floats
    start: Floats
    end: Floats

    @classmethod
    def of(cls, tensors: Mapping[str, NDArray[np.float32]]) -> "Chain":
        """Make the chain of a head's tensors `transitions`, `start` and `end`."""
        return cls(*(np.ascontiguousarray(tensors[name], np.float64) for name in ("transitions", "start", "end")))

    def __len__(self) -> int:
        """Number of labels."""
        return len(self.start)


def best_paths(chain: Chain, scores: Sequences) -> Labels:
    """Return the labels of each sequence's best path, concatenated, (steps,): Viterbi's algorithm.

    Of equal paths it is the one with the smaller number at the last step where they differ.

    Args:
        chain: the chain.
        scores: values (steps, labels).
    """
    labels = np.empty(len(scores.values), np.int64)
    for batch in _batches(scores, len(chain)):
        back = np.zeros((batch.time, len(batch.lengths), len(chain)), np.int64)
        best = chain.start + batch.scores[0]
        for time in range(1, batch.time):
            pause()
            active = batch.active(time)
            before = best[:active]
            back[time, :active], step = _best_before(chain, before)
            best[:active] = step + batch.scores[time, :active]
        last = (best + chain.end).argmax(axis=1)
        for time in range(batch.time - 1, -1, -1):
            active = batch.active(time)
            labels[batch.starts[:active] + time] = last[:active]
            last[:active] = back[time, np.arange(active), last[:active]]
    return labels


def marginals(chain: Chain, scores: Sequences) -> Floats:
    """Return the probability of each label at each step, given the sequence, (steps, labels): forward-backward."""
    found = np.empty((len(scores.values), len(chain)))
    for batch in _batches(scores, len(chain)):
        forward = np.empty_like(batch.scores)
        forward[0] = chain.start + batch.scores[0]
        for time in range(1, batch.time):
            pause()
            active = batch.active(time)
            step = _summed(forward[time - 1, :active], chain.transitions)
            forward[time, :active] = step + batch.scores[time, :active]
        backward = np.tile(chain.end, (len(batch.lengths), 1))
        for time in range(batch.time - 1, -1, -1):
            active = batch.active(time)
            pause()
            joint = forward[time, :active] + backward[:active]
            found[batch.starts[:active] + time] = np.exp(joint - _log_sum(np.ascontiguousarray(joint.T))[:, None])
            after = batch.scores[time, :active] + backward[:active]
            backward[:active] = _summed(after, chain.transitions.T)
    return found


def lagged_paths(chain: Chain, lookahead: int, scores: Sequences) -> Labels:
    """Return the labels that `LaggedPaths` gives each sequence, concatenated, (steps,)."""
    labels = np.empty(len(scores.values), np.int64)
    for batch in _batches(scores, len(chain)):
        paths = LaggedPaths(chain, lookahead, len(batch.lengths))
        for time in range(batch.time):
            active = batch.active(time)
            pause()
            told = paths.step(batch.scores[time, :active])
            if time >= lookahead:
                labels[batch.starts[:active] + time - lookahead] = told
        for row, rest in enumerate(paths.rest(batch.lengths)):
            end = batch.starts[row] + batch.lengths[row]
            labels[end - len(rest) : end] = rest
    return labels


class LaggedPaths:
    """The best paths so far of a batch of sequences, whose labels become final `lookahead` steps later.

    When a label becomes final it is that of the path that is best by then; other paths are dropped, so that the final
    labels are a path without forbidden transitions.

    Args:
        chain: the chain.
        lookahead: steps, at least 0.
        batch: number of sequences.

    Attributes:
        best: (batch, labels), the score of the best path that ends in each label, less that of the best of all.
        before: (batch, lookahead, labels), the label of that path 1, 2, ... steps ago.
        seen: (1,) int64, the steps so far.
    """

    def __init__(self, chain: Chain, lookahead: int, batch: int = 1) -> None:
        self._chain, self._lookahead = chain, lookahead
        self.best = np.zeros((batch, len(chain)))
        self.before = np.zeros((batch, lookahead, len(chain)), np.int64)
        self.seen = np.zeros(1, np.int64)

    def step(self, scores: Floats) -> Labels:
        """Read a step of the first sequences, (sequences, labels); return the labels of `lookahead` steps ago.

        The others have ended. The labels mean nothing before step `lookahead + 1`.
        """
        active = len(scores)
        best, before = self.best[:active], self.before[:active]
        if self.seen[0]:
            previous, step = _best_before(self._chain, best)
            older = np.take_along_axis(before[:, :-1], previous[:, None], axis=2)
            if self._lookahead:
                before[:] = np.concatenate([previous[:, None], older], axis=1)
            best[:] = step + scores
        else:
            best[:] = self._chain.start + scores
        best -= best.max(axis=1, keepdims=True)
        self.seen += 1
        winner = best.argmax(axis=1)
        if self.seen[0] <= self._lookahead:
            return winner
        oldest = before[:, -1] if self._lookahead else np.broadcast_to(np.arange(len(self._chain)), best.shape)
        final = oldest[np.arange(active), winner]
        best[oldest != final[:, None]] = -np.inf
        return final

    def rest(self, lengths: Labels) -> Iterator[Labels]:
        """Yield the labels of each sequence, of `lengths` steps, that are not final yet if it ends here."""
        last = (self.best + self._chain.end).argmax(axis=1)
        for row, (label, length) in enumerate(zip(last, lengths.tolist(), strict=True)):
            path = [label, *self.before[row, :, label]][: min(self._lookahead, length)]
            yield np.array(path[::-1], np.int64)


@dataclass(frozen=True, eq=False)
class _Batch:
    """Sequences, the longest first.

    Attributes:
        scores: (time, batch, labels) float64.
        starts: (batch,), where each begins in the values of all.
        lengths: (batch,), at least 1.
    """

    scores: Floats
    starts: Labels
    lengths: Labels

    @property
    def time(self) -> int:
        """Steps of the longest sequence."""
        return len(self.scores)

    def active(self, time: int) -> int:
        """Number of sequences that have a step `time`, counted from 0."""
        return int(np.searchsorted(-self.lengths, -time))


def _batches(scores: Sequences, labels: int) -> Iterator[_Batch]:
    """Yield batches of the sequences that have a step."""
    lengths = scores.lengths
    order = np.argsort(-lengths, kind="stable")
    order = order[: np.count_nonzero(lengths)]
    while len(order):
        most = max(1, _ENTRIES // (int(lengths[order[0]]) * labels))
        rows, order = order[:most], order[most:]
        values = scores.pad(rows).values.astype(np.float64)
        yield _Batch(np.ascontiguousarray(values.swapaxes(0, 1)), scores.offsets[rows], lengths[rows])


def _best_before(chain: Chain, best: Floats) -> tuple[Labels, Floats]:
    """Return the best label before each label, (batch, labels), and the score of a path through it."""
    paths = best[:, None, :] + chain.transitions.T
    label = paths.argmax(axis=2)
    return label, np.take_along_axis(paths, label[..., None], axis=2)[..., 0]


def _summed(before: Floats, transitions: Floats) -> Floats:
    """Return the logarithm of the sum over the labels before, (batch, labels)."""
    paths = np.ascontiguousarray(before.T)[:, :, None] + np.ascontiguousarray(transitions)[:, None, :]
    return _log_sum(paths)


def _log_sum(values: Floats) -> Floats:
    """Return log(sum(exp(values))) over the first axis, in the order of that axis."""
    most = values.max(axis=0)
    shares = np.exp(values - most)
    total = shares[0].copy()
    for each in shares[1:]:
        total += each
    return most + np.log(total)
