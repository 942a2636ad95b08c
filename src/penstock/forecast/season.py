"""Finds the season of series from the data: the number of steps after which values repeat with the least error."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from penstock.forecast.features import filled
from penstock.panels.frequency import Frequency
from penstock.panels.panel import Series

__all__ = ["find_season"]

_MOST_SERIES = 50
_LONGEST = 1000
_PEAKS = 5
_MOST_AHEAD = 48
_DAY = 86_400


def find_season(series: Sequence[Series], horizon: int, frequency: Frequency | None = None) -> int:
    """Find the season whose seasonal naive forecast has the least error over `horizon` steps; 1 for no season.

    The candidates are the highest peaks of the autocorrelation (after removing a linear trend), and the seasons that
    the calendar suggests.

    Args:
        series: the training series.
        horizon: number of steps to forecast.
        frequency: the time grid; None without times.

    Returns:
        The season, in steps.
    """
    chosen = [filled(each.values) for each in series[:: max(1, len(series) // _MOST_SERIES)]]
    several = [(column, column[~np.isnan(column)]) for values in chosen for column in values.T]
    columns = [
        np.where(np.isnan(column), there.mean(), column)
        for column, there in several
        if len(there) > 3 and there.std() > 0
    ]
    if not columns:
        return 1
    shortest = sorted(map(len, columns))[len(columns) // 2]
    candidates = {1, *_usual(frequency), *_peaks(columns, min(shortest // 3, _LONGEST))}
    errors = {season: _error(columns, season, horizon) for season in sorted(candidates)}
    return min(errors, key=errors.__getitem__)


def _usual(frequency: Frequency | None) -> Iterable[int]:
    if frequency is None or frequency.unit == "number":
        return ()
    if frequency.month_days:
        return {len(frequency.month_days), 12 * len(frequency.month_days)}
    if frequency.unit == "month":
        return (12 // frequency.step,) if 12 % frequency.step == 0 else ()
    if frequency.unit == "business day":
        return {frequency.per_day, frequency.per_day * len(frequency.weekdays)}
    circles = (3600, _DAY, 7 * _DAY, 364 * _DAY)
    return (circle // frequency.step for circle in circles if circle % frequency.step == 0 and frequency.step < circle)


def _peaks(columns: Sequence[NDArray[np.float64]], longest: int) -> list[int]:
    """Lags of the highest local peaks of the mean autocorrelation."""
    if longest < 3:
        return []
    total = np.zeros(longest + 1)
    for column in columns:
        steps = np.arange(len(column))
        rest = column - np.polyval(np.polyfit(steps, column, 1), steps)
        power = np.abs(np.fft.rfft(rest, 2 * len(rest))) ** 2
        correlation = np.fft.irfft(power)[: longest + 1]
        if correlation[0] > 0:
            total[: len(correlation)] += correlation / correlation[0]
    inside = total[1:-1]
    peaks = np.flatnonzero((inside > total[:-2]) & (inside >= total[2:]) & (inside > 0)) + 1
    return [int(lag) for lag in peaks[np.argsort(-total[peaks])][:_PEAKS] if lag > 1]


def _error(columns: Sequence[NDArray[np.float64]], season: int, horizon: int) -> float:
    """Mean absolute error of the value one season ago, in units of each series' spread."""
    # Average over many steps ahead: at a multiple of the season, the last value alone would look equally good.
    ahead = np.unique(np.rint(np.linspace(1, horizon, min(horizon, _MOST_AHEAD))).astype(int))
    lags, counts = np.unique(season * -(-ahead // season), return_counts=True)
    if lags[-1] >= min(map(len, columns)):
        return np.inf
    errors = [[np.abs(column[lag:] - column[:-lag]).mean() / column.std() for lag in lags] for column in columns]
    return float(np.average(np.mean(errors, axis=0), weights=counts))
