"""Models that give one answer for a whole sequence: features, layers, a fold over time."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import heads
from penstock.runtime.model import Model
from penstock.runtime.pool import StreamPool
from penstock.runtime.sequence_stream import SequenceStream
from penstock.runtime.stack import LayerState, Stack
from penstock.sequences import Sequences

__all__ = ["SequenceModel"]

# Steps computed at once, over all sequences of a batch: enough to keep the engine busy, a few tens of megabytes.
_STEPS = 16384
_BATCH = 128


class SequenceModel(Model):
    """A model with one answer for each sequence; its bits depend on that sequence alone.

    Not on the other sequences, their order, the padding, the number of threads, or on whether it came at once or piece
    by piece. What a kind of data adds: `encode` and `vectors`; what a kind of head adds: `spoken`.
    """

    def build(self) -> None:
        """The layers and the head."""
        encoder = self.network.encoder
        self.encoder = Stack(encoder, self.part("encoder."))
        self.head = heads.build(
            self.network.head, self.tensors, features=encoder.output_size, bidirectional=encoder.bidirectional
        )

    @abstractmethod
    def checked(self, inputs: Any) -> Sequence[Any]:
        """The inputs as a sequence that can be gone through twice; DataError if they are none of this model's."""

    @abstractmethod
    def encode(self, inputs: Sequence[Any]) -> Sequences:
        """The features of checked inputs: ids or numbers, one sequence each."""

    @abstractmethod
    def spoken(self, outputs: NDArray[np.float32]) -> Any:
        """A head's outputs for one sequence, (outputs,), as people read them: what a stream answers."""

    def vectors(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """What the first layer reads of features (..., size): themselves, where they are numbers."""
        return values

    def outputs(self, inputs: Sequence[Any]) -> NDArray[np.float32]:
        """The head's outputs for checked inputs, (inputs, outputs)."""
        sequences = self.encode(inputs)
        answers = np.empty((len(sequences), self.head.outputs), np.float32)
        for indices in _batches(sequences.lengths):
            answers[indices] = self._answer(*sequences.pad(indices))
        return answers

    def stream(self) -> SequenceStream:
        """A sequence that arrives piece by piece, and the answer so far after each.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return SequenceStream(self)

    def pool(self) -> StreamPool:
        """Many streams of this model, advanced together; a step's input is a row of `vectors`, its answer the head's.

        Raises:
            ConfigError: the model is bidirectional.
        """
        return StreamPool(self.encoder, self.head)

    def _answer(self, values: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
        """Outputs (batch, outputs) for padded features (batch, time, ...)."""
        batch, longest = values.shape[:2]
        # In spans, so that memory does not grow with a long sequence; a backward direction needs all of it at once.
        span = max(longest, 1) if self.network.encoder.bidirectional else max(_STEPS // max(batch, 1), 1)
        carry = self.head.init(batch)
        state: list[LayerState] | None = None
        for start in range(0, longest, span):
            piece = np.ascontiguousarray(values[:, start : start + span].swapaxes(0, 1))
            inside = np.clip(lengths - start, 0, len(piece))
            y, state = self.encoder(self.vectors(piece), state, inside)
            self.head.fold(carry, y, inside)
        return self.head.read(carry)


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Indices of sequences of similar lengths, so that little is computed for padding."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    while start < len(order):
        end = min(start + _BATCH, len(order))
        # Shrink to what the longest, the last one, allows.
        while end > start + 1 and lengths[order[end - 1]] * (end - start) > _STEPS:
            end -= 1
        yield order[start:end]
        start = end
