"""Word shapes, which carry information about unknown words: a name, an abbreviation, a year.

They are the word features of Bikel, Schwartz and Weischedel (1999, "An Algorithm that Learns What's in a Name") that do
not depend on surrounding punctuation.
"""

__all__ = ["SHAPES", "shape"]

_MOST_DIGITS = 5

SHAPES = ("Aa", "AA", "a0", *("0" * count for count in range(1, _MOST_DIGITS + 1)))
"""All shapes except the plain one: Capitalised, CAPITALS, digits among letters, numbers of 1 to 5 or more digits."""


def shape(word: str) -> str:
    """Return one of `SHAPES`, or "" for lower-case words, marks, and scripts without capitals."""
    if any(map(str.isdecimal, word)):
        return "0" * min(len(word), _MOST_DIGITS) if word.isdecimal() else "a0"
    if len(word) > 1 and word.isupper():
        return "AA"
    return "Aa" if word[:1].isupper() else ""
