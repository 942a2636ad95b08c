"""What the library tells of its work, as records of `logging` below the logger `penstock`.

A line that people read is an ordinary record of level INFO. One made by `say` also has an event's name and fields, for
programs; those of `Steps` say how far long work is, and have level DEBUG. `penstock.console` shows them.
"""

import logging
import time
from types import TracebackType
from typing import Any, Self

__all__ = ["PROGRESS", "Steps", "duration", "say"]

PROGRESS = "progress"
"""The event of the records that `Steps` makes."""

# Often enough for a bar that moves, seldom enough to cost nothing.
_SECONDS = 0.25


def say(logger: logging.Logger, event: str, message: str, /, level: int = logging.INFO, **fields: Any) -> None:
    """Make a record.

    Args:
        logger: of the room that does the work, such as `logging.getLogger("penstock.training")`.
        event: a word that never changes, for programs.
        message: the line for people.
        level: as in `logging`.
        fields: plain values, which go into JSON.
    """
    if logger.isEnabledFor(level):
        logger.log(level, "%s", message, extra={"event": event, "fields": fields})


class Steps:
    """Long work that is counted, and how long the rest of it will take at the pace so far.

        with Steps(_LOGGER, "predicting", len(rows), "rows") as steps:
            for batch in batches:
                ...
                steps.advance(len(batch))

    It tells so at most four times a second, and in the end that it is done (`finished`), also after an error. Work that
    takes less than a quarter of a second tells nothing.

    Args:
        logger: as for `say`.
        what: the work, like "predicting".
        total: how much of it there is; None if nobody knows.
        unit: what is counted, like "rows".

    Attributes:
        done: how much is done.
        enabled: whether anybody listens.
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
        """Tell that the work is done, if it was told of at all."""
        if self._begun:
            self._begun = False
            self._tell(finished=True)

    def advance(self, count: int = 1, *, detail: str = "", seconds_left: float | None = None) -> None:
        """Count work that was done just now.

        Args:
            count: how much.
            detail: how far the work is, in words; empty for the count.
            seconds_left: for the rest; None for what the pace so far says.
        """
        self.done += count
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
    """A time for people: "8 s", "3 min 20 s", "2 h 5 min"."""
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
