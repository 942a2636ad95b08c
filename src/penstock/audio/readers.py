"""Labelled recordings: a folder or a zip with a folder for each class, or a table of paths and labels.

Files with one of `AUDIO_ENDINGS` are recordings; other and hidden files are ignored. A path may lead into a zip:
`digits.zip/0_george_1.wav`.
"""

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from penstock.audio.recordings import AUDIO_ENDINGS, Recording, decode, read_recording
from penstock.datasets.changes import counted
from penstock.datasets.columns import as_labels, as_texts
from penstock.datasets.finding import find_column, holds_labels, say_found
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.readers import column_names, first_rows, read_table
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.registry import Columns

__all__ = ["claims_recordings", "read_recording_rows", "read_recordings", "recording_at"]


def read_recordings(
    path: str | Path,
    *,
    audio: str | None = None,
    label: str | None = None,
    answers: bool = True,
    layout: Layout = DETECT,
) -> Rows:
    """Read the recordings of a folder, a zip, or a table.

    Args:
        path: a folder or zip, where a recording's class is the name of its folder, at any depth; or a table, as
            `read_table` reads it, with a path in each row, relative to the table's folder.
        audio, label: the table's columns; None for "audio" and "label", or the only possible ones.
        answers: False if there may be no labels; then every row of a table needs a path.
        layout: the layout of a text table.

    Raises:
        DataError: the path does not exist or has no recordings, there is no folder for each class, a file cannot be
            read, or columns were named for a folder or zip.
    """
    path = Path(path)
    if path.is_dir() or path.suffix.lower() == ".zip":
        if audio is not None:
            raise DataError(f"{path}: is not a table, so it has no column {audio}. Leave --audio and --label out.")
        return _from_folders(path, answers)
    return _from_table(path, audio, label, answers, layout)


def recording_at(path: str | Path) -> Recording:
    """Read the recording at a path, which may lead into a zip.

    Raises:
        DataError: it does not exist or cannot be read.
    """
    return next(_listed(Path(), [str(path)]))


class _Folder:
    """The recordings below a folder, named by their relative paths."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        return _audio_names(each.relative_to(self.path).as_posix() for each in sorted(self.path.rglob("*")))

    def recording(self, name: str) -> Recording:
        return read_recording(self.path / name)


class _Zip:
    """The recordings in a zip, named by their paths inside."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path, self.archive = path, archive

    def names(self) -> list[str]:
        return _audio_names(self.archive.namelist())

    def recording(self, name: str) -> Recording:
        where = f"{self.path}/{name}"
        try:
            return decode(self.archive.read(name), where)
        except KeyError as error:
            raise DataError(f"{where}: is not in the zip") from error
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            raise DataError(f"{where}: can't be read from the zip: {error}") from error


@contextmanager
def _opened(path: Path) -> Iterator[_Folder | _Zip]:
    if path.is_dir():
        yield _Folder(path)
        return
    try:
        # Names are decoded as UTF-8 even if a zip, such as one from macOS, does not declare it.
        archive = zipfile.ZipFile(path, metadata_encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: the names inside must be in UTF-8; got {error.object[:40]!r}. Unpack it and give the folder, or "
            "create the zip again with names in UTF-8."
        ) from error
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path}: can't be read as a zip: {getattr(error, 'strerror', None) or error}") from error
    with archive:
        yield _Zip(path, archive)


def _audio_names(names: Iterable[str]) -> list[str]:
    """Return the names of recordings, sorted; ignores hidden files and folders, such as those that macOS adds."""
    parts = ((name, PurePosixPath(name)) for name in names)
    return sorted(
        name
        for name, path in parts
        if path.suffix.lower() in AUDIO_ENDINGS and not any(part.startswith((".", "__MACOSX")) for part in path.parts)
    )


def _from_folders(path: Path, answers: bool) -> Rows:
    with _opened(path) as source:
        names = source.names()
        if not names:
            raise DataError(f"{path}: holds no recordings; expected files that end in {', '.join(AUDIO_ENDINGS)}")
        labels = _folder_labels(path, names) if answers else None
        return Rows([source.recording(name) for name in names], labels)


def _folder_labels(path: Path, names: list[str]) -> list[str]:
    """Return the name of each recording's folder: the first below the folders that all recordings share."""
    folders = [PurePosixPath(name).parent.parts for name in names]
    shared = 0
    while all(len(parts) > shared + 1 and parts[shared] == folders[0][shared] for parts in folders):
        shared += 1
    if unsorted := [name for name, parts in zip(names, folders, strict=True) if len(parts) <= shared]:
        raise DataError(
            f"{path}: must have a folder for each class; {unsorted[0]} is in none. Sort the recordings into folders or "
            "list them in a CSV file with a column of paths and one of labels: --audio COL --label COL"
        )
    return [parts[shared] for parts in folders]


def _columns(path: Path, audio: str | None, label: str | None, answers: bool, layout: Layout) -> dict[str, str]:
    """The columns of paths and labels: those named, the usual ones, or the only ones that are possible."""
    named = {"audio": audio} | ({"label": label} if answers else {})
    usual = {kind: name or kind for kind, name in named.items()}
    if all(named.values()) or set(usual.values()) <= set(column_names(path, layout)):
        return usual
    head = first_rows(path, layout)
    found: dict[str, str] = {kind: name for kind, name in named.items() if name}
    kinds = (("audio", _holds_paths, "recordings"), ("label", holds_labels, "labels"))
    try:
        for kind, fits, what in kinds:
            if kind in named and kind not in found:
                found[kind] = find_column(head, found.values(), fits, usual=kind, what=what, flag=f"--{kind}")
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    say_found(f"{path}: ", {what: found[kind] for kind, _, what in kinds if kind in named})
    return found


def _holds_paths(values: Sequence[Any]) -> bool:
    """Whether values are paths of recordings."""
    paths = [value for value in values if value]
    return bool(paths) and all(
        isinstance(path, str) and PurePosixPath(path).suffix.lower() in AUDIO_ENDINGS for path in paths
    )


def _from_table(path: Path, audio: str | None, label: str | None, answers: bool, layout: Layout) -> Rows:
    columns = _columns(path, audio, label, answers, layout)
    audio, label = columns["audio"], columns.get("label", "")
    with counted() as changed:
        table = read_table(path, [audio, label] if answers else [audio], layout)
    paths = as_texts(table[audio], f"the column {audio} of {path}")
    labels = as_labels(table[label], f"the column {label} of {path}") if answers else [None] * len(paths)
    usable: list[tuple[str, object]] = []
    dropped: dict[str, int] = {}
    for row, (name, answer) in enumerate(zip(paths, labels, strict=True), start=1):
        if reason := _unfit(name, answer, answers):
            if not answers:
                raise DataError(f"{path}: row {row} has no path in the column {audio}. Name a recording, or drop it.")
            dropped[reason] = dropped.get(reason, 0) + 1
        else:
            usable.append((name or "", answer))
    if not usable:
        raise DataError(f"{path}: no rows are left to use. Check the columns {audio} and {label}.")
    recordings = list(_listed(path.parent, [name for name, _ in usable]))
    given = [answer for _, answer in usable] if answers else None
    return Rows(recordings, given, dropped, columns=columns, changed=dict(changed))


def _unfit(name: str | None, answer: object, answers: bool) -> str:
    if name is None or not name.strip():
        return "no recording"
    return "no label" if answers and answer is None else ""


def _listed(folder: Path, names: Iterable[str]) -> Iterator[Recording]:
    """Yield the recordings at paths relative to a folder; each zip is opened once."""
    with ExitStack() as stack:
        zips: dict[Path, _Folder | _Zip] = {}
        for name in names:
            path = folder / name
            archive = next((each for each in path.parents if each.suffix.lower() == ".zip" and each.is_file()), None)
            if archive is None:
                yield read_recording(path)
                continue
            if archive not in zips:
                zips[archive] = stack.enter_context(_opened(archive))
            yield zips[archive].recording(path.relative_to(archive).as_posix())


def read_recording_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Read recordings and their labels."""
    named = {"audio": columns["audio"], "label": columns["label"]}
    return read_recordings(path, answers=answers, layout=layout_of(columns), **named)


def claims_recordings(path: Path, columns: Columns) -> bool:
    """Whether a folder, an archive or a column of paths holds recordings."""
    return "audio" in columns or path.suffix.lower() == ".zip" or (path.is_dir() and path != Path())
