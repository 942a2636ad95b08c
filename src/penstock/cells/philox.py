"""Philox4x32-10: random words as a function of a counter and a key.

Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3". It has no state, so that any of its
numbers can be drawn again, in any order. `cpp/include/penstock/zoneout.hpp` draws the same ones.
"""

from penstock.cells.declaration import Array

Words = tuple[Array, Array, Array, Array]

_WORD = 0xFFFFFFFF
_FACTORS = 0xD2511F53, 0xCD9E8D57
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85


def philox(counter: Words, seed: Array) -> Words:
    """Return four random words for each counter.

    Args:
        counter: four int64 arrays that broadcast, with values from 0 to 2^32 - 1.
        seed: an integer, or an int64 array without axes, whose 64 bits are the key.

    Returns:
        four int64 arrays with values from 0 to 2^32 - 1.
    """
    c0, c1, c2, c3 = counter
    key0, key1 = seed & _WORD, (seed >> 32) & _WORD
    for _ in range(10):
        high0, low0 = _product(_FACTORS[0], c0)
        high1, low1 = _product(_FACTORS[1], c2)
        c0, c1, c2, c3 = high1 ^ c1 ^ key0, low1, high0 ^ c3 ^ key1, low0
        key0, key1 = (key0 + _KEY_STEPS[0]) & _WORD, (key1 + _KEY_STEPS[1]) & _WORD
    return c0, c1, c2, c3


def _product(factor: int, x: Array) -> tuple[Array, Array]:
    """Return the high and low word of factor * x, in halves of x, because int64 can't hold the product."""
    low = factor * (x & 0xFFFF)
    high = factor * (x >> 16) + (low >> 16)
    return high >> 16, ((high & 0xFFFF) << 16) | (low & 0xFFFF)
