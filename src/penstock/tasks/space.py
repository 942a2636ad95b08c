"""The ranges of options that a search tries; each class of an estimator gives those of the options that it adds.

searched: ClassVar[Searched] = {"pooling": ("max", "mean"), "dropout": Between(0.0, 0.7)}
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.errors import ConfigError

__all__ = ["Around", "Between", "Range", "Searched", "ranges"]


@dataclass(frozen=True)
class Between:
    """All numbers from `low` to `high`, both included: integers if both are.

    Args:
        low, high: the ends.
        log: search on a logarithmic scale, for which `low` must be above 0.

    Raises:
        ConfigError: the ends are not numbers in ascending order, or not above 0 on a logarithmic scale.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        are_numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in (self.low, self.high))
        if not are_numbers or not (0.0 if self.log else -math.inf) < self.low < self.high < math.inf:
            least = ", above 0" if self.log else ""
            raise ConfigError(
                f"a range needs two finite numbers in ascending order{least}; got {self.low!r} and {self.high!r}"
            )


@dataclass(frozen=True)
class Around:
    """From the estimator's own value divided by `factor` to that value times `factor`, on a logarithmic scale."""

    factor: float


Range = Between | tuple[Any, ...]
"""Numbers, or some values: texts, numbers, booleans or None."""
Searched = Mapping[str, Around | Range | None]
"""The ranges of a class by option; None takes an inherited one away."""


def ranges(estimator: Any) -> dict[str, Range]:
    """Return the range of each option that a class of the estimator lists in `searched`; the class's own list wins.

    An option whose value is 0 has no range around it.
    """
    found: dict[str, Any] = {}
    for each in reversed(type(estimator).__mro__):
        found |= vars(each).get("searched", {})
    around = {name: _around(estimator, name, sought) for name, sought in found.items()}
    return {name: sought for name, sought in around.items() if sought is not None}


def _around(estimator: Any, name: str, sought: Around | Range | None) -> Range | None:
    if not isinstance(sought, Around):
        return sought
    usual = estimator._setting(name)
    if not usual:
        return None
    if isinstance(usual, int):
        low = max(1, round(usual / sought.factor))
        return Between(low, max(low + 1, round(usual * sought.factor)), log=True)
    return Between(usual / sought.factor, usual * sought.factor, log=True)
