"""The two ways in which a model adapts while it reads, from the text of an option."""

import json
from dataclasses import fields
from typing import Any

from penstock.errors import ConfigError
from penstock.registry import resolve

__all__ = ["read_adaptation"]

_KINDS = {"cache": "penstock.language.cache:NeuralCache", "dynamic": "penstock.language.dynamic:DynamicEvaluation"}
"""By reference, because dynamic evaluation needs PyTorch."""


def read_adaptation(text: str) -> Any:
    """Read "cache" or "dynamic", with options after a colon where the usual ones don't fit.

    Raises:
        ConfigError: there is no such way or option, or a value is out of its range.

    Examples:
        >>> from penstock.language.adapting import read_adaptation
        >>> read_adaptation("cache:window=2000,share=0.2")
        NeuralCache(window=2000, share=0.2, flatness=0.3)
    """
    name, _, options = text.partition(":")
    if name not in _KINDS:
        raise ConfigError(f"adapt must be {' or '.join(_KINDS)}, options after a colon; got {text!r:.60}")
    kind = resolve(_KINDS[name])
    known, values = [field.name for field in fields(kind)], {}
    for option in filter(None, (each.strip() for each in options.split(","))):
        key, equals, value = option.partition("=")
        if key not in known or not equals:
            shown = ", ".join(f"{each}=..." for each in known)
            raise ConfigError(f"options of {name} are {shown}, with commas between; got {option!r:.60}")
        values[key] = _value(value)
    return kind(**values)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text  # which the check of the option refuses, by name
