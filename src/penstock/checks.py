"""Checks of single options; each error says what was expected and what was given."""

import math
import operator
import sys
from collections.abc import Collection, Mapping
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from penstock.errors import ConfigError

__all__ = ["check_fields", "check_number", "check_one_of", "check_whole"]


def check_whole(name: str, value: Any, *, at_least: int, at_most: int | None = None) -> int:
    """Return the value as int; ConfigError unless it is a whole number within these bounds.

    Examples:
        >>> from penstock.checks import check_whole
        >>> check_whole("window", 0, at_least=1)
        Traceback (most recent call last):
        penstock.errors.ConfigError: window must be a whole number, at least 1; got 0
    """
    try:
        number = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < at_least or (at_most is not None and number > at_most):
        bounds = f", at least {at_least}" if at_most is None else f" from {at_least} to {at_most}"
        raise ConfigError(f"{name} must be a whole number{bounds}; got {value!r:.60}")
    return number


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
        >>> from penstock.checks import check_number
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


def check_one_of(name: str, value: Any, choices: Collection[str]) -> None:
    """Raise ConfigError unless the value is one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(choices)}; got {value!r:.60}")


def check_fields(described: type, values: Mapping[str, Any]) -> None:
    """Raise TypeError unless values, by the names of a dataclass's fields, are of the plain types that these have.

    Plain are texts, numbers, flags, None, and tuples of them; of arrays and objects nothing is checked.
    """
    for name, hint in get_type_hints(described).items():
        if name in values and not _fits(values[name], hint):
            raise TypeError(f"{name} must be {getattr(hint, '__name__', hint)}; got {values[name]!r:.60}")


def _fits(value: Any, hint: Any) -> bool:
    if get_origin(hint) is UnionType:
        return any(_fits(value, each) for each in get_args(hint))
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(each, get_args(hint)[0]) for each in value)
    if hint in (int, float):
        return isinstance(value, int | float if hint is float else int) and not isinstance(value, bool)
    return isinstance(value, hint) if hint in (str, bool, type(None)) else True
