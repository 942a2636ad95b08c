"""Options of a prediction, such as `beam` of a translator: those of `penstock predict`, within their limits."""

from collections.abc import Mapping
from typing import Any

from penstock.errors import ConfigError
from penstock.registry import TASKS, Setting, find

__all__ = ["checked_options", "schema"]

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}
_LONGEST = 2000
"""Characters of a text."""


def checked_options(task: str, given: Any) -> dict[str, Any]:
    """Return the options that a client gave, by name.

    Args:
        task: name of the model's task, whose row has the options.
        given: what JSON held.

    Raises:
        ConfigError: it is no object, or an option is unknown, of another type or beyond its limits.
    """
    if not isinstance(given, dict):
        raise ConfigError(f'options must be an object such as {{"seed": 1}}; got {given!r:.60}')
    known = {setting.name: setting for setting in find(task).settings if not setting.local}
    for name, value in given.items():
        if name not in known:
            raise ConfigError(f"a model for {task} has no option {name!r:.40}; it has {', '.join(known) or 'none'}")
        _check(known[name], value)
    return given


def _check(setting: Setting, value: Any) -> None:
    plain = setting.type in (bool, str)
    fits = isinstance(value, setting.type) if plain else _is_number(value, whole=setting.type is int)
    if not fits:
        raise ConfigError(f"the option {setting.name} must be {_KINDS[setting.type]}; got {value!r:.60}")
    if setting.type is str and len(value) > _LONGEST:
        raise ConfigError(f"the option {setting.name} may have at most {_LONGEST} characters; got {len(value)}")
    if plain:
        return
    if value < setting.least:
        raise ConfigError(f"the option {setting.name} must be at least {setting.least}; got {value!r:.60}")
    if setting.most is not None and value > setting.most:
        raise ConfigError(f"the option {setting.name} may be at most {setting.most} on a server; got {value!r:.60}")


def _is_number(value: Any, *, whole: bool) -> bool:
    return not isinstance(value, bool) and isinstance(value, int if whole else int | float)


def schema() -> dict[str, Any]:
    """Return the JSON schema of the options of all tasks."""
    settings = {setting.name: setting for task in TASKS.values() for setting in task.settings if not setting.local}
    return {
        "type": "object",
        "description": "options of the prediction; each task has its own, and those of `penstock predict`",
        "properties": {name: _property(setting) for name, setting in settings.items()},
    }


def _property(setting: Setting) -> Mapping[str, Any]:
    found: dict[str, Any] = {"type": _TYPES[setting.type], "description": setting.help}
    if setting.type is bool:
        return found
    if setting.type is str:
        return found | {"maxLength": _LONGEST}
    return found | {"minimum": setting.least} | ({} if setting.most is None else {"maximum": setting.most})
