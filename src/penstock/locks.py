"""A lock between processes, which the operating system releases when its holder exits or crashes."""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from penstock.errors import InputError

__all__ = ["held"]

# Error numbers of file systems that don't support locks.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


@contextmanager
def held(path: str | Path, in_use: str) -> Iterator[None]:
    """Hold the lock of a file or folder, which need not exist yet, within this context.

    The lock uses a hidden file, `.NAME.lock`, in the same folder or the nearest parent folder that exists. A hidden
    file left by a killed process doesn't block others. If the file system doesn't support locks, nothing is locked.

    Args:
        path: the file or folder.
        in_use: the error message if another process, or another part of this one, holds the lock.

    Raises:
        InputError: the lock is already held, or the hidden file can't be created.
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
    """Lock the hidden file and return its descriptor; BlockingIOError if it is already locked."""
    while True:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            _lock(descriptor)
            if os.path.samestat(os.fstat(descriptor), os.stat(place)):
                return descriptor
        except FileNotFoundError:  # the previous holder removed the file after it was opened here: try again
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
