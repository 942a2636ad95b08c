"""Where a command may write, checked before it begins to work."""

import os
from pathlib import Path

from penstock.errors import InputError

__all__ = ["check_new_file", "check_new_folder"]


def check_new_folder(path: Path, *, overwrite: bool) -> None:
    """Check that a folder can be created at this path.

    Raises:
        InputError: something is there already, and `overwrite` is False or it is no folder; or its parent
            can't be written.
    """
    if path.exists():
        if not path.is_dir():
            raise InputError(f"{path} is a file; expected a folder to write. Choose another --out.")
        if not overwrite:
            raise InputError(f"{path} exists already. Choose another --out, or replace it with --overwrite.")
    _check_parent(path)


def check_new_file(path: Path) -> None:
    """Check that a file can be written at this path; an existing file will be replaced.

    Raises:
        InputError: there is a folder, or its parent can't be written.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; expected a file to write. Choose another -o.")
    _check_parent(path)


def _check_parent(path: Path) -> None:
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"{path} can't be written: {parent} is not a folder that you may write to.")
