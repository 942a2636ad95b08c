"""The input of a detector: series whose rows have times of their own, on a grid or not."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError

__all__ = ["Timeline", "Timelines", "Windows"]

Windows = Mapping[str, Sequence[tuple[Any, Any]]]
"""The name of a series -> first and last time of each labelled window; without times the numbers of its steps."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """One series, its rows in the order of their times.

    name: unique among the series
    values: (steps, targets) float64, NaN where missing
    covariates: (steps, covariates) float64
    times: (steps,) datetime64[s], or int64 that counts steps; None without times
    rows: (steps,) the number of each step's row in the table
    begin: the first step to judge; earlier steps are history
    """

    name: str
    values: NDArray[np.float64]
    covariates: NDArray[np.float64]
    times: NDArray[Any] | None
    rows: NDArray[np.int64]
    begin: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def until(self, step: int, begin: int = 0) -> "Timeline":
        """The series up to a step."""
        times = None if self.times is None else self.times[:step]
        return replace(
            self, values=self.values[:step], covariates=self.covariates[:step], times=times, rows=self.rows[:step],
            begin=begin,
        )  # fmt: skip

    def places(self, windows: Sequence[tuple[Any, Any]]) -> list[tuple[int, int]]:
        """Return the first and last step of windows that are given by their times, of those that hold a step."""
        found = []
        for start, end in windows:
            axis, first, last = self._on_axis(start, end)
            begin, stop = np.searchsorted(axis, first), np.searchsorted(axis, last, side="right")
            if stop > begin:
                found.append((int(begin), int(stop) - 1))
        return found

    def check_windows(self, windows: Sequence[tuple[Any, Any]]) -> None:
        """Raise DataError if a window lies outside the series, or ends before it begins."""
        for start, end in windows:
            axis, first, last = self._on_axis(start, end)
            if last < first or last < axis[0] or first > axis[-1]:
                raise DataError(
                    f"labelled windows must lie within their series; series {self.name!r} is from {axis[0]} to "
                    f"{axis[-1]}, a window from {start} to {end}"
                )

    def _on_axis(self, start: Any, end: Any) -> tuple[NDArray[Any], Any, Any]:
        """The times, or numbers, of the steps, and two of them as such."""
        axis = np.arange(len(self)) if self.times is None else self.times
        return axis, np.asarray(start).astype(axis.dtype), np.asarray(end).astype(axis.dtype)


@dataclass(frozen=True, eq=False)
class Timelines:
    """Series with the same columns.

    series: at least one
    targets, covariates: names of the columns
    time, id: the columns of times and of the series' names; None without them
    time_format: how the times were read, as `panels.times.parse_times` takes it; None if they were unambiguous
    windows: labelled windows, None without labels; a series without an entry has no anomaly
    dropped, changed: counts of rows left out, and of changes in the data
    """

    series: Sequence[Timeline]
    targets: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    time: str | None = None
    id: str | None = None
    time_format: str | None = None
    windows: Windows | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.series)

    def __iter__(self) -> Iterator[Timeline]:
        return iter(self.series)

    @property
    def inputs(self) -> "Timelines":
        """The series themselves."""
        return self

    @property
    def answers(self) -> Windows | None:
        """The labelled windows."""
        return self.windows

    @property
    def columns(self) -> dict[str, Any]:
        """The columns that were read, by the names of the task's options."""
        found = {"time": self.time, "id": self.id, "time_format": self.time_format}
        several = {"target": list(self.targets), "covariates": list(self.covariates)}
        return {name: value for name, value in found.items() if value is not None} | several

    def with_series(self, series: Sequence[Timeline]) -> "Timelines":
        """The same columns with other series; the counts are empty."""
        return replace(self, series=list(series), dropped={}, changed={})

    def labelled(self, windows: Windows | None) -> "Timelines":
        """The same series with these labelled windows."""
        return replace(self, windows=windows)

    def marked(self) -> list[NDArray[np.bool_]]:
        """Return for each series which steps lie in a labelled window, (steps,)."""
        found = []
        for series in self:
            mask = np.zeros(len(series), bool)
            for first, last in series.places((self.windows or {}).get(series.name, ())):
                mask[first : last + 1] = True
            found.append(mask)
        return found

    def digest(self) -> str:
        """Return a hash that identifies the series and their labels."""
        digest = hashlib.sha256(repr([self.targets, self.covariates, self.windows]).encode())
        for series in self:
            digest.update(series.name.encode("utf-8", "surrogatepass"))
            for each in (series.values, series.covariates, *(() if series.times is None else (series.times,))):
                digest.update(np.ascontiguousarray(each).tobytes())
        return digest.hexdigest()
