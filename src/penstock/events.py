"""Reports the library's progress through `logging`, with loggers below the logger `penstock`.

Messages for people are ordinary records of level INFO. Records made by `say` also have the name and fields of an event,
for programs. Records made by `Steps` report the progress of long work, at level DEBUG. `penstock.console` shows them.
"""

import logging
import sys
import time
from types import TracebackType
from typing import Any, Self

from penstock import pauses

__all__ = ["PROGRESS", "Steps", "duration", "peak_mb", "say"]

PROGRESS = "progress"
"""The event of the records that `Steps` makes."""

# Short enough for a smooth progress bar, long enough that the cost is negligible.
_SECONDS = 0.25


def say(logger: logging.Logger, event: str, message: str, /, level: int = logging.INFO, **fields: Any) -> None:
    """Log a record with an event.

    Args:
        logger: the logger of the package that does the work, such as `logging.getLogger("penstock.training")`.
        event: the stable name of the event, for programs.
        message: the text for people.
        level: as in `logging`.
        fields: values that JSON can represent.
    """
    if logger.isEnabledFor(level):
        logger.log(level, "%s", message, extra={"event": event, "fields": fields})


class Steps:
    """Counts long work, and estimates the remaining time from the speed so far.

        with Steps(_LOGGER, "predicting", len(rows), "rows") as steps:
            for batch in batches:
                ...
                steps.advance(len(batch))

    It logs progress at most four times a second, and a last record (`finished`) at the end, also after an error. Work
    that takes less than a quarter of a second logs nothing.

    Args:
        logger: as for `say`.
        what: the work, like "predicting".
        total: the total amount of work; None if it is unknown.
        unit: the unit that is counted, like "rows".

    Attributes:
        done: the amount of work done.
        enabled: whether the logger is enabled for level DEBUG.
    """

    def __init__(self, logger: logging.Logger, what: str, total: int | None, unit: str) -> None:
        self.done, self.total = 0, total
        self._logger, self._what, self._unit = logger, what, unit
        self.enabled = logger.isEnabledFor(logging.DEBUG)
        self._started = self._told = time.perf_counter()
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Log that the work is finished, if any progress was logged."""
        if self._begun:
            self._begun = False
            self._tell(finished=True)

    def advance(self, count: int = 1, *, detail: str = "", seconds_left: float | None = None) -> None:
        """Count work that was just done; the work can be interrupted here.

        Args:
            count: the amount.
            detail: a description of the progress; empty for the count.
            seconds_left: the remaining time; None to estimate it from the speed so far.
        """
        self.done += count
        pauses.pause()
        if not self.enabled or (now := time.perf_counter()) - self._told < _SECONDS:
            return
        self._told, self._begun = now, True
        if seconds_left is None and self.total is not None:
            seconds_left = (now - self._started) / max(self.done, 1) * (self.total - self.done)
        self._tell(detail, seconds_left)

    def _tell(self, detail: str = "", seconds_left: float | None = None, *, finished: bool = False) -> None:
        of = "" if self.total is None else f" of {self.total:,}"
        detail = detail or f"{self.done:,}{of} {self._unit}"
        left = "" if seconds_left is None else f", about {duration(seconds_left)} left"
        say(
            self._logger,
            PROGRESS,
            f"{self._what}: {detail}{left}",
            level=logging.DEBUG,
            what=self._what,
            done=self.done,
            total=self.total,
            unit=self._unit,
            detail=detail,
            seconds_left=seconds_left,
            finished=finished,
        )


def duration(seconds: float) -> str:
    """A duration as text: "8 s", "3 min 20 s", "2 h 5 min"."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def peak_mb() -> float:
    """Return the peak memory of this process so far, in 10^6 bytes."""
    import resource  # which not every system has, and only a training asks

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # Linux reports units of 1024 bytes
