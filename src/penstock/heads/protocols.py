"""Interfaces of heads at run time, one per wiring, and of decoders.

A pooled head accumulates a sequence's outputs and computes one row of scores from them. A stepwise head gives a row of
scores for each step, which a decoder turns into labels. Forecast heads have no protocol: their scorers, in
`forecast.scorer`, call them directly.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Carry", "Decoder", "DecoderStream", "Pooled", "Stepwise"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

Carry = dict[str, NDArray[Any]]
"""Accumulators of a fold by name; the first axis of each array is the batch."""


class Pooled(Protocol):
    """A head that gives one row of scores per sequence, for the whole sequence or after any step."""

    outputs: int

    def init(self, batch: int) -> Carry:
        """Return the accumulators before the first step."""
        ...

    def step(self, carry: Carry, y: Floats, active: NDArray[np.bool_] | None = None) -> Carry:
        """Accumulate one step's outputs y (batch, features) of the `active` sequences; `carry` changes in place."""
        ...

    def fold(self, carry: Carry, y: Floats, lengths: NDArray[np.int64] | None = None) -> Carry:
        """Call `step` for each step of y (time, batch, features); `lengths` (batch,) counts each sequence's steps."""
        ...

    def read(self, carry: Carry) -> Floats:
        """Return the scores (batch, outputs) after the steps so far; `carry` does not change."""
        ...


class Stepwise(Protocol):
    """A head that gives a row of scores for each step; a row's bits depend on that step's output alone."""

    outputs: int

    def __call__(self, y: Floats, /) -> Floats:
        """y (steps, features) -> scores (steps, outputs)."""
        ...


class DecoderStream(Protocol):
    """A decoder that processes scores as they arrive, in constant memory.

    The results of all calls of `push` and of `finish`, concatenated, equal `Decoder.whole` of all scores, however the
    scores were cut into pieces.
    """

    def push(self, scores: Floats, /) -> Labels:
        """Take the scores (steps, outputs) of new steps; return the labels that are now final, possibly none."""
        ...

    def finish(self) -> Labels:
        """Return the remaining labels if the sequence ends here; changes nothing."""
        ...

    def reset(self) -> None:
        """Clear the memory for the next sequence."""
        ...

    def arrays(self) -> Carry:
        """Return the memory by name: the float32, float64 or int64 arrays that the decoder itself works in.

        A stream reads and writes these arrays to save, load and fork a decoder.
        """
        ...

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Return the least and greatest value that an int64 array of the memory may hold, if not 0 to 2**53.

        A state is checked against these bounds before it is loaded, because it may come from an untrusted source.
        """
        ...


class Decoder(Protocol):
    """Turns the scores of a sequence's steps into labels, numbered from 0: one per step, or fewer (CTC).

    Attributes:
        immediate: whether each label depends only on its own step's scores and is final at once.
    """

    immediate: bool

    def whole(self, scores: Floats, /) -> Labels:
        """Return the labels (labels,) of a whole sequence with scores (steps, outputs)."""
        ...

    def stream(self) -> DecoderStream:
        """Return a decoder with its own memory for scores that arrive piece by piece."""
        ...
