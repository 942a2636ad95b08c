"""Files of recordings: in folders, in zips, and at paths that may lead into a zip, such as `digits.zip/0_george_1.wav`.

Files with one of `AUDIO_ENDINGS` are recordings; hidden files are ignored.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from penstock.decoded import ZIP_ERRORS, Decoded
from penstock.errors import DataError
from penstock.sounds.recordings import AUDIO_ENDINGS, Recording, decode, read_recording

__all__ = ["Folder", "Zip", "holds_paths", "listed", "opened", "recording_at"]


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


class Zip:
    """The recordings in a zip, named by their paths inside."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path, self.archive = path, archive
        self.decoded = Decoded(path, path.stat().st_size)

    def names(self) -> list[str]:
        return _recording_names(self.archive.namelist())

    def recording(self, name: str) -> Recording:
        return decode(self.content(name), f"{self.path}/{name}", self.decoded)

    def content(self, name: str) -> bytes:
        """Return the bytes of a file in the zip; DataError if it can't be read, or the zip holds more than it may."""
        where = f"{self.path}/{name}"
        try:
            self.decoded.add(self.archive.getinfo(name).file_size)
            return self.archive.read(name)
        except DataError:
            raise
        except KeyError as error:
            raise DataError(f"{where}: is not in the zip") from error
        except ZIP_ERRORS as error:
            raise DataError(f"{where}: can't be read from the zip: {error}") from error


@contextmanager
def opened(path: Path) -> Iterator[Folder | Zip]:
    if path.is_dir():
        yield Folder(path)
        return
    try:
        # Names are decoded as UTF-8 even if a zip, such as one from macOS, does not declare it.
        archive = zipfile.ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: the names inside must be in UTF-8; got {error.object[:40]!r}. Unpack it and give the folder, or "
            "create the zip again with names in UTF-8."
        ) from error
    except ZIP_ERRORS as error:
        raise DataError(f"{path}: can't be read as a zip: {getattr(error, 'strerror', None) or error}") from error
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
        zips: dict[Path, Folder | Zip] = {}
        for name in names:
            path = folder / name
            archive = next((each for each in path.parents if each.suffix.lower() == ".zip" and each.is_file()), None)
            if archive is None:
                yield read_recording(path)
                continue
            if archive not in zips:
                zips[archive] = stack.enter_context(opened(archive))
            yield zips[archive].recording(path.relative_to(archive).as_posix())
