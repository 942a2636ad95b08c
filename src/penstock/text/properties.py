"""Properties of a text at each token that a unit of a network may follow: position, brackets, quotes, case, digits."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["text_properties"]

_OPENING, _CLOSING = "([{（［｛【《〈「『", ")]}）］｝】》〉」』"
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»"}  # the mark that ends a quotation, by the one that begins it


def text_properties(tokens: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """Return the properties by name, each (tokens, 1): after each token, or of it.

    position: the number of the token
    brackets: the depth of brackets
    quotes: 1 inside a quotation
    capitals: 1 for a token that begins with a capital letter
    digits: 1 for a token with a digit
    """
    depths, inside = [], []
    depth, until = 0, ""
    for token in tokens:
        depth = max(0, depth + (token in _OPENING) - (token in _CLOSING))
        ended = token == until
        until = "" if ended else until or _QUOTES.get(token, "")
        depths.append(depth)
        inside.append(bool(until))
    found = {
        "position": np.arange(len(tokens)),
        "brackets": np.array(depths),
        "quotes": np.array(inside),
        "capitals": np.array([token[:1].isupper() for token in tokens]),
        "digits": np.array([any(map(str.isdecimal, token)) for token in tokens]),
    }
    return {name: values.astype(np.float64)[:, None] for name, values in found.items()}
