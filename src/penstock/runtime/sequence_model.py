"""Models of sequences: features, a scorer, and words for what it says."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from penstock.runtime.model import Model
from penstock.runtime.sequence_stream import SequenceStream
from penstock.runtime.stream import Stream
from penstock.sequences import Sequences

__all__ = ["SequenceModel"]


class SequenceModel(Model):
    """A model whose predictions for a sequence have bits that depend on that sequence alone.

    What a kind of data adds: `checked`, `encode` and `item`; what a kind of prediction adds: `decode`. The prediction
    is one for the whole sequence, unless a subclass has another stream and another form of outputs, as `StepModel`.
    """

    scorer: Any  # a PooledScorer or a StepScorer

    @abstractmethod
    def checked(self, inputs: Any) -> Sequence[Any]:
        """The inputs as a sequence that can be gone through twice; DataError if they are none of this model's."""

    @abstractmethod
    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """The features of checked inputs: ids or numbers, one sequence each."""

    @abstractmethod
    def decode(self, outputs: Any) -> Any:
        """What the head's outputs for one sequence mean: (outputs,), or (steps, outputs) of a stepwise head."""

    def outputs(self, inputs: Sequence[Any]) -> Any:
        """The head's outputs for checked inputs: of a pooled head (inputs, outputs), of a stepwise `Sequences`."""
        return self.scorer.scores(self.encode(inputs))

    def stream(self) -> Stream:
        """A sequence that arrives piece by piece, and the prediction so far after each.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return SequenceStream(self)
