"""References: "module:Name" strings that stand for classes and functions until somebody needs them."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from penstock.errors import ConfigError

__all__ = ["deferred", "resolve"]


def resolve(reference: Any) -> Any:
    """What a reference like "package.module:Name" stands for; anything that is no string stands for itself.

    Raises:
        ConfigError: no such module, or nothing of that name in it.
        ModuleNotFoundError: the module is there, but needs a package that isn't installed.
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
    """A function that calls what a reference stands for, with these options, and imports it at the first call."""

    def call(*arguments: Any) -> Any:
        return resolve(reference)(*arguments, **options)

    return call
