"""Base class of models that read sequences: features, a scorer, and the conversion of scores to predictions."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from penstock.runtime.model import Model
from penstock.runtime.sequence_stream import SequenceStream
from penstock.runtime.stream import Stream
from penstock.sequences import Sequences

__all__ = ["SequenceModel"]


class SequenceModel(Model):
    """A model whose prediction for a sequence has bits that depend on that sequence alone.

    A subclass for a kind of data implements `checked`, `encode` and `item`; one for a kind of prediction implements
    `decode`. There is one prediction for the whole sequence, unless a subclass overrides `stream` and `outputs`, as
    `StepModel` does.
    """

    scorer: Any  # a PooledScorer or a StepScorer

    @abstractmethod
    def checked(self, inputs: Any) -> Sequence[Any]:
        """Return the inputs as a sequence (iterable twice); DataError if they are not of this model's kind."""

    @abstractmethod
    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """Return the features of checked inputs: one sequence of ids or numbers for each."""

    @abstractmethod
    def decode(self, outputs: Any) -> Any:
        """Convert the head's outputs for a sequence, (outputs,) or stepwise (steps, outputs), to its prediction."""

    def outputs(self, inputs: Sequence[Any]) -> Any:
        """Return the head's outputs for checked inputs: (inputs, outputs), or `Sequences` for a stepwise head."""
        return self.scorer.scores(self.encode(inputs))

    def stream(self) -> Stream:
        """Start a stream for a sequence that arrives piece by piece, with a prediction after each piece.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return SequenceStream(self)
