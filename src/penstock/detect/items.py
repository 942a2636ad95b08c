"""What a detector's stream is pushed: a row as numbers, a list or a mapping, read and checked."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.dates import STEPS
from penstock.detect.memory import NEVER
from penstock.errors import DataError
from penstock.panels.lines import name_number, number_of, same_series
from penstock.panels.times import parse_times, words_of

__all__ = ["RowItems"]

Array = NDArray[np.float64]


class RowItems:
    """Reads the items of a stream.

    Args:
        features: of the model: its columns, `calendar`, and `identity`.
    """

    def __init__(self, features: Any) -> None:
        self._features = features

    def named(self, item: Any, before: int, *message: str, begun: bool) -> int:
        """Return the number of the name of an item's series, see `name_number`; `before` for an item without one.

        Args:
            item: as `read` takes it.
            before: the number of the rows before, or of the usual series.
            message: as `same_series` takes it.
            begun: whether there are rows before, whose series it must be.

        Raises:
            DataError: it is another series.
        """
        column = self._features.id
        if not isinstance(item, Mapping) or column not in item:
            return before
        return same_series(item[column], before if begun else None, *message)

    def usual(self, series: int) -> int:
        """Return the number of the name of a training series; 0 for an unknown one, whose number is 0."""
        return name_number(self._features.names[series - 1]) if series else 0

    def read(self, item: Any, series: int, before: int) -> tuple[Array, Array, NDArray[Any] | None, int]:
        """Return values (1, targets), covariates (1, covariates), time (1,) and number of the series of an item.

        Args:
            item: a number, a list of the columns, or a mapping from column to value.
            series: the number of the stream's series so far.
            before: the time of the row before, `memory.NEVER` for none.

        Raises:
            DataError: columns that are missing or no numbers, or a time before the last one.
        """
        features = self._features
        names, times, identity = (*features.targets, *features.covariates), None, series
        if isinstance(item, Mapping):
            identity = features.identity(str(item[features.id])) if features.id in item else series
            if missing := [name for name in names if name not in item]:
                raise DataError(f"a row must have {', '.join(names)}; this one lacks {', '.join(missing)}")
            times = self._time(item, before)
            given: Any = [item[name] for name in names]
        else:
            several = isinstance(item, list | tuple) or np.ndim(item) > 0
            given = list(item) if several else [item]
        if times is None and features.calendar:
            raise DataError(f"a row must be an object with its {features.time}: the model reads the calendar")
        if len(given) != len(names):
            raise DataError(f"a row must hold {', '.join(names)}; got {len(given)} values")
        row = np.array([[number_of(value, name) for value, name in zip(given, names, strict=True)]])
        return row[:, : len(features.targets)], row[:, len(features.targets) :], times, identity

    def _time(self, item: Mapping[str, Any], before: int) -> NDArray[Any] | None:
        features = self._features
        if features.time is None or features.time not in item:
            return None
        read = features.time_format or (None if features.dated else STEPS)
        times = parse_times([item[features.time]], features.time, time_format=read).moments
        if (times.dtype.kind == "M") != features.dated:
            wanted = "a date" if features.dated else "a whole number"
            raise DataError(f"{features.time} must be {wanted}, as in training; got {item[features.time]!r:.40}")
        if before != NEVER and int(times.astype(np.int64)[0]) < before:
            earlier = words_of(np.array([before]).astype(times.dtype)[0])
            raise DataError(f"rows must come in the order of their times; {words_of(times[0])} is before {earlier}")
        return times
