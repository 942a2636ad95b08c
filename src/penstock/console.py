"""Handlers that show records of the logger `penstock`: plain lines, a progress bar on a terminal, JSON for programs."""

import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

from penstock.events import PROGRESS, duration

__all__ = ["JsonLines", "Lines", "Terminal", "output", "printable", "shown"]

_LOGGER = logging.getLogger("penstock")


class Lines(logging.Handler):
    """Writes a line for each record of level INFO or above, without control characters, and reports progress sometimes.

    Warnings start with "penstock: warning: ", errors with "penstock: ".

    Args:
        stream: where to write; None to write nothing, for example if standard error is closed.
    """

    progress_seconds = 10.0
    """The time between two lines about the same work, in seconds."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self.stream = stream
        self._told: float | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            if getattr(record, "event", None) == PROGRESS:
                self.progress(record, record.fields)  # type: ignore[attr-defined]  # set by `say`
            elif record.levelno >= logging.INFO:
                self.write(self.worded(record))
        except Exception:
            self.handleError(record)

    def progress(self, record: logging.LogRecord, fields: dict[str, Any]) -> None:
        """Write a progress line of `Steps`, unless the previous one was written recently."""
        now = time.monotonic()
        if fields["finished"]:
            self._told = None
        elif self._told is None:
            self._told = now
        elif now - self._told >= self.progress_seconds:
            self._told = now
            self.write(self.worded(record))

    def worded(self, record: logging.LogRecord) -> str:
        """The record as a line."""
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            warning = "warning: " if record.levelno < logging.ERROR else ""
            message = f"penstock: {warning}{' '.join(message.split())}"
        line = printable(message)
        return f"{_traceback(record)}\n{line}" if record.exc_info else line

    def write(self, line: str) -> None:
        """Write a line."""
        if self.stream is not None:
            self.stream.write(line + "\n")
            self.stream.flush()


class JsonLines(Lines):
    """Writes a JSON object for each record: `time`, `event`, `message`, and the fields of the event.

    For records without an event, `event` is "info", "warning" or "error", according to their level.
    """

    progress_seconds = 1.0

    def worded(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        level = "error" if record.levelno >= logging.ERROR else record.levelname.lower()
        line = {"time": when, "event": getattr(record, "event", level), "message": record.getMessage()}
        line |= {"traceback": _traceback(record)} if record.exc_info else {}
        return json.dumps(line | getattr(record, "fields", {}), ensure_ascii=False, default=str)


class Terminal(Lines):
    """Writes lines, with a progress bar below them during long work. Imports Rich when it first draws a bar."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._bar: Any = None

    def progress(self, record: logging.LogRecord, fields: dict[str, Any]) -> None:
        """Draw, update or remove the bar."""
        if fields["finished"]:
            self._remove()
            return
        if self._bar is None:
            self._bar = self._drawn()
        left = fields["seconds_left"]
        self._bar.update(
            self._bar.task_ids[0],
            description=fields["what"],
            completed=fields["done"],
            total=fields["total"],
            detail=fields["detail"],
            left="" if left is None else f"about {duration(left)} left",
        )
        self._bar.refresh()

    def write(self, line: str) -> None:
        """Write a line above the bar."""
        if self._bar is None:
            super().write(line)
        else:
            self._bar.console.print(line, markup=False, highlight=False, emoji=False, soft_wrap=True)

    def close(self) -> None:
        """Remove the bar."""
        self._remove()
        super().close()

    def _drawn(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[detail]}", markup=False),
            TextColumn("{task.fields[left]}", markup=False),
            console=Console(file=self.stream),
            transient=True,
            auto_refresh=False,  # no refresh thread: each record redraws the bar
            redirect_stdout=False,  # printed results must stay on standard output
        )
        bar.add_task("", total=None, detail="", left="")
        bar.start()
        return bar

    def _remove(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def printable(text: str) -> str:
    """The text with terminal control characters escaped, for example as "\\x1b"."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def output(stream: TextIO | None, *, as_json: bool = False) -> Lines:
    """The handler for a stream: JSON if requested, a progress bar if the stream is a terminal, else plain lines."""
    if as_json:
        return JsonLines(stream)
    if stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb":
        return Terminal(stream)
    return Lines(stream)


@contextmanager
def shown(handler: logging.Handler, level: int, *, own_thread: bool = False) -> Iterator[None]:
    """Within this context, also send records of `penstock` to the handler; close the handler at the end.

    Handlers above the logger `penstock` receive the same records as without this handler.

    Args:
        handler: the handler.
        level: the lowest level to send, as in `logging`.
        own_thread: leave out records of other threads.
    """
    handler.setLevel(level)
    if own_thread:
        thread = threading.get_ident()
        handler.addFilter(lambda record: record.thread == thread)
    _SHOWN.add(handler)
    try:
        yield
    finally:
        _SHOWN.remove(handler)
        handler.close()


class _Passing(logging.Handler):
    """Passes records to the handlers above `penstock` if they reach the level that the logger had before."""

    def emit(self, record: logging.LogRecord) -> None:
        above = _LOGGER.parent
        # If no handler exists above, `logging` would print the record itself.
        if record.levelno >= self.level and above is not None and above.hasHandlers():
            above.callHandlers(record)


class _Shown:
    """The active handlers of `shown`, and the logger's original settings, to be restored after the last one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handlers: list[logging.Handler] = []
        self._passing = _Passing()
        self._level = self._effective = logging.NOTSET

    def add(self, handler: logging.Handler) -> None:
        with self._lock:
            if not self._handlers:
                self._level, self._effective = _LOGGER.level, _LOGGER.getEffectiveLevel()
                if _LOGGER.propagate:
                    self._passing.setLevel(self._effective)
                    _LOGGER.addHandler(self._passing)
                    _LOGGER.propagate = False
            self._handlers.append(handler)
            _LOGGER.addHandler(handler)
            self._set_level()

    def remove(self, handler: logging.Handler) -> None:
        with self._lock:
            self._handlers.remove(handler)
            _LOGGER.removeHandler(handler)
            if self._handlers:
                self._set_level()
                return
            _LOGGER.setLevel(self._level)
            if self._passing in _LOGGER.handlers:
                _LOGGER.removeHandler(self._passing)
                _LOGGER.propagate = True

    def _set_level(self) -> None:
        _LOGGER.setLevel(min(self._effective, *(handler.level for handler in self._handlers)))


_SHOWN = _Shown()


def _traceback(record: logging.LogRecord) -> str:
    return logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
