"""What is wrong with recordings and transcripts, said before a training."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from penstock.datasets import Rows
from penstock.datasets.changes import change
from penstock.datasets.columns import as_texts
from penstock.errors import DataError
from penstock.sounds.faults import is_clipped, unfit
from penstock.sounds.recordings import Recording
from penstock.speech.frames import Frames

__all__ = ["said", "usable_rows"]

_LOGGER = logging.getLogger(__name__)
_SHORTEST = 0.05  # seconds that a word takes at least
_SHOWN = 3


def usable_rows(inputs: Sequence[Recording | Frames], transcripts: Any) -> Rows:
    """Return recordings and transcripts that a training can use; the others are counted by reason.

    Raises:
        DataError: their numbers differ, or none are left.
    """
    texts = [text or "" for text in as_texts(transcripts, "transcripts")]
    if len(texts) != len(inputs):
        raise DataError(
            f"recordings and transcripts must have the same length; got {len(inputs)} recordings and {len(texts)} "
            "transcripts"
        )
    reasons = [_reason(one, text) for one, text in zip(inputs, texts, strict=True)]
    dropped = dict(Counter(filter(None, reasons)))
    kept = [place for place, reason in enumerate(reasons) if not reason]
    for reason in dropped:
        said(reason, [inputs[place].name or str(place) for place, each in enumerate(reasons) if each == reason])
    if not kept:
        why = ", ".join(f"{count}: {reason}" for reason, count in dropped.items()) or "there are none"
        raise DataError(f"no recordings are left to use: {why}")
    recordings = [inputs[place] for place in kept]
    clipped = [one.name or str(place) for place, one in zip(kept, recordings, strict=True) if _clipped(one)]
    words = f"{len(clipped):,} recordings are clipped, and used as they are: {_few(clipped)}" if clipped else ""
    change(_LOGGER, "clipped recordings", len(clipped), words)
    return Rows(recordings, [texts[place] for place in kept], dropped, np.array(kept, np.int64))


def said(reason: str, names: Sequence[str]) -> None:
    """Log which recordings are left out for a reason."""
    if names:
        _LOGGER.warning("%d recordings are left out (%s): %s", len(names), reason, _few(names))


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _reason(one: Recording | Frames, text: str) -> str:
    """Return why a recording with a transcript can't be used; empty if it can."""
    if not text.strip():
        return "no transcript"
    if isinstance(one, Recording):
        return unfit(one, _SHORTEST)
    return "" if len(one.samples) else "empty"


def _clipped(one: Recording | Frames) -> bool:
    return isinstance(one, Recording) and is_clipped(one)
