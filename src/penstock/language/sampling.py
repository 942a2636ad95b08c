"""Choice of the next token by chance: temperature, the k best, the nucleus.

This is the slow form, with the bits of the engine's (`cpp/src/draw.cpp`): sums run in the same order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.checks import check_number, check_whole

__all__ = ["Sampling", "draw", "sounding"]

_COLDEST = 1e-6  # below, quotients of scores could overflow, and the likeliest token is as good as certain
_FARTHEST = 700.0  # beyond, the exponential overflows, and the probability is 0 or 1


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How the next token is drawn.

    Args:
        temperature: what scores are divided by: below 1 for likelier tokens, above for more variety; 0 for the
            likeliest token every time; below 1e-6 counts as 0.
        top_k: draw only among the k likeliest tokens; 0 for all.
        top_p: draw only among the likeliest tokens that together have this probability (Holtzman et al. 2020); 1 for
            all.

    Raises:
        ConfigError: a value is out of its range.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0

    def __post_init__(self) -> None:
        check_number("temperature", self.temperature, at_least=0)
        if self.temperature < _COLDEST:
            object.__setattr__(self, "temperature", 0.0)
        check_whole("top_k", self.top_k, at_least=0)
        check_number("top_p", self.top_p, above=0, at_most=1)


def draw(scores: NDArray[np.float32], chance: float, how: Sampling) -> int:
    """Return the id that a random number chooses.

    Args:
        scores: (outputs,), of which a softmax makes probabilities.
        chance: from 0 to below 1.
        how: the rule. Of equally likely tokens the first are kept.
    """
    if how.temperature == 0:
        return int(scores.argmax())
    shares = engine.softmax((scores / np.float32(how.temperature))[None])[0].astype(np.float64)
    if how.top_k or how.top_p < 1:
        order = np.argsort(-shares, kind="stable")[: how.top_k or None]
        below = np.cumsum(shares[order])
        whole = below[-1] if how.top_k else np.cumsum(shares)[-1]
        kept = order[: int(np.searchsorted(below, how.top_p * whole)) + 1]
        chosen = np.zeros_like(shares)
        chosen[kept] = shares[kept]
        shares = chosen
    total = np.cumsum(shares)
    place = int(np.searchsorted(total, chance * total[-1], side="right"))
    return min(place, int(np.flatnonzero(shares)[-1]))  # rounding may lead past the last one


def sounding(scores: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Return the probability of each note to sound: the logistic function of its score over the temperature."""
    odds = np.clip(scores.astype(np.float64) / temperature, -_FARTHEST, _FARTHEST)
    return 1 / (1 + np.exp(-odds))
