"""How descriptions are spelled: field by field, unless they say otherwise."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, Self

from penstock.errors import ConfigError

__all__ = ["Spelled", "check_names", "identity", "read", "spell"]


class Spelled(ABC):
    """A description whose arguments are not just its fields."""

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments that make the same again, as plain values."""

    @classmethod
    @abstractmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """The description of these arguments, read from a file; ConfigError if one is missing, unknown or wrong."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What tells it from any other, for fingerprints: in names that never change."""


def spell(part: Any) -> dict[str, Any]:
    """What makes a description again, as plain values."""
    return (
        part.arguments()
        if isinstance(part, Spelled)
        else {each.name: getattr(part, each.name) for each in fields(part)}
    )


def identity(part: Any) -> dict[str, Any]:
    """What tells a description from any other."""
    return part.identity() if isinstance(part, Spelled) else spell(part)


def read(spec: Any, values: Mapping[str, Any], what: str) -> Any:
    """The description of a class, from what `spell` gave.

    Raises:
        ConfigError: a name is missing or unknown, or a value wrong; the message calls it `what`.
    """
    if issubclass(spec, Spelled):
        return spec.from_arguments(values)
    declared = fields(spec)
    required = {each.name for each in declared if each.default is MISSING}
    check_names(what, values, required=required, known={each.name for each in declared})
    return spec(**values)


def check_names(what: str, values: Mapping[str, Any], *, required: set[str], known: set[str]) -> None:
    """Whether the values have all names that are required, and none that is unknown; ConfigError otherwise."""
    if missing := required - set(values):
        raise ConfigError(f"{what} lacks {', '.join(sorted(missing))}")
    if unknown := set(values) - known:
        raise ConfigError(f"{what} has no {', '.join(sorted(map(str, unknown)))}; it has {', '.join(sorted(known))}")
