"""Ranges of options as words of a command line: `learning-rate=0.0005..0.01,cell=lstm|gru,hidden-size`."""

import json
from collections.abc import Mapping
from typing import Any

from penstock.errors import ConfigError
from penstock.tasks.space import Between, Range

__all__ = ["parsed_ranges", "written_ranges"]

_WIDE = 4  # ends that are so many times apart are searched on a logarithmic scale


def parsed_ranges(words: str, usual: Mapping[str, Range]) -> dict[str, Range]:
    """Return the ranges by option.

    Args:
        words: options with commas between, each with a range: numbers as LOW..HIGH, on a logarithmic scale if they are
            above 0 and far apart, or values as A|B; an option without a range has its usual one.
        usual: the usual ranges.

    Raises:
        ConfigError: a range is neither.
    """
    found: dict[str, Range] = {}
    for part in words.split(","):
        written, given, text = part.partition("=")
        name = written.strip().removeprefix("--").replace("-", "_")
        if given:
            found[name] = _range(written.strip(), text.strip())
        elif name in usual:
            found[name] = usual[name]
        else:
            known = ", ".join(each.replace("_", "-") for each in usual)
            raise ConfigError(f"--search: {written.strip()!r:.60} has no usual range: give one, or search {known}")
    return found


def written_ranges(space: Mapping[str, Range]) -> list[str]:
    """Return each option with its range, as `parsed_ranges` reads it."""
    return [f"{name.replace('_', '-')}={_written(sought)}" for name, sought in space.items()]


def _written(sought: Range) -> str:
    return f"{sought.low:g}..{sought.high:g}" if isinstance(sought, Between) else "|".join(map(str, sought))


def _range(name: str, text: str) -> Range:
    low, is_range, high = text.partition("..")
    if not is_range:
        return tuple(_value(each.strip()) for each in text.split("|"))
    ends = _value(low), _value(high)
    if not all(isinstance(end, int | float) for end in ends):
        raise ConfigError(f"--search: {name} must be LOW..HIGH, or values as A|B; got {text!r:.60}")
    return Between(*ends, log=0 < _WIDE * ends[0] <= ends[1])


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
