"""Files behind an address such as s3://bucket/reviews, read through fsspec."""

import re
from pathlib import Path, PurePosixPath
from types import SimpleNamespace
from typing import Any, BinaryIO, cast

from penstock.errors import DataError, MissingExtraError

__all__ = ["Remote", "address", "as_path", "remote_files"]

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.DOTALL)


class Remote:
    """A file of an fsspec file system, with the part of `pathlib.Path` that readers use.

    Args:
        system: the file system.
        place: the file's path in it.
    """

    def __init__(self, system: Any, place: str) -> None:
        self._system, self._place = system, place
        self.name, self.suffix = PurePosixPath(place).name, PurePosixPath(place).suffix

    def __str__(self) -> str:
        return str(self._system.unstrip_protocol(self._place))

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open the file to read bytes; OSError if it can't be read."""
        return cast(BinaryIO, self._system.open(self._place, mode))

    def stat(self) -> SimpleNamespace:
        """Return the size, as `st_size`."""
        return SimpleNamespace(st_size=self._system.size(self._place))

    def version(self) -> str:
        """Return what the server says identifies the content: a tag, or time and size."""
        return str(self._system.ukey(self._place))


def as_path(path: Any) -> Path:
    """Return a `Path`; a `Remote`, which readers can use in place of one, as it is."""
    return cast(Path, path) if isinstance(path, Remote) else Path(path)


def address(path: str | Path) -> str | None:
    """Return the address if there is one; None for a path of this machine.

    Of an address that a command made a `Path` of, which has one slash only, the second one is put back.
    """
    found = _ADDRESS.fullmatch(str(path))
    if found is None or Path(path).exists():
        return None
    return f"{found[1]}://{'/' * (found[1] == 'file')}{found[2]}"


def remote_files(place: str) -> list[Path]:
    """Return the files at and below an address, by their paths in order.

    Raises:
        DataError: nothing is there, or it can't be reached.
        MissingExtraError: fsspec, or the package for this kind of address, is not installed.
    """
    try:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(place)
        found = [as_path(Remote(system, each)) for each in sorted(system.find(root))]
    except ImportError as error:
        raise MissingExtraError(
            f"{place}: needs fsspec and its package for such addresses ({error!s:.100}): pip install 'penstock[data]'"
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(f"{place}: can't be reached: {error!s:.200}") from error
    if not found:
        raise DataError(f"{place}: holds no files. Is it the right address?")
    return found
