"""Labelled recordings: a folder or a zip with a folder for each class, or a table of paths and labels.

Files with one of `AUDIO_ENDINGS` are recordings; other and hidden files are ignored. A path may lead into a zip:
`digits.zip/0_george_1.wav`.
"""

from pathlib import Path, PurePosixPath

from penstock.datasets.changes import counted
from penstock.datasets.columns import as_labels, as_texts
from penstock.datasets.finding import find_column, holds_labels, say_found
from penstock.datasets.layout import DETECT, Layout, layout_of
from penstock.datasets.readers import column_names, first_rows, read_table
from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.registry import Columns
from penstock.shards.files import holds_tables
from penstock.sounds.files import Folder, all_listed, all_of, holds_paths, opened
from penstock.sounds.recordings import AUDIO_ENDINGS

__all__ = ["claims_recordings", "read_recording_rows", "read_recordings"]


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


def _from_folders(path: Path, answers: bool) -> Rows:
    with opened(path) as source:
        names = source.names()
        if not names:
            raise DataError(f"{path}: holds no recordings; expected files that end in {', '.join(AUDIO_ENDINGS)}")
        labels = _folder_labels(path, names) if answers else None
        return Rows(all_of(source, names), labels)


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
    kinds = (("audio", holds_paths, "recordings"), ("label", holds_labels, "labels"))
    try:
        for kind, fits, what in kinds:
            if kind in named and kind not in found:
                found[kind] = find_column(head, found.values(), fits, usual=kind, what=what, flag=f"--{kind}")
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    say_found(f"{path}: ", {what: found[kind] for kind, _, what in kinds if kind in named})
    return found


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
    recordings = all_listed(path.parent, [name for name, _ in usable])
    given = [answer for _, answer in usable] if answers else None
    return Rows(recordings, given, dropped, columns=columns, changed=dict(changed))


def _unfit(name: str | None, answer: object, answers: bool) -> str:
    if name is None or not name.strip():
        return "no recording"
    return "no label" if answers and answer is None else ""


def read_recording_rows(path: Path, columns: Columns, answers: bool) -> Rows:
    """Read recordings and their labels."""
    named = {"audio": columns["audio"], "label": columns["label"]}
    return read_recordings(path, answers=answers, layout=layout_of(columns), **named)


def claims_recordings(path: Path, columns: Columns) -> bool:
    """Whether a folder, an archive or a column of paths holds recordings; a folder of tables alone does not."""
    if "audio" in columns or path.suffix.lower() == ".zip":
        return True
    return path.is_dir() and path != Path() and (bool(Folder(path).names()) or not holds_tables(path))
