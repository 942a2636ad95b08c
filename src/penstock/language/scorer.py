"""Language models on the engine: the log-probability of each token, whole or step by step with the same bits."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.events import Steps
from penstock.language.spec import check_head
from penstock.network import Network
from penstock.runtime.scorer import SequenceScorer, State
from penstock.sequences import Sequences

__all__ = ["LanguageScorer", "shifted"]

Floats = NDArray[np.float32]

_LOGGER = logging.getLogger("penstock.runtime")
_SPAN = 1024
"""Steps of one sequence read at once: enough for the engine's speed."""
_SCORES = 1 << 22
"""Scores computed at once, which bounds the memory whatever the vocabulary."""


class LanguageScorer(SequenceScorer):
    """Scores each step of a sequence from those before it; never holds (steps, vocabulary) for a whole sequence."""

    def __init__(self, network: Network, tensors: Mapping[str, Floats]) -> None:
        check_head(network)
        tied = getattr(network.head, "tied", False) and "inputs.weight" in tensors
        super().__init__(network, {**tensors, **({"head.weight": tensors["inputs.weight"]} if tied else {})})
        self._tensors = tensors  # what a pickle holds: a shared table once

    def score(self, inputs: NDArray[Any], targets: NDArray[Any], state: State | None = None) -> tuple[Floats, Any]:
        """Return the log-probability of each target, (steps,), and the state after the last step.

        Args:
            inputs: (steps,) ids, or (steps, notes) frames: what each step reads.
            targets: of the same shape: what comes after each.
            state: the result of an earlier call; None for the initial state.
        """
        found = np.empty(len(targets), np.float32)
        for start in range(0, len(targets), _SPAN):
            piece = slice(start, start + _SPAN)
            y, state = self.encoder(np.ascontiguousarray(self.vectors(inputs[piece])[:, None]), state)
            found[piece] = self._at(y[:, 0], targets[piece])
        return found, state

    def log_probabilities(self, sequences: Sequences, first: Any) -> Floats:
        """Return the log-probability of each step of each sequence, (total,); its bits depend on its sequence alone.

        Args:
            sequences: ids (total,), or frames (total, notes).
            first: what stands before the first step of each sequence: an id, or a frame (notes,).
        """
        inputs, found = shifted(sequences, first), np.empty(len(sequences.values), np.float32)
        with Steps(_LOGGER, "predicting", len(found), "steps") as told:
            for indices in self._batches(sequences.lengths):
                values, lengths = inputs.pad(indices)
                start = sequences.offsets[:-1][indices]
                for y, steps in self._spans(values, lengths):
                    time, row = np.nonzero(np.arange(len(y))[:, None] < steps)
                    places = start[row] + time
                    found[places] = self._at(y[time, row], sequences.values[places])
                    start = start + steps
                    told.advance(int(steps.sum()))
        return found

    def after(self, sequences: Sequences) -> Floats:
        """Return the head's scores of what comes after the last step of each sequence, (sequences, outputs).

        Args:
            sequences: what is read, the first step's input included.
        """
        outputs = np.empty((len(sequences), self.head.outputs), np.float32)
        for indices in self._batches(sequences.lengths):
            values, lengths = sequences.pad(indices)
            _, state = self.encode(self.vectors(values), lengths=lengths)
            outputs[indices] = self.head.scores(state[-1][0][0])
        return outputs

    def _at(self, y: Floats, targets: NDArray[Any]) -> Floats:
        """The log-probabilities of targets after outputs y (rows, features), as many at once as memory allows."""
        rows = max(1, _SCORES // self.head.width)
        parts = [slice(start, start + rows) for start in range(0, len(y), rows)]
        found = [self.head.log_probabilities(np.ascontiguousarray(y[part]), targets[part]) for part in parts]
        return np.concatenate([np.zeros(0, np.float32), *found])


def shifted(sequences: Sequences, first: Any) -> Sequences:
    """Return what each step reads: the step before it; at the start of each sequence `first`, an id or a frame."""
    values = np.empty_like(sequences.values)
    values[1:] = sequences.values[:-1]
    values[sequences.offsets[:-1][sequences.lengths > 0]] = first
    return Sequences(values, sequences.offsets)
