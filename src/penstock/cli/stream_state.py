"""Stream state in a file, written every second and at the end, so that a killed stream can resume."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from penstock.cli.paths import check_new_file
from penstock.errors import InputError, StateError
from penstock.folders import whole_file
from penstock.locks import held
from penstock.runtime import Stream, notes

__all__ = ["KeptState"]

_SECONDS = 1.0
_IN_USE = "another stream keeps its memory there now. Wait for its end, or choose another --state."


class KeptState:
    """Context manager that keeps a stream's state in a file.

    What the file says is never ahead of the answers that are out: `item` holds the file back until it is left.

    Args:
        path: the file; if it is there, the stream goes on from it. Written beside and renamed.
        stream: whose memory it is.

    Attributes:
        line: lines of the input that the stream has read, of sounds samples, counted over all runs.

    Raises:
        StateError: the file is damaged, or belongs to another model.
        InputError: it can't be read or written, or another stream uses it.
    """

    def __init__(self, path: Path, stream: Stream) -> None:
        self.path, self.line = path, 0
        self._stream, self._saved = stream, 0
        self._lock, self._ended = threading.Lock(), threading.Event()
        # False while a line is read, also after that was broken off: then memory and `line` do not fit each other.
        self._between = True
        self._failed: InputError | None = None
        self._thread = threading.Thread(target=self._write_now_and_then, daemon=True)
        self._alone = ExitStack()
        check_new_file(path)

    @contextmanager
    def item(self, lines: int = 1) -> Iterator[None]:
        """Around the reading of so many lines and the writing of their answer; what is refused is not read."""
        if self._failed:
            raise self._failed
        with self._lock:
            self._between = False
            try:
                yield
            except InputError:  # streams stay as they were
                self._between = True
                raise
            self.line, self._between = self.line + lines, True

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(held(self.path, _IN_USE))
            if self.path.exists():
                self._take_up()
            self._alone = stack.pop_all()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._alone:
            try:
                self._ended.set()
                self._thread.join()
            finally:  # Ctrl-C ends the program that feeds a pipe too: the interrupt may come at the end of the input
                self._write()

    def _write_now_and_then(self) -> None:
        while not self._ended.wait(_SECONDS):
            try:
                self._write()
            except InputError as error:
                self._failed = error  # for the thread that reads to say
                return

    def _write(self) -> None:
        with self._lock:
            if not self._between or (self.line == self._saved and self.path.exists()):
                return
            data, self._saved = self._stream.save(line=self.line), self.line
        try:
            with whole_file(self.path, alone=True) as new:
                new.write_bytes(data)
        except OSError as error:
            raise InputError(f"{self.path} can't be written: {error.strerror}. Choose another --state.") from error

    def _take_up(self) -> None:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise InputError(f"{self.path} can't be read: {error.strerror}") from error
        try:
            self._stream.load(data)
            self.line = self._saved = notes(data)["line"]
        except KeyError as error:
            raise StateError(f"{self.path}: was not written by penstock stream --state") from error
        except StateError as error:
            raise StateError(f"{self.path}: {error}") from error
