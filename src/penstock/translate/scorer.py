"""A network that attends to a source, on the engine: its sources read, its targets scored."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.batches import length_batches
from penstock.runtime.scorer import Scorer
from penstock.sequences import Sequences
from penstock.translate.attention import Source
from penstock.translate.beam import Beam, Hypothesis, log_probabilities, search
from penstock.translate.head import AttentionReadout

__all__ = ["AttendingScorer"]

BATCH = 64
"""Sources at once: enough for the engine to be quick, in tens of megabytes for a vocabulary of 10,000."""


class AttendingScorer(Scorer):
    """Reads sources and writes or scores targets; the bits of a target depend on its source alone."""

    head: AttentionReadout

    def batches(self, sequences: Sequences) -> Iterator[tuple[NDArray[np.int64], list[Source]]]:
        """Yield places in `sequences`, of similar lengths, and the sources there; each has 1 step or more."""
        for places in length_batches(sequences.lengths, BATCH):
            values, lengths = sequences.pad(places)
            y, _ = self.encode(self.vectors(values), lengths=lengths)
            yield places, self.head.sources(y, lengths)

    def search(
        self, sequences: Sequences, beam: Beam, n_best: int | None = None
    ) -> Iterator[tuple[int, list[Hypothesis]]]:
        """Yield the place of each source, in any order, with its `n_best` targets, the best first; all if None."""
        for places, sources in self.batches(sequences):
            yield from zip(places.tolist(), search(self.head, sources, beam, n_best), strict=True)

    def scores(self, sequences: Sequences, targets: Sequences) -> Sequences:
        """Return the log-probability of each target token, float64.

        Args:
            sequences: the sources.
            targets: the ids of each target from the begin token to the end token: one more than are scored.
        """
        lengths = np.maximum(targets.lengths - 1, 0)
        found = Sequences(np.empty(int(lengths.sum())), np.concatenate([[0], np.cumsum(lengths)]))
        for places, sources in self.batches(sequences):
            order = np.argsort(-lengths[places], kind="stable")
            rows = self.head.begin([sources[place] for place in order])
            tokens, counts = targets.pad(places[order]).values, lengths[places[order]]
            for step in range(int(counts.max(initial=0))):
                live = np.arange(int((counts > step).sum()))
                rows = rows.take(live, (counts > step)[: len(rows.counts)].astype(np.int64))
                scores, _, rows = self.head.step(rows, tokens[live, step])
                each = log_probabilities(scores, tokens[live, step + 1][:, None])[:, 0]
                found.values[found.offsets[places[order[live]]] + step] = each
        return found
