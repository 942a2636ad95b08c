"""The scorer of speech recognisers: log-probabilities of tokens for each step, which may look a few steps ahead."""

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.scorer import StepScorer, told
from penstock.sequences import Sequences
from penstock.speech.head import CtcReadout

__all__ = ["SpeechScorer"]


class SpeechScorer(StepScorer):
    """A row of log-probabilities for each step of each sequence; its bits depend on that sequence alone."""

    head: CtcReadout

    def scores(self, sequences: Sequences) -> Sequences:
        """Return log-probabilities as `Sequences` with the same lengths: values (all steps, outputs)."""
        outputs = np.empty((int(sequences.offsets[-1]), self.head.outputs), np.float32)
        with told(sequences) as progress:
            for indices in self._batches(sequences.lengths):
                values, lengths = sequences.pad(indices)
                ahead = [self.head.lookahead() for _ in indices]
                place = sequences.offsets[:-1][indices]
                for y, steps in self._spans(values, lengths):
                    ready = [
                        each.push(y[:count, row]) for row, (each, count) in enumerate(zip(ahead, steps, strict=True))
                    ]
                    self._put(outputs, place, ready)
                    progress.advance(int(steps.sum()))
                self._put(outputs, place, [each.finish() for each in ahead])
        return Sequences(outputs, sequences.offsets)

    def _put(self, outputs: NDArray[np.float32], place: NDArray[np.int64], ready: list[NDArray[np.float32]]) -> None:
        """Write the scores of outputs that are ready, each from its sequence's place on, and move the places."""
        counts = np.array([len(each) for each in ready])
        scores = self.head(np.ascontiguousarray(np.concatenate(ready)))
        before = np.repeat(place - (np.cumsum(counts) - counts), counts)
        outputs[before + np.arange(len(scores))] = scores
        place += counts
