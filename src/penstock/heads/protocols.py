"""What a head must have at run time, by how it is wired, and what a decoder is.

A pooled head folds a sequence's outputs and reads one row of scores from the fold. A stepwise head gives a row of
scores for each step, and a decoder says which labels they mean. Heads for forecasts have no protocol of their own yet:
their scorers, in `forecast.scorer`, call them by name.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Carry", "Decoder", "DecoderStream", "Pooled", "Stepwise"]

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

Carry = dict[str, NDArray[Any]]
"""What a fold remembers, by name; the first axis of each array is the batch."""


class Pooled(Protocol):
    """A head that gives one row of scores for a sequence, whole or after any of its steps."""

    outputs: int

    def init(self, batch: int) -> Carry:
        """What the fold remembers before the first step."""
        ...

    def step(self, carry: Carry, y: Floats, active: NDArray[np.bool_] | None = None) -> Carry:
        """Take one step's outputs y (batch, features) of the `active` sequences; `carry` changes in place."""
        ...

    def fold(self, carry: Carry, y: Floats, lengths: NDArray[np.int64] | None = None) -> Carry:
        """Take the steps of y (time, batch, features) in order, `lengths` (batch,) of them each: `step` by `step`."""
        ...

    def read(self, carry: Carry) -> Floats:
        """The scores (batch, outputs) after the steps so far; `carry` is left as it is."""
        ...


class Stepwise(Protocol):
    """A head that gives a row of scores for each step; a row's bits depend on that step's output alone."""

    outputs: int

    def __call__(self, y: Floats, /) -> Floats:
        """y (steps, features) -> scores (steps, outputs)."""
        ...


class DecoderStream(Protocol):
    """A decoder at work on scores that arrive; its memory never grows.

    What all calls of `push` and `finish` give, end to end, equals `Decoder.whole` of all scores, however these were cut
    into pieces.
    """

    def push(self, scores: Floats, /) -> Labels:
        """Take the scores (steps, outputs) of further steps: the labels that they settle, perhaps none yet."""
        ...

    def finish(self) -> Labels:
        """The labels that are settled where the scores end here; changes nothing."""
        ...

    def reset(self) -> None:
        """Forget everything, for the next sequence."""
        ...

    def arrays(self) -> Carry:
        """All that is remembered, by name: arrays of float32, float64 or int64, in which the decoder itself works.

        A stream saves, loads and forks a decoder by them.
        """
        ...

    def bounds(self) -> dict[str, tuple[int, int]]:
        """The least and greatest number that an int64 array of the memory may hold, where not 0 to 2**53.

        A state is checked against them before it is loaded, as it may come from anyone.
        """
        ...


class Decoder(Protocol):
    """Which labels the scores of a sequence's steps mean, as numbers from 0: one for each step, or fewer (CTC).

    immediate: whether each label follows from its own step's scores alone, and is settled with that step
    """

    immediate: bool

    def whole(self, scores: Floats, /) -> Labels:
        """The labels (labels,) of a whole sequence, scores (steps, outputs)."""
        ...

    def stream(self) -> DecoderStream:
        """The same for scores that arrive piece by piece."""
        ...
