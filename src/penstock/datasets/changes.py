"""Counts what readers change in data, so that a report can list it.

A reader calls `change` wherever it changes something, such as decimal commas into decimal points. Whoever reports the
counts collects them:

    with counted() as changed:
        table = read_table("sales.csv", ["sold"])
    changed["numbers with a decimal comma"]
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["change", "counted"]

_COUNTS: ContextVar[Counter[str] | None] = ContextVar("penstock_changes", default=None)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Collect the changes inside the block, by kind; an outer block doesn't count them."""
    counts: Counter[str] = Counter()
    token = _COUNTS.set(counts)
    try:
        yield counts
    finally:
        _COUNTS.reset(token)


def change(logger: logging.Logger, kind: str, count: int, message: str | None = None) -> None:
    """Count a change, and log it; nothing happens if the count is 0.

    Args:
        logger: the logger of the reader.
        kind: the changed things, such as "numbers with a decimal comma", for which a report may have a translation.
            Behind a colon and a blank, it may have a value that is not translated: "rows split at: ;".
        count: how many there are.
        message: the text to log; None for the kind and the count, empty if another line tells it.
    """
    if not count:
        return
    if message is None:
        message = f"{kind} ({count:,})"
    if message:
        logger.info("%s", message)
    counts = _COUNTS.get()
    if counts is not None:
        counts[kind] += count
