"""Calendar features as points on circles: hour of the day, day of the week and of the year."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.panels.frequency import Frequency

__all__ = ["CALENDAR", "calendar_features", "calendar_names", "usual_calendar"]

_DAY = 86_400
CALENDAR = {"hour": _DAY, "weekday": 7 * _DAY, "yearday": None, "month": None}
"""Period of each feature in seconds; None for a year."""


def calendar_features(times: NDArray[np.datetime64], names: Sequence[str]) -> NDArray[np.float32]:
    """Return sine and cosine of each feature, (times, 2 * names).

    Raises:
        ConfigError: an unknown name, or times that are mere numbers.
    """
    if unknown := [name for name in names if name not in CALENDAR]:
        raise ConfigError(f"calendar must be among {', '.join(CALENDAR)}; got {unknown[0]!r}")
    if names and times.dtype.kind != "M":
        raise ConfigError("calendar features need times that are dates; these are numbers. Leave calendar out.")
    turns = [_turn(times, name) for name in names]
    parts = [each for turn in turns for each in (np.sin(2 * np.pi * turn), np.cos(2 * np.pi * turn))]
    return np.stack(parts, 1).astype(np.float32) if parts else np.zeros((len(times), 0), np.float32)


def calendar_names(calendar: Any) -> tuple[str, ...] | None:
    """Return the features that an option `calendar` names: "none", a name, or several; None for "auto".

    Raises:
        ConfigError: an unknown name.
    """
    if calendar == "auto":
        return None
    names = () if calendar == "none" else tuple(calendar) if isinstance(calendar, list | tuple) else (calendar,)
    if unknown := [name for name in names if name not in CALENDAR]:
        raise ConfigError(f"calendar must be none, auto or a list of {', '.join(CALENDAR)}; got {unknown[0]!r}")
    return names


def usual_calendar(frequency: Frequency | None) -> tuple[str, ...]:
    """Return the features that suit steps of this frequency; none without dates."""
    if frequency is None or frequency.unit == "number":
        return ()
    if frequency.month_days:
        return ("yearday",)
    if frequency.unit == "month":
        return ("month",) if frequency.step < 12 else ()
    if frequency.unit == "business day":
        return ("hour", "weekday", "yearday") if frequency.hours else ("weekday", "yearday")
    names = (("hour", _DAY), ("weekday", 7 * _DAY), ("yearday", 365 * _DAY))
    return tuple(name for name, circle in names if frequency.step < circle)


def _turn(times: NDArray[np.datetime64], name: str) -> NDArray[np.float64]:
    """Return the elapsed share of the period."""
    if name == "month":
        return times.astype("datetime64[M]").astype(np.int64) % 12 / 12
    circle = CALENDAR[name]
    if circle is None:
        return (times - times.astype("datetime64[Y]")).astype("timedelta64[s]").astype(np.int64) / (365.25 * _DAY)
    # 1970 began on a Thursday; weeks begin on Monday.
    return (times.astype("datetime64[s]").astype(np.int64) + 3 * _DAY) % circle / circle
