"""Parses signals from lines of text: a whole signal, or one step of a stream."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.numbers import plain_number
from penstock.errors import DataError, ShapeError
from penstock.missing import MISSING_WORDS
from penstock.signals.arrays import signal_array

__all__ = ["parse_signal", "parse_step"]


def parse_signal(line: str) -> NDArray[Any]:
    """Parse a whole signal (steps, channels).

    Args:
        line: JSON, [1, 2] or [[1, 2], [3, 4]] with a list for each step; or numbers separated by commas, tabs or
            blanks, with colons between channels.

    Raises:
        DataError: the line is invalid.
    """
    if line.lstrip().startswith("["):
        signal = signal_array(_json(line), "a signal")
        if signal.ndim not in (1, 2):
            raise DataError(
                f"a signal must be a list of numbers, or of lists with a number for each channel; got {line:.40}"
            )
        return signal if signal.ndim == 2 else signal[:, None]
    channels = [_numbers(part) for part in line.split(":")]
    if len({len(channel) for channel in channels}) > 1:
        lengths = ", ".join(str(len(each)) for each in channels)
        raise DataError(f"all channels of a signal must have the same number of values; got {lengths}")
    return np.array(channels, np.float64).T


def parse_step(line: str, channels: int, names: Sequence[str] = ()) -> NDArray[Any]:
    """Parse one step (channels,); a channel that is absent from an object is missing, NaN.

    Args:
        line: a number for each channel, separated by commas, tabs or blanks; or JSON: a number, a list, or an object
            keyed by channel names.
        channels: the expected number of channels.
        names: the names of the channels, in order, if known.

    Raises:
        DataError: the line is invalid.
        ShapeError: another number of channels.
    """
    start = line.lstrip()[:1]
    if start == "{":
        return _by_name(_json(line), names)
    values = signal_array(_json(line), "a step") if start == "[" else np.array(_numbers(line), np.float64)
    if values.shape != (channels,):
        raise ShapeError(
            f"a step must be {channels} number{'s' * (channels > 1)}, one for each channel; got {line[:60]!r}"
        )
    return values


def _by_name(step: Any, names: Sequence[str]) -> NDArray[np.float64]:
    assert isinstance(step, Mapping)
    if not names:
        raise DataError("this model has no channel names: write a step as numbers, in the order of training")
    if unknown := [name for name in step if name not in names]:
        raise DataError(f"a step has the channels {', '.join(names)}; got {unknown[0]!r}")
    return signal_array([step.get(name) for name in names], "a step").astype(np.float64)


def _json(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DataError(f"expected numbers or JSON; got {line[:60]!r}: {error}") from error


def _numbers(text: str) -> list[float]:
    cells = text.split(",") if "," in text else text.split("\t") if "\t" in text else text.split()
    return [_number(cell) for cell in cells]


def _number(cell: str) -> float:
    if cell.strip().lower() in MISSING_WORDS:
        return float("nan")
    try:
        value = plain_number(cell)
    except ValueError as error:
        raise DataError(f"expected a number; got {cell.strip()[:40]!r}. A missing value is empty, NA or ?.") from error
    if value in (float("inf"), float("-inf")):
        raise DataError(f"expected a finite number; got {cell.strip()[:40]!r}")
    return value
