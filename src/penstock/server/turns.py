"""Turns of threads that compute: short work at once, long work a piece at a time.

There are two lanes, in each of which one thread computes at a time. Work begins in the short lane, unless it is known
to be long. At its first pause after `SLICE` seconds it leaves for the long lane, where at each such pause the turn goes
to the work that has computed for the least time so far. So short work waits for one piece at most, and long work gives
way to what is shorter.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TypeVar

from penstock.pauses import interrupted_by

__all__ = ["SLICE", "AbandonedError", "Turns", "Work"]

SLICE = 0.05
"""Seconds of a turn."""
_LOOK = 0.1  # seconds after which waiting work looks whether somebody still waits for it
_Result = TypeVar("_Result")


class AbandonedError(BaseException):
    """Nobody waits for the result any more; like asyncio.CancelledError it is no Exception, which work may handle."""


@dataclass(eq=False)
class Work:
    """A piece of work in a thread of its own.

    Attributes:
        long: whether it is in the long lane.
        ended: set when nobody waits for the result any more, which ends the work at its next pause.
        left: called when it has left the short lane, or ends there.
        spent: the seconds that it has computed before this turn.
        since: when this turn began.
    """

    long: bool
    ended: threading.Event = field(default_factory=threading.Event)
    left: Callable[[], object] = lambda: None
    spent: float = 0.0
    since: float = 0.0


class Turns:
    """Decides which threads compute."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._computing: dict[bool, Work | None] = {False: None, True: None}
        self._waiting: dict[bool, list[Work]] = {False: [], True: []}

    def run(self, work: Work, compute: Callable[[], _Result]) -> _Result:
        """Return what `compute` returns, called in this thread when it is its turn.

        Raises:
            AbandonedError: the work was ended.
        """
        try:
            self._take(work)
            with interrupted_by(partial(self._pause, work)):
                return compute()
        finally:
            self._give(work)
            work.left()

    def _take(self, work: Work) -> None:
        waiting = self._waiting[work.long]
        with self._changed:
            waiting.append(work)
            try:
                while not work.ended.is_set() and not self._is_next(work):
                    self._changed.wait(_LOOK)
            finally:
                waiting.remove(work)
            if work.ended.is_set():
                raise AbandonedError
            self._computing[work.long] = work
        work.since = monotonic()

    def _is_next(self, work: Work) -> bool:
        least = min(self._waiting[work.long], key=lambda each: each.spent)  # the first of equals
        return self._computing[work.long] is None and least is work

    def _give(self, work: Work) -> None:
        with self._changed:
            if self._computing[work.long] is work:
                self._computing[work.long] = None
                self._changed.notify_all()

    def _pause(self, work: Work) -> None:
        if work.ended.is_set():
            raise AbandonedError
        if (spent := monotonic() - work.since) < SLICE:
            return
        work.spent += spent
        self._give(work)
        if not work.long:
            work.long = True
            work.left()
        self._take(work)
