"""What a field of a description may be; each check says what was expected and what came."""

import operator

import numpy as np

from penstock.errors import ConfigError

__all__ = ["choice", "flag", "whole"]


def whole(part: object, name: str, *, at_least: int) -> None:
    """The field is a whole number, at least so many; otherwise ConfigError."""
    value = getattr(part, name)
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < at_least:
        raise ConfigError(f"{type(part).__name__}: {name} must be a whole number, at least {at_least}; got {value!r}")
    # NumPy's integers, from a search over a grid, become Python's, so that JSON can hold them.
    object.__setattr__(part, name, number)


def flag(part: object, name: str) -> None:
    """The field is True or False; otherwise ConfigError."""
    value = getattr(part, name)
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{type(part).__name__}: {name} must be True or False; got {value!r}")
    object.__setattr__(part, name, bool(value))


def choice(part: object, name: str, choices: tuple[str, ...]) -> None:
    """The field is one of these words; otherwise ConfigError."""
    value = getattr(part, name)
    if value not in choices:
        raise ConfigError(f"{type(part).__name__}: {name} must be one of {', '.join(choices)}; got {value!r}")
