"""Inputs and head of taggers at run time, on NumPy and the engine."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.heads import Chain
from penstock.runtime.stack import Stack
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.tagging.spellings import distinct

__all__ = ["SpelledWordInputs", "TagReadout"]

Floats = NDArray[np.float32]
# Spellings that are read together: enough for the engine, and little padding, since they are sorted by length.
_BATCH = 512


class SpelledWordInputs:
    """The vectors of words: rows of a table, beside those of pairs, and what two layers read of the spelling.

    Args:
        spec: the description.
        tensors: as its `parameter_shapes`.
    """

    def __init__(self, spec: SpelledWords, tensors: Mapping[str, Floats]) -> None:
        self._spec, self._words = spec, tensors["words.weight"]
        if spec.pairs:
            self._pairs = tensors["pairs.weight"]
        if spec.characters:
            self._characters = tensors["characters.weight"]
            below = {name.removeprefix("speller."): array for name, array in tensors.items() if "speller." in name}
            self._speller = Stack(spec.speller, below)

    def __call__(self, ids: NDArray[np.integer[Any]]) -> Floats:
        """Return the vectors (..., size) of ids (..., 1 + pairs + characters).

        A word's bits do not depend on the other words.
        """
        spec, words = self._spec, self._words[ids[..., 0]]
        first = 1 + spec.neighbours
        if spec.pairs:
            pairs = self._pairs[ids[..., 1:first]].reshape(*words.shape[:-1], spec.neighbours * spec.pair_size)
            words = np.concatenate([words, pairs], axis=-1)
        if not spec.characters:
            return words
        spellings, lengths, which = distinct(ids[..., first:].reshape(ids[..., 0].size, ids.shape[-1] - first))
        read = self._read(spellings, lengths)[which]
        return np.concatenate([words, read.reshape(*words.shape[:-1], read.shape[1])], axis=-1)

    def _read(self, spellings: NDArray[np.int32], lengths: NDArray[np.int64]) -> Floats:
        """Return the last outputs of both directions, (spellings, 2 * hidden); zeros for no characters."""
        found = np.zeros((len(spellings), 2 * self._spec.character_hidden_size), np.float32)
        for start in range(0, len(spellings), _BATCH):
            rows = slice(start, start + _BATCH)
            longest = int(lengths[rows].max(initial=0))
            if longest:
                x = self._characters[spellings[rows, :longest].T]
                _, states = self._speller(x, lengths=lengths[rows])
                found[rows] = np.concatenate(states[-1][0], axis=1)
        return found


class TagReadout:
    """Scores of the tags for each step, and the chain that joins them.

    Args:
        spec: the description.
        tensors: as its `parameter_shapes`.
        features: the encoder's output size.
        bidirectional: ignored; accepted because all heads take it.

    Attributes:
        outputs: the number of tags.
        chain: the scores of pairs of tags; None without a CRF.
    """

    def __init__(
        self, spec: TagHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.outputs = spec.classes
        self.chain = Chain.of(tensors) if spec.crf else None
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])

    def __call__(self, y: Floats) -> Floats:
        """y (steps, features) -> scores (steps, tags); a row's bits do not depend on other rows."""
        return self._linear(y)
