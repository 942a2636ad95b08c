"""A random number generator whose state is one array, which a stream saves, forks and resets with its memory."""

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole

__all__ = ["RandomState"]

_SEEDS = 1 << 53


class RandomState:
    """Random numbers of a seed; the n-th is that of a counter-based generator (Philox 4x64) at counter n.

    Args:
        seed: 0 to 2**53 - 1.

    Attributes:
        array: (2,) int64, the seed and how many numbers were drawn; part of a stream's memory.

    Raises:
        ConfigError: the seed is not an integer in that range.

    Examples:
        >>> from penstock.runtime import RandomState
        >>> RandomState(7).array.tolist()
        [7, 0]
    """

    def __init__(self, seed: int) -> None:
        number = check_whole("a seed", seed, at_least=0, at_most=_SEEDS - 1)
        self.array: NDArray[np.int64] = np.array([number, 0], np.int64)

    def uniform(self) -> float:
        """Return the next number, at least 0 and below 1, with 53 random bits."""
        seed, drawn = self.array.tolist()
        self.array[1] += 1
        bits = np.random.Philox(key=seed, counter=drawn).random_raw()
        return (bits >> 11) * 2.0**-53

    def uniforms(self, count: int) -> NDArray[np.float64]:
        """Return the next numbers, (count,), without counting them as drawn: add those that are used to `array[1]`."""
        seed, drawn = self.array.tolist()
        bits = np.random.Philox(key=seed, counter=drawn).random_raw(4 * count)[::4]  # four words for each counter
        return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def reset(self) -> None:
        """Restart from the seed's first number."""
        self.array[1] = 0
