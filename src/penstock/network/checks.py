"""Checks of a description's or an estimator's fields; each error names the class and the field."""

import numpy as np

from penstock.checks import check_one_of, check_whole
from penstock.errors import ConfigError

__all__ = ["check_choice", "check_flag", "check_integer"]


def check_integer(part: object, name: str, *, at_least: int, at_most: int = 1 << 31) -> None:
    """Raise ConfigError unless the field is an integer from `at_least` to `at_most`."""
    field = f"{type(part).__name__}: {name}"
    number = check_whole(field, getattr(part, name), at_least=at_least)
    if number > at_most:
        raise ConfigError(f"{field} must be at most {at_most}; got {number!s:.40}")
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
    check_one_of(f"{type(part).__name__}: {name}", getattr(part, name), choices)
