"""Conversion of descriptions to and from plain values: field by field, unless a class defines its own."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Self

from penstock.errors import ConfigError

__all__ = ["Spelled", "check_names", "identity", "read", "spell"]


class Spelled(ABC):
    """A description whose constructor arguments differ from its fields."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Constructor arguments, as plain values, that reproduce this description."""

    @classmethod
    @abstractmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Make a description from arguments read from a file; ConfigError if one is missing, unknown or invalid."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Values that identify this description in fingerprints, under names that never change."""


def spell(part: Any) -> dict[str, Any]:
    """Return the constructor arguments of a description as plain values."""
    return (
        part.arguments()
        if isinstance(part, Spelled)
        else {each.name: getattr(part, each.name) for each in fields(part)}
    )


def identity(part: Any) -> dict[str, Any]:
    """Return the values that identify a description in fingerprints."""
    return part.identity() if isinstance(part, Spelled) else spell(part)


def read(spec: Any, values: Mapping[str, Any], what: str) -> Any:
    """Make a description of class `spec` from the result of `spell`.

    Raises:
        ConfigError: a name is missing or unknown, or a value is invalid; the message starts with `what`.
    """
    if issubclass(spec, Spelled):
        return spec.from_arguments(values)
    declared = fields(spec)
    required = {each.name for each in declared if each.default is MISSING}
    check_names(what, values, required=required, known={each.name for each in declared})
    return spec(**values)


def check_names(what: str, values: Mapping[str, Any], *, required: set[str], known: set[str]) -> None:
    """Raise ConfigError unless all required names are present and no name is unknown."""
    if missing := required - set(values):
        raise ConfigError(f"{what} lacks {', '.join(sorted(missing))}")
    if unknown := set(values) - known:
        raise ConfigError(f"{what} has no {', '.join(sorted(map(str, unknown)))}; it has {', '.join(sorted(known))}")
