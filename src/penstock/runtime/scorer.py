"""What scores: a network on the engine, from the numbers of sequences to the outputs of its head.

A scorer knows nothing of labels, words, files or units: a model turns data into its input and words its output.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import heads
from penstock.errors import ConfigError
from penstock.network import Embedding, Network, Numbers, Segments
from penstock.runtime.inputs import EmbeddingInputs, NumberInputs, SegmentInputs
from penstock.runtime.pool import StreamPool
from penstock.runtime.stack import LayerState, Stack
from penstock.sequences import Sequences

__all__ = ["PooledScorer", "Scorer"]

Floats = NDArray[np.float32]
_INPUTS: dict[type, Any] = {Embedding: EmbeddingInputs, Numbers: NumberInputs, Segments: SegmentInputs}
# Steps computed at once, over all sequences of a batch: enough to keep the engine busy, a few tens of megabytes.
_STEPS = 16384
_BATCH = 128


class Scorer:
    """The three parts of a network on the engine; a subclass for each way to wire them.

    Args:
        network: its description.
        tensors: float32 arrays as in `model.safetensors`.

    Attributes:
        inputs: what a step's numbers become before the first layer.
        encoder: the recurrent layers.
        head: what reads their outputs.
    """

    pools: bool = False
    """Whether one step of many streams can be computed together, by `pool`."""

    def __init__(self, network: Network, tensors: Mapping[str, Floats]) -> None:
        self.network = network
        encoder = network.encoder
        self.inputs: Any = _INPUTS[type(network.inputs)](network.inputs, below("inputs.", tensors))
        self.encoder = Stack(encoder, below("encoder.", tensors))
        self.head: Any = heads.build(
            network.head, tensors, features=encoder.output_size, bidirectional=encoder.bidirectional
        )

    def vectors(self, values: NDArray[Any], *more: NDArray[Any]) -> Floats:
        """What the first layer reads, (..., input), of features (..., size) or ids (...)."""
        return self.inputs(values, *more)

    def pool(self) -> StreamPool:
        """Many streams, advanced together: a step reads a row of `vectors`, its output is the head's.

        Raises:
            ConfigError: this network's streams can't be advanced together.
        """
        raise ConfigError(
            f"streams of a network with a head of kind {self.network.head.kind!r} can't share a pool. "
            "Open each with the model's stream()."
        )


class PooledScorer(Scorer):
    """One row of outputs for each sequence; its bits depend on that sequence alone.

    They do not depend on the other sequences, their order, the padding, the number of threads, or on whether the
    sequence came at once or step by step.
    """

    @property
    def pools(self) -> bool:  # type: ignore[override]  # here it depends on the network
        """Whether the network reads forward only."""
        return not self.network.encoder.bidirectional

    def scores(self, sequences: Sequences) -> Floats:
        """The head's outputs, (sequences, outputs)."""
        found = np.empty((len(sequences), self.head.outputs), np.float32)
        for indices in batches(sequences.lengths):
            found[indices] = self._batch(*sequences.pad(indices))
        return found

    def pool(self) -> StreamPool:
        """See `Scorer.pool`; ConfigError if the network is bidirectional."""
        return StreamPool(self.encoder, self.head)

    def _batch(self, values: NDArray[Any], lengths: NDArray[np.int64]) -> Floats:
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


def below(prefix: str, tensors: Mapping[str, Floats]) -> dict[str, Floats]:
    """The tensors below a prefix like "encoder.", named without it."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
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
