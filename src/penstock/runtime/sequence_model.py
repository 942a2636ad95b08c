"""Models that give one prediction for a whole sequence: features, a scorer, and words for what it says."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.model import Model
from penstock.runtime.scorer import PooledScorer
from penstock.runtime.sequence_stream import SequenceStream
from penstock.sequences import Sequences

__all__ = ["SequenceModel"]


class SequenceModel(Model):
    """A model with one prediction for each sequence; its bits depend on that sequence alone.

    What a kind of data adds: `checked`, `encode` and `item`; what a kind of prediction adds: `decode`.
    """

    scorer: PooledScorer

    @abstractmethod
    def checked(self, inputs: Any) -> Sequence[Any]:
        """The inputs as a sequence that can be gone through twice; DataError if they are none of this model's."""

    @abstractmethod
    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """The features of checked inputs: ids or numbers, one sequence each."""

    @abstractmethod
    def decode(self, outputs: NDArray[np.float32]) -> Any:
        """The prediction that a head's outputs for one sequence, (outputs,), stand for: what a stream returns."""

    def outputs(self, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """The head's outputs for checked inputs, (inputs, outputs)."""
        return self.scorer.scores(self.encode(inputs))

    def stream(self) -> SequenceStream:
        """A sequence that arrives piece by piece, and the prediction so far after each.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return SequenceStream(self)
