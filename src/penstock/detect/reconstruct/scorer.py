"""A network that reproduces examples, on the engine."""

import numpy as np

from penstock.detect.reconstruct.head import ReconstructionReadout
from penstock.runtime.scorer import SequenceScorer, told
from penstock.sequences import Sequences

__all__ = ["ReconstructionScorer"]


class ReconstructionScorer(SequenceScorer):
    """A row of outputs for each step of each example; its bits depend on that example alone."""

    head: ReconstructionReadout

    def scores(self, sequences: Sequences) -> Sequences:
        """Return the head's outputs as `Sequences` with the same lengths: values (all steps, outputs)."""
        outputs = np.empty((int(sequences.offsets[-1]), self.head.outputs), np.float32)
        with told(sequences) as progress:
            for indices in self._batches(sequences.lengths):
                values, lengths = sequences.pad(indices)
                _, states = self.encode(self.vectors(values), lengths=lengths)
                ends = states[-1][0][0]  # a layer's first state is its output
                for place, rows in zip(indices.tolist(), self.head(ends, lengths), strict=True):
                    outputs[sequences.offsets[place] : sequences.offsets[place + 1]] = rows
                progress.advance(int(lengths.sum()))
        return Sequences(outputs, sequences.offsets)
