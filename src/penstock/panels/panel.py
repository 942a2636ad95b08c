"""The input of a forecaster: several series on one time grid. `panel_columns` builds it from tables and arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.panels.frequency import BUSINESS_DAY, NUMBER, SECOND, Frequency

__all__ = ["LARGEST", "Panel", "Series", "is_gap"]

LARGEST = 1e100
"""The largest absolute value allowed, so that squares and sums of values stay finite."""
_MOST_FILLED = 20


@dataclass(frozen=True, eq=False)
class Series:
    """One series with regular time steps.

    name: unique within the panel
    start: the place of its first step on the grid
    values: (steps, targets) float64, NaN where missing
    past: (steps, columns), covariates that are known only up to the present
    known: (steps + ahead, columns), covariates that are known in advance
    begin: the first step to forecast; earlier steps are history
    """

    name: str
    start: int
    values: NDArray[np.float64]
    past: NDArray[np.float64]
    known: NDArray[np.float64]
    begin: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def until(self, step: int, begin: int = 0) -> "Series":
        """The series up to `step`, with the known covariates of all later steps."""
        return replace(self, values=self.values[:step], past=self.past[:step], begin=begin)


@dataclass(frozen=True, eq=False)
class Panel:
    """Series with the same columns and the same time steps.

    series: at least one
    targets, past, known: names of the columns
    frequency: the time grid; None without times
    time, id: the columns that held the times and the series names; None without them
    time_format: how the times were read, as `times.parse_times` takes it; None if they were unambiguous
    dropped: a reason -> the number of rows left out for it
    changed: what was changed in the data -> how often, see `datasets.changes`
    """

    series: Sequence[Series]
    targets: tuple[str, ...]
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    frequency: Frequency | None = None
    time: str | None = None
    id: str | None = None
    time_format: str | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)

    answers = None

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that were read, keyed by the task's option names, so that other files are read the same way."""
        found = {"time": self.time, "id": self.id, "time_format": self.time_format}
        several = {"target": self.targets, "past": self.past, "known": self.known}
        return {name: value for name, value in found.items() if value is not None} | {
            name: list(names) for name, names in several.items()
        }

    @property
    def inputs(self) -> "Panel":
        """The panel itself: it holds the inputs and the ground truth."""
        return self

    @property
    def names(self) -> list[str]:
        """The names of the series."""
        return [each.name for each in self.series]

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Any:
        return iter(self.series)

    def with_series(self, series: Sequence[Series]) -> "Panel":
        """A panel with the same columns and other series; the counts `dropped` and `changed` are empty."""
        return replace(self, series=list(series), dropped={}, changed={})

    def after(self, earlier: "Panel", what: str) -> "Panel":
        """This panel as the continuation of `earlier`: each series gets its history, and forecasts start after it.

        A series that `earlier` lacks is unchanged. Rows that are in both panels count as history.

        Args:
            earlier: the panel with the history.
            what: the name of this data in error messages.

        Raises:
            DataError: the columns or steps differ, or a series doesn't continue where its history ends.
        """
        self.check_like(earlier.targets, earlier.past, earlier.known, earlier.frequency, what)
        before = {each.name: each for each in earlier.series}
        moved = self if earlier.frequency is None else self.on(earlier.frequency)
        return moved.with_series(
            [
                _joined(before[each.name], each, what, timed=self.time is not None) if each.name in before else each
                for each in moved.series
            ]
        )

    def check_like(
        self,
        targets: Sequence[str],
        past: Sequence[str],
        known: Sequence[str],
        frequency: Frequency | None,
        what: str,
    ) -> None:
        """Raise DataError, which names the difference, unless the columns and steps are the given ones."""
        for kind, own, others in (
            ("target", self.targets, targets),
            ("past covariate", self.past, past),
            ("known covariate", self.known, known),
        ):
            if tuple(own) != tuple(others):
                raise DataError(
                    f"{what} must have the {kind} columns {', '.join(others) or '(none)'}, as in training; "
                    f"got {', '.join(own) or 'none'}"
                )
        if frequency is None or self.frequency is None or self.frequency.like(frequency):
            return
        if (self.frequency.unit == NUMBER) != (frequency.unit == NUMBER):
            wanted, got = ("whole numbers", "dates") if frequency.unit == NUMBER else ("dates", "whole numbers")
            raise DataError(
                f"times must be {wanted} as in training; {what} has {got}. Whole numbers of which every one is a date, "
                "like 202401 or 20240131, are read as dates."
            )
        if not self._is_on(frequency):
            raise DataError(
                f"{what} must have steps of {frequency.words}, as in training; got {self.frequency.words}. "
                "Give it at the same steps, or train a model for these."
            )

    def _is_on(self, frequency: Frequency) -> bool:
        """Whether the steps also lie on another grid: single rows, or a few days that are all business days.

        Also true for a weekly timetable if training saw too few weeks to find it and so has a grid of all days or
        hours.

        Raises:
            DataError: every series is a single row, and one of them isn't on the grid.
        """
        assert self.frequency is not None
        holes = self.frequency.unit == BUSINESS_DAY and frequency.unit == SECOND
        try:
            return all(
                (np.diff(rows) == 1).all() or (holes and is_gap(int(rows[-1] - rows[0]) + 1 - len(rows), len(rows)))
                for rows in self._rows_on(frequency)
            )
        except DataError:
            if all(len(each.known) == 1 for each in self.series):
                raise
            return False

    def _rows_on(self, frequency: Frequency) -> list[NDArray[np.int64]]:
        """The places of each series' rows on another grid; DataError if a row is not on that grid."""
        own = self.frequency
        assert own is not None
        times = [own.times(each.start + np.arange(len(each.known))) for each in self.series]
        return [frequency.places(frequency.from_other(each, own)) for each in times]

    def on(self, frequency: Frequency) -> "Panel":
        """The same series on another grid, with the steps in between missing; the panel itself if it has no times.

        Raises:
            DataError: a series doesn't lie on that grid.
        """
        if self.frequency is None:
            return self
        rows = self._rows_on(frequency)
        moved = [_moved(each, places) for each, places in zip(self.series, rows, strict=True)]
        return replace(self, series=moved, frequency=frequency)


def is_gap(missing: int, rows: int) -> bool:
    """Whether `missing` steps in data of `rows` rows are a gap to fill; more are treated as an error in the data."""
    return missing <= (_MOST_FILLED - 1) * rows + 1000


def _moved(series: Series, rows: NDArray[np.int64]) -> Series:
    """The series with its rows moved to these places, and missing values in between."""
    start, length = int(rows[0]), int(rows[-1] - rows[0]) + 1
    if length == len(rows):
        return replace(series, start=start)

    def spread(part: NDArray[np.float64]) -> NDArray[np.float64]:
        own = rows[: len(part)] - start
        found = np.full((int(own[-1]) + 1, part.shape[1]), np.nan)
        found[own] = part
        return found

    values, past, known = spread(series.values), spread(series.past), spread(series.known)
    return Series(series.name, start, values, past, known, begin=int(rows[series.begin]) - start)


def _joined(before: Series, after: Series, what: str, *, timed: bool) -> Series:
    """`after` with its history in front."""
    end = before.start + len(before)
    later = after.start - end if timed else 0
    if not is_gap(later, len(before) + len(after)):
        raise DataError(
            f"{what} must go on where the data before it ended; series {after.name!r} begins {later} steps later"
        )
    gap, both = max(later, 0), max(-later, 0)
    if both >= len(after):
        raise DataError(f"{what} must go on after the training data; series {after.name!r} ends before it does")
    values, past, known = (
        np.concatenate([np.full((gap, each.shape[1]), np.nan), each[both:]])
        for each in (after.values, after.past, after.known)
    )
    return Series(
        before.name,
        before.start,
        np.concatenate([before.values, values]),
        np.concatenate([before.past, past]),
        np.concatenate([before.known[: len(before)], known]),
        begin=len(before) + gap,
    )
