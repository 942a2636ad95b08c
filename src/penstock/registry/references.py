"""References: "module:Name" strings that name classes and functions, imported on first use."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from penstock.errors import ConfigError

__all__ = ["deferred", "resolve"]


def resolve(reference: Any) -> Any:
    """Import and return the object that "package.module:Name" names; anything but a string is returned unchanged.

    Raises:
        ConfigError: there is no such module, or it has no such name.
        ModuleNotFoundError: the module exists but needs a package that is not installed.
    """
    if not isinstance(reference, str):
        return reference
    module, _, name = reference.partition(":")
    if not module or not name:
        raise ConfigError(f"a reference must be 'module:Name'; got {reference!r}")
    try:
        return getattr(import_module(module), name)
    except AttributeError as error:
        raise ConfigError(f"{reference!r}: the module {module} has no {name}") from error
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise
        raise ConfigError(f"{reference!r}: there is no module {error.name}. Is its package installed?") from error


def deferred(reference: str, **options: Any) -> Callable[..., Any]:
    """Return a function that imports a referenced function at the first call and calls it with these options."""

    def call(*arguments: Any) -> Any:
        return resolve(reference)(*arguments, **options)

    return call
