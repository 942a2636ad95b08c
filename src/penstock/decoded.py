"""A limit on what files hold once they are decoded: a compressed file may be a million times larger in memory.

Readers count what they decode while they decode it, and stop at the limit. By default a source may hold 1 GiB, or 32
times its size on disk if that is more. `penstock --max-decoded-gib` or PENSTOCK_MAX_DECODED_GIB sets another limit, for
files of a known origin.
"""

import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from penstock.errors import ConfigError, DataError

__all__ = ["VARIABLE", "ZIP_ERRORS", "Decoded", "at_most", "bytes_of", "limited", "unzipped"]

ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError)
"""What `zipfile` raises for archives that are damaged, encrypted, or of a method that it does not know."""
VARIABLE = "PENSTOCK_MAX_DECODED_GIB"
_USUAL = 1 << 30
_RATIO = 32
_PIECE = 1 << 16
_limit: ContextVar[int | None] = ContextVar("decoded limit", default=None)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Let readers decode at most this many bytes of a source within the context, as a server does for strangers."""
    token = _limit.set(size)
    try:
        yield
    finally:
        _limit.reset(token)


def bytes_of(words: str, name: str) -> int:
    """Return a limit given in GiB as a number of bytes; ConfigError, with the limit's name, if it is no such number."""
    try:
        size = float(words)
    except ValueError:
        size = 0.0
    if not 0 < size < 1 << 20:
        raise ConfigError(f"{name} must be a number of GiB, such as 8; got {words!r:.40}")
    return int(size * (1 << 30))


class Decoded:
    """The bytes decoded from one source.

    Args:
        where: the source's name, for messages.
        stored: its size in bytes as it is stored.
    """

    def __init__(self, where: Path | str, stored: int) -> None:
        self.where, self.size = where, 0
        self.most = _most(stored)

    def add(self, size: int) -> None:
        """Count decoded bytes; DataError if the source holds more than it may."""
        self.reach(self.size + size)

    def reach(self, size: int) -> None:
        """Set the count of decoded bytes; DataError if the source holds more than it may."""
        self.size = size
        if size > self.most:
            raise DataError(
                f"{self.where}: holds more than {self.most:,} bytes when decoded, so it is not read. If you trust it, "
                f"allow more with penstock --max-decoded-gib or the environment variable {VARIABLE}."
            )


def limited(file: Any, decoded: Decoded) -> BinaryIO:
    """Return a file of decompressed bytes that raises DataError when it is read beyond the limit."""
    return io.BufferedReader(_Limited(file, decoded), 1 << 16)


def unzipped(archive: zipfile.ZipFile, name: str | zipfile.ZipInfo) -> bytes:
    """Return a file of a zip, which must not have more bytes than the zip says; one of ZIP_ERRORS if it is damaged.

    `ZipFile.read` decompresses whatever there is, and only then looks at that number. Piece by piece it stops there,
    but not for bzip2 and LZMA, of which some bytes can stand for gigabytes.
    """
    entry = archive.getinfo(name) if isinstance(name, str) else name
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("it is compressed by another method than deflate. Zip it again, by deflate.")
    with archive.open(entry) as file:
        return b"".join(iter(partial(file.read, _PIECE), b""))


class _Limited(io.RawIOBase):
    def __init__(self, file: Any, decoded: Decoded) -> None:
        self._file, self._decoded = file, decoded

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size: int = self._file.readinto(buffer)
        self._decoded.reach(self._file.tell())
        return size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence != io.SEEK_SET:  # the end is known only after everything was decompressed
            raise io.UnsupportedOperation("a compressed file can only be sought from its start")
        self._decoded.reach(offset)
        place: int = self._file.seek(offset)
        return place

    def tell(self) -> int:
        place: int = self._file.tell()
        return place


def _most(stored: int) -> int:
    given = _limit.get()
    if given is not None:
        return given
    words = os.environ.get(VARIABLE)
    return max(_USUAL, _RATIO * stored) if words is None else bytes_of(words, VARIABLE)
