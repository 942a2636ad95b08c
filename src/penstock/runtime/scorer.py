"""Scorers: a network on the engine, from numeric sequences to the outputs of its head.

A scorer knows nothing of labels, words, files or units: a model converts data to its input, and its output to
predictions.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from penstock.errors import ConfigError, ShapeError
from penstock.events import Steps
from penstock.heads import Pooled, Stepwise
from penstock.network import Network
from penstock.pauses import pause
from penstock.runtime.pool import StreamPool
from penstock.runtime.stack import MULTIPLICATIONS, LayerState, Stack
from penstock.sequences import Sequences

__all__ = ["PooledScorer", "Scorer", "SequenceScorer", "StepScorer", "build", "told"]

_LOGGER = logging.getLogger("penstock.runtime")

Floats = NDArray[np.float32]
State = list[LayerState]
# Steps computed at once, over all sequences of a batch: enough to keep the engine busy in tens of megabytes of memory.
_STEPS = 16384
_BATCH = 128


class Scorer:
    """The three parts of a network on the engine; there is a subclass for each wiring.

    A pickled one holds the description as JSON and the tensors as safetensors.

    Args:
        network: the network's description.
        tensors: float32 arrays as in `model.safetensors`.

    Attributes:
        inputs: converts a step's values to the first layer's input.
        encoder: the recurrent layers.
        head: reads the outputs of the encoder.

    Raises:
        ConfigError: a part has no runtime implementation.
        ShapeError: the tensors do not match the description.
    """

    carries: ClassVar[bool] = False
    """Whether forecasts come from a state that is carried over the whole series."""

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
        """Whether a step of many streams can be computed together, with `pool`."""
        return False

    def vectors(self, values: NDArray[Any], *identity: NDArray[np.int64]) -> Floats:
        """Return the first layer's input (..., input) for features (..., size) or ids (...)."""
        return self.inputs(values, *identity)

    def encode(self, x: Floats, state: State | None = None, lengths: Any = None) -> tuple[Floats, State]:
        """Run the layers: x (batch, time, input) -> outputs (batch, time, output); see `network.wiring.Parts`."""
        y, state = self.encoder(np.ascontiguousarray(x.swapaxes(0, 1)), state, lengths)
        return y.swapaxes(0, 1), state

    def pool(self) -> StreamPool:
        """Return a pool of streams that advance together: a step reads rows of `vectors`, and outputs are the head's.

        Raises:
            ConfigError: streams of this network cannot be advanced together.
        """
        raise ConfigError(
            f"streams of a network with a head of kind {self.network.head.kind!r} can't share a pool. "
            "Open each with the model's stream()."
        )


def build(network: Network, tensors: Mapping[str, Floats]) -> Any:
    """Make the scorer for a network's wiring; arguments and errors as for `Scorer`."""
    return network.wiring.side("runtime")(network, tensors)


def _unpickled(described: Mapping[str, Any], tensors: bytes) -> Any:
    """The scorer that a pickle holds; ConfigError where it has a part or a cell that isn't registered here."""
    return build(Network.from_json(described), safetensors.numpy.load(tensors))


class SequenceScorer(Scorer):
    """Runs sequences in batches of similar lengths and in spans of time, which bounds the memory for long sequences."""

    def _batches(self, lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
        """Yield indices of sequences of similar lengths, so that little padding is computed."""
        most = _STEPS
        if self.network.encoder.bidirectional:
            # The engine is quicker with fewer sequences than with fewer steps at a time, see `Stack`.
            most = max(_STEPS // 8, min(_STEPS, MULTIPLICATIONS // self.encoder.weights))
        order = np.argsort(lengths, kind="stable")
        start = 0
        while start < len(order):
            end = min(start + _BATCH, len(order))
            # Shrink to what the length of the last sequence, the longest, allows.
            while end > start + 1 and lengths[order[end - 1]] * (end - start) > most:
                end -= 1
            yield order[start:end]
            start = end

    def _spans(self, values: NDArray[Any], lengths: NDArray[np.int64]) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
        """Yield spans of outputs (time, batch, output), and each sequence's steps in them, for padded features."""
        batch, longest = values.shape[:2]
        span = max(_STEPS // max(batch, 1), 1)
        whole: Floats | None = None
        if self.network.encoder.bidirectional:  # a backward direction begins at the end
            self.encoder.check_room(longest, batch)
            whole, _ = self.encoder(self._whole(values, span), None, lengths)
        state: State | None = None
        for start in range(0, longest, span):
            steps = np.clip(lengths - start, 0, min(span, longest - start))
            if whole is None:
                piece = np.ascontiguousarray(values[:, start : start + span].swapaxes(0, 1))
                y, state = self.encoder(self.vectors(piece), state, steps)
            else:
                y = whole[start : start + span]
            yield y, steps

    def _whole(self, values: NDArray[Any], span: int) -> Floats:
        """Return the first layer's input (time, batch, input) for features (batch, time, ...)."""
        x = np.empty((*values.shape[1::-1], self.network.encoder.input_size), np.float32)
        for start in range(0, len(x), span):
            x[start : start + span] = self.vectors(np.ascontiguousarray(values[:, start : start + span].swapaxes(0, 1)))
            pause()
        return x


class PooledScorer(SequenceScorer):
    """One row of outputs for each sequence; its bits depend on that sequence alone.

    They do not depend on other sequences, their order, padding, the number of threads, or on whether the sequence is
    read whole or step by step.
    """

    head: Pooled

    @property
    def pools(self) -> bool:
        """Whether the network is unidirectional."""
        return not self.network.encoder.bidirectional

    def scores(self, sequences: Sequences) -> Floats:
        """Return the head's outputs, (sequences, outputs)."""
        outputs = np.empty((len(sequences), self.head.outputs), np.float32)
        with told(sequences) as progress:
            for indices in self._batches(sequences.lengths):
                values, lengths = sequences.pad(indices)
                carry = self.head.init(len(indices))
                for y, steps in self._spans(values, lengths):
                    self.head.fold(carry, y, steps)
                    progress.advance(int(steps.sum()))
                outputs[indices] = self.head.read(carry)
        return outputs

    def pool(self) -> StreamPool:
        """See `Scorer.pool`; ConfigError if the network is bidirectional."""
        return StreamPool(self.encoder, self.head, of=self)


class StepScorer(SequenceScorer):
    """A row of outputs for each step of each sequence; its bits depend on that sequence alone, as in `PooledScorer`."""

    head: Stepwise

    def scores(self, sequences: Sequences) -> Sequences:
        """Return the head's outputs as `Sequences` with the same lengths: values (all steps, outputs)."""
        outputs = np.empty((int(sequences.offsets[-1]), self.head.outputs), np.float32)
        with told(sequences) as progress:
            for indices in self._batches(sequences.lengths):
                values, lengths = sequences.pad(indices)
                start = sequences.offsets[:-1][indices]
                for y, steps in self._spans(values, lengths):
                    time, row = np.nonzero(np.arange(len(y))[:, None] < steps)
                    outputs[start[row] + time] = self.head(y[time, row])
                    start = start + steps
                    progress.advance(int(steps.sum()))
        return Sequences(outputs, sequences.offsets)


def told(sequences: Sequences) -> Steps:
    """Return the progress over the steps of sequences, to be advanced."""
    return Steps(_LOGGER, "predicting", int(sequences.offsets[-1]), "steps")


def _below(prefix: str, tensors: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the tensors whose names start with a prefix like "encoder.", without the prefix."""
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _check_shapes(network: Network, tensors: Mapping[str, Floats]) -> None:
    for name, shape in network.parameter_shapes().items():
        shape_found = tensors[name].shape if name in tensors else "absent"
        if shape_found != tuple(shape):
            raise ShapeError(f"{name} must be {tuple(shape)}, from the network's description; got {shape_found}")
