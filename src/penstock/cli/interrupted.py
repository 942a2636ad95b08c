"""The message after a training was interrupted with Ctrl-C."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.events import say

if TYPE_CHECKING:
    from penstock.tasks import Estimator

__all__ = ["say_interrupted"]

_LOGGER = logging.getLogger("penstock.cli")


def say_interrupted(fitted: "Estimator", out: Path, *, is_trained: bool) -> None:
    """Report what an interrupted training has saved, and how to resume it."""
    kept = f"the best weights so far are in {out}" if is_trained else f"{out} was not written"
    resume = f"--from {out} trains them further." if is_trained else "No epoch was done."
    if fitted.checkpoint and _has_begun(path := Path(fitted.checkpoint)):
        more = ["--overwrite"] if is_trained else []
        more += ["--resume"] if path == out.with_name(f"{out.name}.checkpoint") else []
        resume = f"The same command{' with ' if more else ''}{' '.join(more)} resumes from {fitted.checkpoint}."
    say(
        _LOGGER,
        "interrupted",
        f"stopped early; {kept}. {resume}",
        level=logging.WARNING,
        out=str(out) if is_trained else None,
        checkpoint=fitted.checkpoint,
    )


def _has_begun(checkpoint: Path) -> bool:
    """Return whether there is a checkpoint to resume from; those of stages before the last have longer names."""
    return any(path.name.startswith(checkpoint.name) for path in checkpoint.parent.iterdir())
