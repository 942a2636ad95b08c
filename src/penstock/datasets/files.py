"""Reading of files, plain or gzipped, whole or in part."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from penstock.decoded import Decoded, limited
from penstock.errors import DataError

__all__ = ["all_bytes", "first_bytes", "opened"]


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading, with decompression.

    Raises:
        DataError: it cannot be opened, or not be read inside the block, or holds more than it may (`decoded`).
    """
    try:
        if not path.name.lower().endswith(".gz"):
            with path.open("rb") as plain:
                yield plain
            return
        with (
            path.open("rb") as plain,
            gzip.open(plain) as packed,
            limited(packed, Decoded(path, path.stat().st_size)) as file,
        ):
            yield file
    except (OSError, EOFError, zlib.error) as error:
        if path.is_dir():
            raise DataError(f"{path}: is a folder; expected a file") from error
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DataError(f"{path}: can't be read: {reason}") from error


def all_bytes(path: Path, most: int | None = None) -> bytes:
    """Return the content of a file; DataError if it cannot be read, or has more than `most` bytes when unpacked."""
    with opened(path) as file:
        data = file.read() if most is None else file.read(most + 1)
    if most is not None and len(data) > most:
        raise DataError(
            f"{path}: must have at most {most:,} bytes to be read as one JSON array or object; it has more. "
            "Write an object on each line (.jsonl), or a Parquet file."
        )
    return data


def first_bytes(path: Path, size: int = 1 << 16) -> tuple[bytes, bool]:
    """Read only the first bytes of a file; return them, and whether they are all of it.

    Blocks of blanks are skipped.

    Raises:
        DataError: the file can't be read.
    """
    with opened(path) as file:
        found = file.read(size)
        while found and not found.strip():
            found = file.read(size)
        return found, not file.read(1)
