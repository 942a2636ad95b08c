"""What scores: a network on the engine, from the numbers of sequences to the outputs of its head.

A scorer knows nothing of labels, words, files or units: a model turns data into its input and words its output.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from penstock.errors import ConfigError, ShapeError
from penstock.heads import Pooled, Stepwise
from penstock.network import Network
from penstock.runtime.pool import StreamPool
from penstock.runtime.stack import LayerState, Stack
from penstock.sequences import Sequences

__all__ = ["PooledScorer", "Scorer", "StepScorer", "build"]

Floats = NDArray[np.float32]
State = list[LayerState]
# Steps computed at once, over all sequences of a batch: enough to keep the engine busy, a few tens of megabytes.
_STEPS = 16384
_BATCH = 128


class Scorer:
    """The three parts of a network on the engine; a subclass for each wiring.

    A pickled one holds the description as JSON and the tensors as safetensors.

    Args:
        network: its description.
        tensors: float32 arrays as in `model.safetensors`.

    Attributes:
        inputs: what a step's numbers become before the first layer.
        encoder: the recurrent layers.
        head: what reads their outputs.

    Raises:
        ConfigError: a part has no runtime side.
        ShapeError: the tensors are not those of the description.
    """

    carries: ClassVar[bool] = False
    """Whether forecasts come from a state that has seen all of a series."""

    def __init__(self, network: Network, tensors: Mapping[str, Floats]) -> None:
        _check_shapes(network, tensors)
        self.network, self._tensors = network, tensors
        inputs, encoder, head = network.sides("runtime")
        self.inputs: Any = inputs(network.inputs, _below("inputs.", tensors))
        self.encoder: Stack = encoder(network.encoder, _below("encoder.", tensors))
        self.head: Any = head(
            network.head,
            _below("head.", tensors),
            features=network.encoder.output_size,
            bidirectional=network.encoder.bidirectional,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        tensors = {name: np.ascontiguousarray(array) for name, array in self._tensors.items()}
        return _unpickled, (self.network.to_json(), safetensors.numpy.save(tensors))

    @property
    def pools(self) -> bool:
        """Whether one step of many streams can be computed together, by `pool`."""
        return False

    def vectors(self, values: NDArray[Any], *identity: NDArray[np.int64]) -> Floats:
        """What the first layer reads, (..., input), of features (..., size) or ids (...)."""
        return self.inputs(values, *identity)

    def encode(self, x: Floats, state: State | None = None, lengths: Any = None) -> tuple[Floats, State]:
        """The layers' outputs (batch, time, output) for x (batch, time, input); see `network.wiring.Parts`."""
        y, state = self.encoder(np.ascontiguousarray(x.swapaxes(0, 1)), state, lengths)
        return y.swapaxes(0, 1), state

    def pool(self) -> StreamPool:
        """Many streams, advanced together: a step reads a row of `vectors`, its output is the head's.

        Raises:
            ConfigError: this network's streams can't be advanced together.
        """
        raise ConfigError(
            f"streams of a network with a head of kind {self.network.head.kind!r} can't share a pool. "
            "Open each with the model's stream()."
        )


def build(network: Network, tensors: Mapping[str, Floats]) -> Any:
    """The scorer of a network, wired as its description says; arguments and errors as for `Scorer`."""
    return network.wiring.side("runtime")(network, tensors)


def _unpickled(described: Mapping[str, Any], tensors: bytes) -> Any:
    """The scorer that a pickle holds; ConfigError where it has a part or a cell that isn't registered here."""
    return build(Network.from_json(described), safetensors.numpy.load(tensors))


class _SequenceScorer(Scorer):
    """Sequences in batches of similar lengths, each in spans, so that memory does not grow with a long sequence."""

    def _spans(self, values: NDArray[Any], lengths: NDArray[np.int64]) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
        """Outputs (time, batch, output) of padded features (batch, time, ...), and each sequence's steps in them."""
        batch, longest = values.shape[:2]
        # A backward direction needs all of a sequence at once.
        span = max(longest, 1) if self.network.encoder.bidirectional else max(_STEPS // max(batch, 1), 1)
        state: State | None = None
        for start in range(0, longest, span):
            piece = np.ascontiguousarray(values[:, start : start + span].swapaxes(0, 1))
            inside = np.clip(lengths - start, 0, len(piece))
            y, state = self.encoder(self.vectors(piece), state, inside)
            yield y, inside


class PooledScorer(_SequenceScorer):
    """One row of outputs for each sequence; its bits depend on that sequence alone.

    They do not depend on the other sequences, their order, the padding, the number of threads, or on whether the
    sequence came at once or step by step.
    """

    head: Pooled

    @property
    def pools(self) -> bool:
        """Whether the network reads forward only."""
        return not self.network.encoder.bidirectional

    def scores(self, sequences: Sequences) -> Floats:
        """The head's outputs, (sequences, outputs)."""
        found = np.empty((len(sequences), self.head.outputs), np.float32)
        for indices in _batches(sequences.lengths):
            values, lengths = sequences.pad(indices)
            carry = self.head.init(len(indices))
            for y, inside in self._spans(values, lengths):
                self.head.fold(carry, y, inside)
            found[indices] = self.head.read(carry)
        return found

    def pool(self) -> StreamPool:
        """See `Scorer.pool`; ConfigError if the network is bidirectional."""
        return StreamPool(self.encoder, self.head, of=self)


class StepScorer(_SequenceScorer):
    """A row of outputs for each step of each sequence; its bits depend on that sequence alone, as `PooledScorer`'s."""

    head: Stepwise

    def scores(self, sequences: Sequences) -> Sequences:
        """The head's outputs, with the sequences' own lengths: values (steps of all, outputs)."""
        found = np.empty((int(sequences.offsets[-1]), self.head.outputs), np.float32)
        for indices in _batches(sequences.lengths):
            values, lengths = sequences.pad(indices)
            at = sequences.offsets[:-1][indices]
            for y, inside in self._spans(values, lengths):
                time, row = np.nonzero(np.arange(len(y))[:, None] < inside)
                found[at[row] + time] = self.head(y[time, row])
                at = at + inside
        return Sequences(found, sequences.offsets)


def _below(prefix: str, tensors: Mapping[str, Floats]) -> dict[str, Floats]:
    """The tensors below a prefix like "encoder.", named without it."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


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


def _check_shapes(network: Network, tensors: Mapping[str, Floats]) -> None:
    for name, shape in network.parameter_shapes().items():
        found = tensors[name].shape if name in tensors else "absent"
        if found != tuple(shape):
            raise ShapeError(f"{name} must be {tuple(shape)}, as the network's description says; got {found}")
