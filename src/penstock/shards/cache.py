"""A folder of prepared data sets, each by a key of its content and options, whole or not there."""

import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from penstock.datasets.rows import Rows
from penstock.errors import InputError
from penstock.events import say
from penstock.locks import held
from penstock.shards.stored import StoredSequences, StoredTokens
from penstock.shards.writer import ROWS, Writer, kept_rows

__all__ = ["Cache", "default_cache"]

_LOGGER = logging.getLogger("penstock.shards")
_MANIFEST = "manifest.json"
_FORMAT = 1


def default_cache() -> Path:
    """Return the user's folder for caches, by the XDG base directories, and in it that of Penstock."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "penstock"


class Cache:
    """A prepared data set: made by `make` if the folder has none of this key, or a damaged one.

    Args:
        folder: the folder of all prepared data sets; created if missing.
        key: what decides on the content, as JSON: files, columns, options.
        make: writes the data set, and returns what is to be known of it, as JSON.

    Attributes:
        digest: SHA-256 of the key.
        about: what `make` returned.

    Raises:
        InputError: the folder can't be written, or another training prepares the same data set.
    """

    def __init__(self, folder: Path, key: Mapping[str, Any], make: Callable[[Writer], dict[str, Any]]) -> None:
        described = json.dumps({"format": _FORMAT, **key}, sort_keys=True, default=str)
        self.digest = hashlib.sha256(described.encode()).hexdigest()
        self.path = folder / self.digest[:32]
        with held(self.path, "another training prepares these data now. Wait for its end, or choose another cache."):
            manifest = self._sound()
            if manifest is None:
                manifest = self._made(make)
        self.about: dict[str, Any] = manifest["about"]
        self._files: dict[str, Any] = manifest["files"]

    def sequences(self, part: str = ROWS, rows: np.ndarray | None = None) -> StoredSequences:
        """Open the rows of a part, or the ones with these numbers."""
        return StoredSequences((self.path / name for name in sorted(self._files) if name.startswith(f"{part}-")), rows)

    def tokens(self, name: str, dtype: DTypeLike, lengths: str) -> StoredTokens:
        """Open ids that `Writer.append` wrote, and read the lengths of their sequences, int64."""
        ends = np.cumsum(np.fromfile(self.path / lengths, np.int64))
        return StoredTokens.opened(self.path / name, dtype, np.concatenate([[0], ends]))

    def rows(self, part: str) -> Rows:
        """Return the rows that were kept as they are."""
        return kept_rows(self.path / f"{part}.arrow")

    def _sound(self) -> dict[str, Any] | None:
        """Return what the manifest holds if all files are as they were written; else None."""
        if not self.path.is_dir():
            return None
        try:
            manifest: dict[str, Any] = json.loads((self.path / _MANIFEST).read_bytes())
            files = manifest["files"]
            damaged = [name for name in files if _described(self.path / name) != files[name]]
            if manifest["sum"] != _sum(manifest):
                damaged.append(_MANIFEST)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            damaged = [f"{_MANIFEST} ({error!s:.80})"]
        if damaged:
            message = f"{self.path}: damaged: {', '.join(damaged):.200}. The data are prepared again."
            say(_LOGGER, "cache", message, level=logging.WARNING, path=str(self.path))
            return None
        message = f"using the data prepared in {self.path}"
        say(_LOGGER, "cache", message, path=str(self.path))
        return manifest

    def _made(self, make: Callable[[Writer], dict[str, Any]]) -> dict[str, Any]:
        """Write into a hidden folder, then give it its name."""
        new = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.new")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for left in self.path.parent.glob(f".{self.path.name}.*.new"):  # of a process that was killed
                shutil.rmtree(left)
            new.mkdir()
            writer = Writer(new)
            with closing(writer):
                about = make(writer)
                writer.flush()
            manifest: dict[str, Any] = {
                "about": about,
                "files": {name: _described(new / name) for name in writer.files},
            }
            manifest["sum"] = _sum(manifest)
            (new / _MANIFEST).write_text(json.dumps(manifest))
            for name in (*writer.files, _MANIFEST):
                with (new / name).open("rb") as file:
                    os.fsync(file.fileno())
            shutil.rmtree(self.path, ignore_errors=True)
            new.rename(self.path)
        except OSError as error:
            raise InputError(
                f"{self.path.parent}: data can't be prepared there: {error.strerror or error}. Choose another cache."
            ) from error
        finally:
            shutil.rmtree(new, ignore_errors=True)
        size = sum(each["size"] for each in manifest["files"].values())
        message = (
            f"prepared the data in {self.path} ({size / 1e6:,.0f} MB), for the next training with the same data and "
            "options too; it may be removed"
        )
        say(_LOGGER, "cache", message, path=str(self.path), bytes=size)
        return manifest


def _described(path: Path) -> dict[str, Any]:
    """Return size and hash of a file; nothing if it is not there."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _sum(manifest: Mapping[str, Any]) -> str:
    plain = json.dumps({name: manifest[name] for name in ("about", "files")}, sort_keys=True)
    return hashlib.sha256(plain.encode()).hexdigest()
