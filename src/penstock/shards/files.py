"""The files of a data set: those below a folder, here or behind an address, and what identifies their content."""

import hashlib
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from penstock.datasets.readers import table_ending
from penstock.datasets.remote import Remote, address, remote_files
from penstock.errors import DataError

__all__ = ["LARGE_BYTES", "data_files", "holds_tables", "identities", "is_large", "is_several"]

_LOGGER = logging.getLogger(__name__)
_LINES = ".txt"
LARGE_BYTES = 1 << 28
"""The size on disk above which a single table stays there."""


def is_several(path: Path) -> bool:
    """Whether a path stands for several files: a folder, or an address."""
    return path.is_dir() or address(path) is not None


def is_large(path: Path) -> bool:
    """Whether a file is read like a folder that holds it alone: a table of more than `LARGE_BYTES` on disk."""
    return table_ending(path) is not None and path.is_file() and path.stat().st_size > LARGE_BYTES


def data_files(path: Path) -> list[Path]:
    """Return the tables below a folder or address, or its .txt files where there is no table, in the order of names.

    A file is the only one of its own.

    Hidden files, and those whose names start with an underscore, as Spark's `_SUCCESS`, are passed over. Files of
    other kinds are left out, which is logged.

    Raises:
        DataError: there is none, or there are tables of several kinds; or the address can't be reached.
    """
    if path.is_file():
        return [path]
    place = address(path)
    found = sorted(each for each in path.rglob("*") if each.is_file()) if place is None else remote_files(place)
    shown = [each for each in found if not _is_hidden(each, path)]
    kinds = Counter(filter(None, map(table_ending, shown)))
    if len(kinds) > 1:
        listed = ", ".join(f"{count} of {kind}" for kind, count in sorted(kinds.items()))
        raise DataError(
            f"{place or path}: must hold files of one kind; it has {listed}. Move one kind to another folder."
        )
    kind = next(iter(kinds), _LINES)
    chosen = [each for each in shown if _kind(each) == kind]
    if not chosen:
        endings = ", ".join(sorted({each.suffix for each in shown})) or "no files"
        raise DataError(
            f"{place or path}: holds no tables (.csv, .tsv, .jsonl, .parquet, plain or .gz) and no .txt; it has "
            f"{endings:.100}. Is it the right folder?"
        )
    if others := len(shown) - len(chosen):
        _LOGGER.info("%s: reading %d files of %s; %d of other kinds are left out", path, len(chosen), kind, others)
    return chosen


def holds_tables(folder: Path) -> bool:
    """Whether a table lies below a folder."""
    return any(table_ending(each) and each.is_file() and not _is_hidden(each, folder) for each in folder.rglob("*"))


def identities(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Return what identifies each file's content: the SHA-256 of a local one; what the server says of a remote one."""
    return [
        {"name": each.name, "size": each.stat().st_size}
        | ({"version": each.version()} if isinstance(each, Remote) else {"sha256": _digest(each)})
        for each in files
    ]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: can't be read: {error.strerror or error}") from error


def _kind(path: Path) -> str | None:
    plain = path.name.lower().removesuffix(".gz")
    return table_ending(path) or (_LINES if plain.endswith(_LINES) else None)


def _is_hidden(path: Path, folder: Path) -> bool:
    parts = (path.name,) if isinstance(path, Remote) else path.relative_to(folder).parts
    return any(part.startswith((".", "_")) for part in parts)
