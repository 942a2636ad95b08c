"""What a decoder makes of the rows of log-probabilities: tokens with their steps; and the greedy decoder."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.speech.spec import BLANK

__all__ = ["LONGEST", "Decoder", "Greedy", "Path"]

LONGEST = 128
"""Tokens of an utterance that are held; before it grows longer, about its first half becomes final."""


@dataclass(frozen=True, eq=False)
class Path:
    """Tokens and where they are heard, on the likeliest alignment of the tokens with the steps.

    Attributes:
        tokens: (tokens,) int64, no blanks.
        steps: (tokens, 2) int64, the first and the last step of each.
        peaks: (tokens,) float64, the highest log-probability of each at one of its steps.
    """

    tokens: NDArray[np.int64]
    steps: NDArray[np.int64]
    peaks: NDArray[np.float64]


class Decoder(Protocol):
    """Reads rows of log-probabilities one by one; its memory is constant."""

    @property
    def full(self) -> bool:
        """Whether `cut` has to be called before the next row."""
        ...

    @property
    def settled(self) -> int:
        """Number of tokens that later rows no longer change."""
        ...

    def push(self, row: NDArray[np.float32], step: int, /) -> None:
        """Read the row (tokens,) of a step."""
        ...

    def best(self) -> Path:
        """Return the best path so far."""
        ...

    def finished(self) -> Path:
        """Return the best path if nothing follows; changes nothing."""
        ...

    def cut(self, count: int, /) -> Path:
        """Settle on the first tokens of the best path, take them off and return them."""
        ...

    def clear(self) -> None:
        """Start the next utterance."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the memory by name."""
        ...

    def bounds(self) -> dict[str, tuple[int, int]]:
        """Return the least and greatest value that an integer of the memory may have."""
        ...

    def restore(self) -> None:
        """Go on from memory that was written into the arrays."""
        ...


class Greedy:
    """The likeliest token at each step, without repetitions and blanks.

    Args:
        tokens: number of scores of a row, the blank's included.
    """

    def __init__(self, tokens: int) -> None:
        self._outputs = tokens
        self._before, self._length = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._tokens = np.zeros(LONGEST, np.int64)
        self._steps, self._peaks = np.zeros((LONGEST, 2), np.int64), np.zeros(LONGEST)

    @property
    def full(self) -> bool:
        """See `Decoder`."""
        return bool(self._length[0] == LONGEST)

    @property
    def settled(self) -> int:
        """All tokens, see `Decoder`."""
        return int(self._length[0])

    def push(self, row: NDArray[np.float32], step: int) -> None:
        """See `Decoder`."""
        token = int(row.argmax())
        place = int(self._length[0])
        if token != BLANK and token == self._before[0]:
            self._steps[place - 1, 1] = step
            self._peaks[place - 1] = max(self._peaks[place - 1], row[token])
        elif token != BLANK:
            self._tokens[place], self._steps[place], self._peaks[place] = token, step, row[token]
            self._length[0] += 1
        self._before[0] = token

    def best(self) -> Path:
        """See `Decoder`."""
        return self._path(int(self._length[0]))

    finished = best

    def cut(self, count: int) -> Path:
        """See `Decoder`."""
        found, rest = self._path(count), LONGEST - count
        for array in (self._tokens, self._steps, self._peaks):
            array[:rest], array[rest:] = array[count:].copy(), 0
        self._length[0] -= count
        return found

    def clear(self) -> None:
        """See `Decoder`."""
        for array in self.arrays().values():
            array[...] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Decoder`."""
        own = {"before": self._before, "length": self._length}
        return own | {"tokens": self._tokens, "steps": self._steps, "peaks": self._peaks}

    def bounds(self) -> dict[str, tuple[int, int]]:
        """See `Decoder`."""
        tokens = (0, self._outputs - 1)
        return {"before": tokens, "tokens": tokens, "length": (0, LONGEST)}

    def restore(self) -> None:
        """See `Decoder`."""

    def _path(self, length: int) -> Path:
        return Path(self._tokens[:length].copy(), self._steps[:length].copy(), self._peaks[:length].copy())
