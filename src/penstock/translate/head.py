"""The attending decoder on the engine, one target token a step; the counterpart of `translate.layers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.runtime.stack import Stack
from penstock.translate.attention import AttentionLayer, Source
from penstock.translate.spec import AttentionDecoder

__all__ = ["AttentionReadout", "Rows"]

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Rows:
    """Target sequences that are being written; those of one source stand beside each other.

    Attributes:
        sources: the sources.
        counts: (sources,), the number of rows of each.
        states: of each decoder layer, each (rows, size).
        fed: (rows, embedding), the readouts of the step before; None without input feeding.
    """

    sources: Sequence[Source]
    counts: NDArray[np.int64]
    states: list[tuple[Floats, ...]]
    fed: Floats | None

    def take(self, rows: NDArray[np.int64], counts: NDArray[np.int64]) -> "Rows":
        """Continue from these rows, which stay with their sources; sources without a row are left out."""
        return Rows(
            [source for source, count in zip(self.sources, counts.tolist(), strict=True) if count],
            counts[counts > 0],
            [tuple(state[rows] for state in states) for states in self.states],
            None if self.fed is None else self.fed[rows],
        )


class AttentionReadout:
    """Scores of the next target token, step by step; a row's bits do not depend on other rows.

    Args:
        spec: `translate.spec.AttentionDecoder`.
        tensors: those of `spec.parameter_shapes`.
        features: the encoder's output size.
        bidirectional: whether the second half of the features belongs to the backward direction.
    """

    def __init__(
        self, spec: AttentionDecoder, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.spec, self.outputs = spec, spec.vocabulary_size
        self._forward_features = features // 2 if bidirectional else features
        self._embedding = tensors["embedding"]
        below = {name.removeprefix("decoder."): array for name, array in tensors.items() if name.startswith("decoder.")}
        self._streams = Stack(spec.decoder, below).streams()
        self._initial = engine.Linear(tensors["initial_weight"], tensors["initial_bias"])
        self._attention = AttentionLayer(spec, tensors)
        self._readout = engine.Linear(tensors["readout_weight"], tensors["readout_bias"])
        weight = self._embedding if spec.tied else tensors["output_weight"]
        self._output = engine.Linear(weight, tensors["output_bias"])

    def sources(self, y: Floats, lengths: NDArray[np.int64]) -> list[Source]:
        """Prepare the encoder's outputs y (batch, source, features), of `lengths` (batch,) steps, 1 or more."""
        last = y[np.arange(len(y)), lengths - 1, : self._forward_features]
        ends = np.concatenate([last, y[:, 0, self._forward_features :]], 1)
        states = engine.tanh(self._initial(np.ascontiguousarray(ends)))
        return [
            self._attention.source(row[:length], state) for row, length, state in zip(y, lengths, states, strict=True)
        ]

    def begin(self, sources: Sequence[Source]) -> Rows:
        """Return one row for each source, before its first target token."""
        initial = np.stack([source.state for source in sources])
        sizes, layers = self.spec.state_sizes, self.spec.decoder.num_layers
        pieces = np.split(initial, np.cumsum(sizes * layers)[:-1], axis=1)
        count = len(sizes)
        states = [
            tuple(np.ascontiguousarray(piece) for piece in pieces[layer * count : (layer + 1) * count])
            for layer in range(layers)
        ]
        size = self.spec.embedding_size
        fed = np.zeros((len(sources), size), np.float32) if self.spec.input_feeding else None
        return Rows(sources, np.ones(len(sources), np.int64), states, fed)

    def step(self, rows: Rows, tokens: NDArray[Any]) -> tuple[Floats, Floats, Rows]:
        """Read one target token for each row.

        Args:
            rows: from `begin`, `step` or `Rows.take`; its states are overwritten.
            tokens: (rows,).

        Returns:
            The scores (rows, vocabulary) of the tokens that may come next, the attention weights (rows, longest
            source), and the rows after this step.
        """
        x = self._embedding[tokens]
        if rows.fed is not None:
            x = np.concatenate([x, rows.fed], 1)
        y = self._streams.step(np.arange(len(x)), np.ascontiguousarray(x), rows.states)
        means, weights = self._attention(y, rows.sources, rows.counts)
        readout = engine.tanh(self._readout(np.concatenate([means, y], 1)))
        after = rows if rows.fed is None else replace(rows, fed=readout)
        return self._output(readout), weights, after
