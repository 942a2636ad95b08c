"""Conversion of signals (arrays, lists of arrays, frames) to arrays (steps, channels)."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.changes import change
from penstock.datasets.frames import is_table, table_column, table_names, tabular
from penstock.errors import DataError, ShapeError
from penstock.sequences import Sequences

__all__ = ["PADDING", "signal_array", "signal_list"]

_LOGGER = logging.getLogger(__name__)
PADDING = "missing steps at the end of a signal, taken for padding"
"""The kind of change, for `datasets.changes`."""


def signal_list(values: Any, channels: int | None = None) -> list[NDArray[Any]]:
    """Return the signals as a list of arrays (steps, channels) of real numbers, NaN where a value is missing.

    Args:
        values: an array (signals, steps, channels) or (signals, steps), or a table of pandas, Polars or Arrow with a
            signal in each row, where trailing steps that are all NaN are padding; or a list, an object array or
            `Sequences` of signals, each (steps, channels) or (steps,).
        channels: the expected number of channels; None for that of the first signal.

    Raises:
        DataError: no signals, or values that are not finite numbers; the message names the signal.
        ShapeError: a signal has other axes or another number of channels.
    """
    if hasattr(values, "tocsr"):
        raise DataError(f"signals must be dense; got sparse {type(values).__name__}. Turn it into an array first.")
    if is_table(values):
        values = tabular(values)
        columns = [signal_array(table_column(values, name), f"the column {name}") for name in table_names(values)]
        values = np.stack(columns, axis=1) if columns else np.zeros((0, 0))
    elif hasattr(values, "__array__") and not isinstance(values, Iterable):
        return signal_list(np.asarray(values), channels)
    if isinstance(values, Mapping | str | bytes) or not isinstance(values, Iterable):
        raise DataError(f"signals must be an array or a list of arrays; got {type(values).__name__}")
    if isinstance(values, Sequences):
        signals = [_axes(each, number) for number, each in enumerate(values)]
    elif hasattr(values, "columns") or (isinstance(values, np.ndarray) and values.dtype != object):
        signals = _rectangular(values)
    else:
        signals = [_axes(signal_array(each, f"signal {number}"), number) for number, each in enumerate(values)]
    expected = channels if channels is not None or not signals else signals[0].shape[1]
    for number, each in enumerate(signals):
        if each.shape[1] != expected:
            than = "as in training" if channels is not None else "as signal 0 has"
            raise ShapeError(
                f"signals must be (steps, channels={expected}), {than}; signal {number} is {each.shape}. "
                "Give the same channels for all, in the same order."
            )
    return signals


def signal_array(values: Any, what: str) -> NDArray[Any]:
    """Return real numbers as an array of any shape; None in a list becomes NaN.

    Args:
        values: the numbers, in any container.
        what: the name for them in messages.

    Raises:
        DataError: the values are not numbers, or are infinite.
    """
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    given = None
    try:
        given = array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            array = np.asarray(values, dtype=object)
            if any(isinstance(each, str | bytes | complex) for each in array.flat):
                raise TypeError
            array = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:  # OverflowError: an integer too large for a float
        if given is not None and given.dtype.kind == "c":
            raise DataError(
                f"{what} must be real numbers. Complex data not supported: make two channels of them."
            ) from error
        raise DataError(f"{what} must be numbers; got {values!r:.60}. Turn text into numbers first.") from error
    if array.dtype.kind == "f" and np.isinf(array).any():
        raise DataError(f"{what} must be finite numbers, or NaN where a value is missing; got an infinite one.")
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)


def _rectangular(values: Any) -> list[NDArray[Any]]:
    array = signal_array(values, "signals")
    if array.ndim not in (2, 3):
        raise ShapeError(
            f"signals in one array must be (signals, steps, channels), or (signals, steps) for one channel; "
            f"got {array.shape}. Reshape your data, or put a single signal into a list."
        )
    signals = array[..., None] if array.ndim == 2 else array
    present = ~np.isnan(signals).all(axis=2)
    lengths = np.where(present, np.arange(1, signals.shape[1] + 1), 0).max(axis=1, initial=0)
    change(_LOGGER, PADDING, signals.shape[0] * signals.shape[1] - int(lengths.sum()), "")
    return [signal[:length] for signal, length in zip(signals, lengths, strict=True)]


def _axes(signal: NDArray[Any], number: int) -> NDArray[Any]:
    if signal.ndim not in (1, 2):
        raise ShapeError(
            f"a signal must be (steps, channels), or (steps,) for one channel; signal {number} is {signal.shape}"
        )
    return signal if signal.ndim == 2 else signal[:, None]
