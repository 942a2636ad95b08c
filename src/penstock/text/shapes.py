"""What the spelling of a word says of it where nothing else is known: a name, an abbreviation, a year.

The word features of Bikel, Schwartz and Weischedel (1999, "An Algorithm that Learns What's in a Name"), without those
that ask for the marks around.
"""

__all__ = ["SHAPES", "shape"]

_MOST_DIGITS = 5

SHAPES = ("Aa", "AA", "a0", *("0" * count for count in range(1, _MOST_DIGITS + 1)))
"""Every shape but the plain one: Capitalised, CAPITALS, digits among letters, numbers of 1 to 5 or more digits."""


def shape(word: str) -> str:
    """One of `SHAPES`, or "" for a word in small letters, a mark, and in scripts that know no capitals."""
    if any(map(str.isdecimal, word)):
        return "0" * min(len(word), _MOST_DIGITS) if word.isdecimal() else "a0"
    if len(word) > 1 and word.isupper():
        return "AA"
    return "Aa" if word[:1].isupper() else ""
