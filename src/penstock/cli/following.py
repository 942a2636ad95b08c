"""The epochs of `penstock train` while it runs: `DIR.epochs.jsonl`, and what `--track` names."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.tasks import Estimator
    from penstock.training import Callback

__all__ = ["epochs_followed"]


@contextmanager
def epochs_followed(fitted: "Estimator", out: Path, track: Any) -> "Iterator[Sequence[Callback]]":
    """Context with the callbacks that follow a training.

    The lines of JSON beside `out` are removed when `out` was written, which holds them too.

    Raises:
        MissingExtraError: PyTorch, or what `track` names, is not installed.
    """
    from penstock.tasks.estimator import training_module

    training = training_module()
    lines = training.EpochLines(out.with_name(f"{out.name}.epochs.jsonl"))
    before = _identity(out)
    more = [] if track is None else [training.track(track, out.absolute().parent, out.name, fitted.get_params())]
    try:
        yield [lines, *more]
    finally:
        if _identity(out) not in (None, before):
            lines.path.unlink(missing_ok=True)


def _identity(out: Path) -> int | None:
    """What tells one folder of this name from the one that replaces it."""
    return out.stat().st_ino if out.exists() else None
