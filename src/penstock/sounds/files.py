"""Files of recordings: in folders, in zips, and at paths that may lead into a zip, such as `digits.zip/0_george_1.wav`.

Files with one of `AUDIO_ENDINGS` are recordings; hidden files are ignored.
"""

import logging
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from penstock.decoded import ZIP_ERRORS, Decoded, unzipped
from penstock.errors import DataError
from penstock.events import Steps, say
from penstock.sounds.file_recording import LARGE_BYTES, FileRecording
from penstock.sounds.recordings import AUDIO_ENDINGS, Recording, decode, file_bytes, read_recording

__all__ = ["Folder", "Zip", "all_listed", "all_of", "from_paths", "holds_paths", "listed", "opened", "recording_at"]

_LOGGER = logging.getLogger("penstock.sounds")


def recording_at(path: str | Path) -> Recording:
    """Read the recording at a path, which may lead into a zip.

    Raises:
        DataError: it does not exist or cannot be read.
    """
    return next(listed(Path(), [str(path)]))


class Folder:
    """The recordings below a folder, named by their relative paths."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        return _recording_names(each.relative_to(self.path).as_posix() for each in sorted(self.path.rglob("*")))

    def recording(self, name: str) -> Recording:
        return read_recording(self.path / name)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes; 0 if there is none, which reading it tells."""
        path = self.path / name
        return os.path.getsize(path) if os.path.isfile(path) else 0  # also of a name that is too long

    def file_recording(self, name: str) -> FileRecording:
        """Return a recording that stays in its file."""
        return FileRecording(partial(file_bytes, self.path / name), str(self.path / name))


class Zip:
    """The recordings in a zip, named by their paths inside."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path, self.archive = path, archive
        self.decoded = Decoded(path, path.stat().st_size)

    def names(self) -> list[str]:
        return _recording_names(self.archive.namelist())

    def recording(self, name: str) -> Recording:
        return decode(self.content(name), f"{self.path}/{name}", self.decoded)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes, unpacked; 0 if there is none, which reading it tells."""
        found = self.archive.NameToInfo.get(name)
        return 0 if found is None else found.file_size

    def file_recording(self, name: str) -> FileRecording:
        """Return a recording that stays in the zip; what it holds is counted once, not whenever it is read again."""
        self.decoded.add(self.size(name))
        return FileRecording(partial(_member, self.path, name), f"{self.path}/{name}", self.decoded)

    def content(self, name: str) -> bytes:
        """Return the bytes of a file in the zip; DataError if it can't be read, or the zip holds more than it may."""
        self.decoded.add(self.size(name))
        return _content(self.archive, self.path, name)


def _content(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    where = f"{path}/{name}"
    try:
        return unzipped(archive, name)
    except KeyError as error:
        raise DataError(f"{where}: is not in the zip") from error
    except ZIP_ERRORS as error:
        raise DataError(f"{where}: can't be read from the zip: {error}") from error


def _member(path: Path, name: str) -> bytes:
    """Return the bytes of a file in a zip, which stays open for the next one: its list of files may be long."""
    return _content(_open_zip(path, path.stat().st_mtime_ns if path.is_file() else 0), path, name)


@lru_cache(maxsize=4)
def _open_zip(path: Path, changed: int) -> zipfile.ZipFile:
    """Open a zip that stays open; `changed`, when it was written last, tells another one of the same name."""
    return _zip(path)


def _zip(path: Path) -> zipfile.ZipFile:
    try:
        # Names are decoded as UTF-8 even if a zip, such as one from macOS, does not declare it.
        return zipfile.ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: the names inside must be in UTF-8; got {error.object[:40]!r}. Unpack it and give the folder, or "
            "create the zip again with names in UTF-8."
        ) from error
    except ZIP_ERRORS as error:
        raise DataError(f"{path}: can't be read as a zip: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def opened(path: Path) -> Iterator[Folder | Zip]:
    if path.is_dir():
        yield Folder(path)
        return
    archive = _zip(path)
    with archive:
        yield Zip(path, archive)


def _recording_names(names: Iterable[str]) -> list[str]:
    """Return the names of recordings, sorted; ignores hidden files and folders, such as those that macOS adds."""
    parts = ((name, PurePosixPath(name)) for name in names)
    return sorted(
        name
        for name, path in parts
        if path.suffix.lower() in AUDIO_ENDINGS and not any(part.startswith((".", "__MACOSX")) for part in path.parts)
    )


def holds_paths(values: Sequence[Any]) -> bool:
    """Whether values are paths of recordings."""
    paths = [value for value in values if value]
    return bool(paths) and all(
        isinstance(path, str) and PurePosixPath(path).suffix.lower() in AUDIO_ENDINGS for path in paths
    )


def listed(folder: Path, names: Iterable[str]) -> Iterator[Recording]:
    """Yield the recordings at paths relative to a folder; each zip is opened once."""
    with ExitStack() as stack:
        for source, name in _sources(stack, folder, names):
            yield source.recording(name)


def all_listed(folder: Path, names: Iterable[str]) -> list[Recording]:
    """Return the recordings at paths relative to a folder, as `all_of`."""
    with ExitStack() as stack:
        return _all(list(_sources(stack, folder, names)))


def from_paths(inputs: Any) -> Any:
    """Return the recordings at paths as `all_of`, if inputs are several paths; other inputs as they are."""
    if isinstance(inputs, str | bytes) or not isinstance(inputs, Iterable):
        return inputs
    several = inputs if isinstance(inputs, Sequence | np.ndarray) else list(inputs)
    if not len(several) or not all(isinstance(each, str | Path) for each in several):
        return several
    return all_listed(Path(), map(str, several))


def all_of(source: Folder | Zip, names: Iterable[str]) -> list[Recording]:
    """Return recordings; they stay in their files if these are larger than `LARGE_BYTES` together.

    Raises:
        DataError: one of them can't be read.
    """
    return _all([(source, name) for name in names])


def _all(places: Sequence[tuple[Folder | Zip, str]]) -> list[Recording]:
    size = sum(source.size(name) for source, name in places)
    if size <= LARGE_BYTES:
        return [source.recording(name) for source, name in places]
    words = f"{len(places):,} recordings ({size / 1e6:,.0f} MB) stay in their files; they are looked through once"
    say(_LOGGER, "reading", words, bytes=size)
    found: list[Recording] = []
    with Steps(_LOGGER, "looking through recordings", len(places), "recordings") as steps:
        for source, name in places:
            found.append(source.file_recording(name))
            steps.advance()
    return found


def _sources(stack: ExitStack, folder: Path, names: Iterable[str]) -> Iterator[tuple[Folder | Zip, str]]:
    """Yield the folder or zip of each path, and the name in it; each zip is opened once, until the stack closes it."""
    zips: dict[Path, Folder | Zip] = {}
    for name in names:
        path = folder / name
        archive = next((each for each in path.parents if each.suffix.lower() == ".zip" and os.path.isfile(each)), None)
        if archive is None:
            yield Folder(path.parent), path.name
            continue
        if archive not in zips:
            zips[archive] = stack.enter_context(opened(archive))
        yield zips[archive], path.relative_to(archive).as_posix()
