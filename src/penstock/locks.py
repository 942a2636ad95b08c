"""One process at a time: a lock that the system takes back from its holder, however that ends."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.errors import InputError

__all__ = ["held"]

# What file systems without locks say.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def held(path: str | Path, in_use: str) -> Iterator[None]:
    """Hold the lock of a file or folder, which need not exist yet.

    Meanwhile a hidden file, `.NAME.lock`, is there: beside it, or in the nearest folder above that exists. One that a
    killed process has left blocks nobody. On a file system without locks there is none.

    Args:
        path: the file or folder.
        in_use: what to say where another process, or another part of this one, holds it.

    Raises:
        InputError: it is held already, or the hidden file can't be made.
    """
    place = _place(Path(os.path.realpath(path)))
    try:
        descriptor = _taken(place)
    except BlockingIOError as error:
        raise InputError(f"{path}: {in_use}") from error
    except OSError as error:
        raise InputError(f"{path}: can't be locked by {place}: {error.strerror}") from error
    try:
        yield
    finally:
        place.unlink(missing_ok=True)
        os.close(descriptor)


def _place(path: Path) -> Path:
    above = path.parent
    while not above.is_dir():
        above = above.parent
    return above / f".{'+'.join(path.relative_to(above).parts)}.lock"


def _taken(place: Path) -> int:
    """The descriptor of the hidden file, locked; BlockingIOError where another one is."""
    while True:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _lock(descriptor)
            if os.path.samestat(os.fstat(descriptor), os.stat(place)):
                return descriptor
        except FileNotFoundError:  # the holder before has removed it since it was opened: another one is needed
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
