"""Summary statistics of signals: level, spread, extremes, trend, roughness."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["STATISTICS", "signal_statistics"]

STATISTICS = ("mean", "std", "min", "max", "slope", "mean absolute change", "first", "last")
"""Statistics of each channel, in this order; the logarithm of the signal's length follows once."""


def signal_statistics(signals: Iterable[NDArray[Any]], channels: int) -> NDArray[np.float64]:
    """Return the statistics of signals (steps, channels) without missing values: (signals, 8 * channels + 1).

    The slope is that of the least-squares line, with time from 0 to 1. A signal without steps has zeros.
    """
    rows = [_row(np.asarray(signal, np.float64), channels) for signal in signals]
    return np.array(rows).reshape(len(rows), len(STATISTICS) * channels + 1)


def _row(signal: NDArray[np.float64], channels: int) -> NDArray[np.float64]:
    if not len(signal):
        return np.zeros(len(STATISTICS) * channels + 1)
    time = np.linspace(-0.5, 0.5, len(signal)) if len(signal) > 1 else np.zeros(1)
    slope = time @ signal / max(float(time @ time), 1e-12)
    change = np.abs(np.diff(signal, axis=0)).mean(axis=0) if len(signal) > 1 else np.zeros(channels)
    parts = (signal.mean(0), signal.std(0), signal.min(0), signal.max(0), slope, change, signal[0], signal[-1])
    return np.concatenate([*parts, [np.log1p(len(signal))]])
