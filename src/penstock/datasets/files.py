"""The bytes of files, plain or gzipped, read as far as they are wanted."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from penstock.errors import DataError

__all__ = ["all_bytes", "first_bytes", "opened"]


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read, unpacked as it is read.

    Raises:
        DataError: it can't be opened, or not be read on inside the block.
    """
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            yield file  # type: ignore[misc]  # a GzipFile reads like any other
    except (OSError, EOFError, zlib.error) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{path}: can't be read: {reason}") from error


def all_bytes(path: Path) -> bytes:
    """What a file holds; DataError if it can't be read."""
    with opened(path) as file:
        return file.read()


def first_bytes(path: Path, size: int = 1 << 16) -> tuple[bytes, bool]:
    """The first bytes of a file, of which no more is read, and whether that is all of it.

    Blocks that hold nothing but blanks are passed over.

    Raises:
        DataError: the file can't be read.
    """
    with opened(path) as file:
        found = file.read(size)
        while found and not found.strip():
            found = file.read(size)
        return found, not file.read(1)
