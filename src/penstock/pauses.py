"""Places in long work where it can be interrupted: where others have their turn, or where it ends.

Work calls `pause` between its pieces, each of some tens of milliseconds at most. That does nothing unless whoever runs
the work gave a function to be called there, as a server does:

    with interrupted_by(check):
        model.predict(texts)
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["interrupted_by", "pause", "wanted"]

_check: ContextVar[Callable[[], None] | None] = ContextVar("check", default=None)


@contextmanager
def interrupted_by(check: Callable[[], None]) -> Iterator[None]:
    """Let work within the context call `check` at each of its pauses, which may wait, or raise to end the work."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def pause() -> None:
    """Let the work be interrupted here."""
    check = _check.get()
    if check is not None:
        check()


def wanted() -> bool:
    """Whether pauses interrupt anything, so that smaller pieces are worth their cost."""
    return _check.get() is not None
