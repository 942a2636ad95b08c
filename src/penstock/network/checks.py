"""Checks of description fields and options; each error says what was expected and what was given."""

import math
import operator
import sys
from typing import Any

import numpy as np

from penstock.errors import ConfigError

__all__ = ["check_choice", "check_flag", "check_integer", "check_number"]


def check_integer(part: object, name: str, *, at_least: int, at_most: int = 1 << 31) -> None:
    """Raise ConfigError unless the field is an integer from `at_least` to `at_most`."""
    value = getattr(part, name)
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < at_least:
        raise ConfigError(
            f"{type(part).__name__}: {name} must be a whole number, at least {at_least}; got {value!r:.60}"
        )
    if number > at_most:
        raise ConfigError(f"{type(part).__name__}: {name} must be at most {at_most}; got {number!s:.40}")
    # A NumPy integer, as from a grid search, is converted to a Python int so that JSON can hold it.
    object.__setattr__(part, name, number)


def check_flag(part: object, name: str) -> None:
    """Raise ConfigError unless the field is True or False."""
    value = getattr(part, name)
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{type(part).__name__}: {name} must be True or False; got {value!r:.60}")
    object.__setattr__(part, name, bool(value))


def check_choice(part: object, name: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError unless the field is one of `choices`."""
    value = getattr(part, name)
    if value not in choices:
        raise ConfigError(f"{type(part).__name__}: {name} must be one of {', '.join(choices)}; got {value!r:.60}")


def check_number(
    name: str,
    value: Any,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    at_most: float = math.inf,
    below: float = math.inf,
) -> None:
    """Raise ConfigError unless the value is a finite number within these bounds.

    Examples:
        >>> from penstock.network.checks import check_number
        >>> check_number("share", 1, at_least=0, below=1)
        Traceback (most recent call last):
        penstock.errors.ConfigError: share must be a number, at least 0 and below 1; got 1
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if is_number and abs(value) <= sys.float_info.max and at_least <= value <= at_most and above < value < below:
        return
    limits = {"at least": at_least, "above": above, "at most": at_most, "below": below}
    bounds = " and ".join(f"{word} {limit:g}" for word, limit in limits.items() if abs(limit) != math.inf)
    raise ConfigError(f"{name} must be a number{bounds and f', {bounds}'}; got {value!r:.80}")
