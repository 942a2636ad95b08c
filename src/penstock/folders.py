"""Folders and files written as a whole: whatever happens meanwhile, the target is the old one or the new one.

A file is written and synced under a hidden name beside its target, and then renamed.

The files of a folder are written and synced in a hidden one beside the target. Linux then exchanges the two names in
one step. Where a file system can't, the old folder is renamed before the new one, and a crash between the two leaves it
under a hidden name, where readers find it, until the next writer puts it back.
"""

import ctypes
import errno
import glob
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from penstock.errors import BundleError

__all__ = ["readable", "sync", "whole_file", "write_folder"]

_OLD, _NEW = "old", "new"
_ABANDONED_SECONDS = 3600  # after which no writer is still at work
_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE and AT_FDCWD of Linux
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def write_folder(target: Path, contents: Mapping[str, bytes]) -> None:
    """Write files into a folder, in place of one that is there.

    Args:
        target: the folder; missing parents are created.
        contents: the files by name.

    Raises:
        BundleError: it can't be written; what was at the target is unchanged.
    """
    new = _beside(target, _NEW)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _tidy(target)
        os.mkdir(new)
        for name, content in contents.items():
            with open(new / name, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        sync(new)
        _put(new, target)
    except OSError as error:
        raise BundleError(f"{target}: can't be written: {error.strerror or error}") from error
    finally:
        # After success this is the folder that was replaced, if any.
        shutil.rmtree(new, ignore_errors=True)


@contextmanager
def whole_file(target: Path, *, alone: bool = False) -> Iterator[Path]:
    """Context manager for a path to write to, which takes the target's place once it is complete and synced.

    After an error, the target is as it was and nothing else is left; a writer that is killed leaves a hidden file.

    Args:
        target: the file; its folder exists.
        alone: whether the caller keeps other writers away, by `locks.held`: then a killed writer's file is used again,
            else it is removed once it is old.

    Raises:
        OSError: it can't be written.
    """
    new = target.with_name(f".{target.name}.{_NEW}") if alone else _beside(target, _NEW)
    try:
        yield new
        sync(new)
        os.replace(new, target)
        sync(target.parent)
    finally:
        new.unlink(missing_ok=True)  # after success it has been renamed
    for left in () if alone else _hidden(target, _NEW):
        if left.is_file() and time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
            left.unlink(missing_ok=True)


def readable(target: Path) -> Path:
    """Return the folder to read: the target, or where a crash left what was there."""
    return target if os.path.lexists(target) else next(iter(_hidden(target, _OLD)), target)


def _tidy(target: Path) -> None:
    """Put a folder back that a crash left under its hidden name, and remove what crashed writers left long ago."""
    if (left := readable(target)) != target:
        os.rename(left, target)
        sync(target.parent)
    for folder in (*_hidden(target, _OLD), *_hidden(target, _NEW)):
        if time.time() - folder.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _hidden(target: Path, kind: str) -> list[Path]:
    pattern = f".{glob.escape(target.name)}.????????.{kind}"
    return sorted(target.parent.glob(pattern)) if target.parent.is_dir() else []


def _put(new: Path, target: Path) -> None:
    """Give the new folder the target's name; one that was there is removed, here or with the new folder's old name."""
    if not os.path.lexists(target):
        os.rename(new, target)
    elif not _exchanged(new, target):
        old = _beside(target, _OLD)
        os.rename(target, old)
        try:
            os.rename(new, target)
        except BaseException:
            os.rename(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    sync(target.parent)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False where the system can't."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None) if sys.platform == "linux" else None
    if rename is None:
        return False
    if rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT:
        return False
    raise OSError(code, os.strerror(code))


def _beside(target: Path, kind: str) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.{kind}")


def sync(path: Path) -> None:
    """Make the content of a file, or the names in a folder, durable in case of a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
