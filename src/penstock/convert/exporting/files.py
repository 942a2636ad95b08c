"""What an export writes: all of its files or none."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from penstock.errors import ConfigError
from penstock.folders import whole_file

__all__ = ["Written", "check_free", "write"]


@dataclass(frozen=True)
class Written:
    """What an export wrote, and how it was verified.

    Attributes:
        files: the files.
        errors: for each runtime that ran the export, the largest difference from the model, as a share of the output's
            scale.
        notes: what a reader should know, such as a runtime that could not be asked.
        measures: figures of what was written, such as the loss by int8 weights, or the memory of a program in C.
    """

    files: tuple[Path, ...]
    errors: Mapping[str, float]
    notes: tuple[str, ...] = ()
    measures: Mapping[str, float | str] = field(default_factory=dict)


def check_free(paths: list[Path], *, overwrite: bool) -> None:
    """Raise ConfigError if a file exists, unless it may be overwritten, or if there is no folder for it."""
    for path in paths:
        if path.is_dir() or (path.exists() and not overwrite):
            raise ConfigError(f"{path}: exists already. Choose another name, or pass --overwrite (overwrite=True).")
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: there is no folder {path.parent}. Make it first, or choose another place.")


def write(contents: Mapping[Path, bytes]) -> tuple[Path, ...]:
    """Write files, each beside its place first, and rename them when all are complete and synced.

    Raises:
        ConfigError: one can't be written; then none is.
    """
    try:
        with ExitStack() as renames:
            beside = {path: renames.enter_context(whole_file(path)) for path in reversed(list(contents))}
            for path, content in contents.items():
                beside[path].write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{error.filename}: can't be written: {error.strerror}") from error
    return tuple(contents)
