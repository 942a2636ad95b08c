"""The state of `penstock train` beside the folder that it writes, so that `--resume` continues it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.errors import ConfigError, DivergedError
from penstock.events import say

if TYPE_CHECKING:
    from penstock.tasks import Estimator

__all__ = ["resumable", "with_folder"]

_LOGGER = logging.getLogger("penstock.cli")


@contextmanager
def with_folder(out: Path) -> Iterator[None]:
    """Context in which the folder around `out` exists; folders that are still empty afterwards are removed again."""
    missing = [folder for folder in out.absolute().parents if not folder.exists()]
    out.absolute().parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for folder in missing:
            with suppress(OSError):  # it is not empty
                folder.rmdir()


@contextmanager
def resumable(fitted: "Estimator", out: Path, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Context of a training that keeps its state in `OUT.checkpoint`, unless the estimator has another checkpoint.

    The state is removed when the context ends without an error, or with a training that diverged, as it would again.

    Raises:
        ConfigError: there is such a state, and neither `resume` nor `overwrite`.
    """
    if fitted.checkpoint is not None:
        yield
        return
    path = out.with_name(f"{out.name}.checkpoint")
    found = _files(path)
    if found and not resume and not overwrite:
        raise ConfigError(f"{path}: is of a training that did not end. Pass --resume to continue it, or --overwrite.")
    if found and not resume:
        _remove(path)
    if resume and not found:
        say(_LOGGER, "resume", f"there is no {path} to resume from: the training starts from the beginning")
    fitted.set_params(checkpoint=str(path))
    try:
        yield
    except DivergedError:
        _remove(path)
        raise
    _remove(path)
    fitted.set_params(checkpoint=None)


def _files(path: Path) -> list[Path]:
    """The files of a checkpoint: of each stage of the training the last ones, and what a write left behind."""
    starts = (f"{path.name}.", f".{path.name}.")
    return [each for each in path.parent.iterdir() if each.name == path.name or each.name.startswith(starts)]


def _remove(path: Path) -> None:
    for each in _files(path):
        each.unlink(missing_ok=True)
