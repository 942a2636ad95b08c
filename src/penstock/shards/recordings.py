"""Recordings of a folder, a few at a time."""

from collections.abc import Iterator
from pathlib import Path

from penstock.datasets.rows import Rows
from penstock.errors import DataError
from penstock.registry import Columns
from penstock.sounds.files import Folder
from penstock.sounds.recordings import AUDIO_ENDINGS

__all__ = ["stream_recordings"]

_AT_ONCE = 32


def stream_recordings(path: Path, columns: Columns) -> Iterator[Rows]:
    """Yield the recordings below a folder, in the order of their names, as `Task.blocks`.

    Raises:
        DataError: there is none, or one can't be read.
    """
    folder = Folder(path)
    if not (names := folder.names()):
        raise DataError(f"{path}: holds no recordings; expected files that end in {', '.join(AUDIO_ENDINGS)}")
    for start in range(0, len(names), _AT_ONCE):
        yield Rows([folder.recording(name) for name in names[start : start + _AT_ONCE]])
