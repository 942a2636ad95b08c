"""Checks of description fields; each error says what was expected and what was given."""

import operator

import numpy as np

from penstock.errors import ConfigError

__all__ = ["check_choice", "check_flag", "check_integer"]


def check_integer(part: object, name: str, *, at_least: int) -> None:
    """Raise ConfigError unless the field is an integer of at least `at_least`."""
    value = getattr(part, name)
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < at_least:
        raise ConfigError(f"{type(part).__name__}: {name} must be a whole number, at least {at_least}; got {value!r}")
    # A NumPy integer, as from a grid search, is converted to a Python int so that JSON can hold it.
    object.__setattr__(part, name, number)


def check_flag(part: object, name: str) -> None:
    """Raise ConfigError unless the field is True or False."""
    value = getattr(part, name)
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{type(part).__name__}: {name} must be True or False; got {value!r}")
    object.__setattr__(part, name, bool(value))


def check_choice(part: object, name: str, choices: tuple[str, ...]) -> None:
    """Raise ConfigError unless the field is one of `choices`."""
    value = getattr(part, name)
    if value not in choices:
        raise ConfigError(f"{type(part).__name__}: {name} must be one of {', '.join(choices)}; got {value!r}")
