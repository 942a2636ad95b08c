"""What is wrong with recordings and transcripts, said before a training."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets import Rows
from penstock.datasets.changes import change
from penstock.datasets.columns import as_texts
from penstock.errors import DataError
from penstock.sequences import Sequences
from penstock.sounds.faults import is_clipped, unfit
from penstock.sounds.recordings import Recording
from penstock.speech.features import SpeechFeatures
from penstock.speech.frames import Frames, GivenFrames
from penstock.tasks.labelled import Labelled, Part

__all__ = ["check_rates", "checked_targets", "fitting_rows", "usable_rows"]

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
        _left_out(reason, [inputs[place].name or str(place) for place, each in enumerate(reasons) if each == reason])
    if not kept:
        why = ", ".join(f"{count}: {reason}" for reason, count in dropped.items()) or "there are none"
        raise DataError(f"no recordings are left to use: {why}")
    recordings = [inputs[place] for place in kept]
    clipped = [one.name or str(place) for place, one in zip(kept, recordings, strict=True) if _clipped(one)]
    words = f"{len(clipped):,} recordings are clipped, and used as they are: {_few(clipped)}" if clipped else ""
    change(_LOGGER, "clipped recordings", len(clipped), words)
    return Rows(recordings, [texts[place] for place in kept], dropped, np.array(kept, np.int64))


def check_rates(data: Labelled, features: SpeechFeatures) -> None:
    """Count the recordings at other sample rates; from a lower one there is nothing to hear in the upper bands."""
    if isinstance(features.frames, GivenFrames):
        return
    rate = features.frames.rate
    rates = [each.sample_rate_hz for part in (data.train, *data.measured().values()) for each in part.inputs]
    for kind, count in (
        ("recordings resampled to a lower rate", sum(each > rate for each in rates)),
        ("recordings resampled to a higher rate, without its upper bands", sum(each < rate for each in rates)),
    ):
        _count_change(data, kind, count, f"{count:,} {kind}, {rate} Hz")


def checked_targets(data: Labelled, features: SpeechFeatures, part: Part, where: str) -> Sequences:
    """Return the tokens of a part's transcripts; unknown ones are counted, and not learned."""
    targets, unknown = features.targets(part.targets)
    words = f"{where}: {unknown:,} tokens do not occur among the {len(features.tokens.vocabulary)} known ones"
    _count_change(data, "unknown tokens in transcripts", unknown, words)
    return targets


def fitting_rows(
    data: Labelled, steps: NDArray[np.int64], needed: NDArray[np.int64], *, refuse: bool
) -> NDArray[np.int64]:
    """Return the training rows whose transcripts fit into their recordings; the others are counted.

    Args:
        data: the parts.
        steps: (rows,), the steps of each training recording.
        needed: (rows,), the steps that its transcript needs.
        refuse: whether a transcript that does not fit is an error.

    Raises:
        DataError: one does not fit and `refuse` is set, or none fits.
    """
    fits = (steps >= needed) & (needed > 0)
    long = np.flatnonzero(~fits)
    if len(long) and (refuse or not fits.any()):
        row = int(long[0])
        name = data.train.inputs[row].name or f"row {row}"
        raise DataError(
            f"{len(long):,} training transcripts don't fit into their recordings; the first is {name}, which has "
            f"{steps[row]} steps of the {needed[row]} that it needs: {data.train.targets[row]!r:.60}. "
            "Check that it belongs to its recording, lower subsampling, or leave such transcripts out with "
            "long_transcripts='skip'."
        )
    if len(long):
        reason = "transcript longer than its recording allows"
        _left_out(reason, [data.train.inputs[row].name or str(row) for row in long.tolist()])
        data.count({reason: len(long)}, None)
    return np.flatnonzero(fits)


def _count_change(data: Labelled, kind: str, count: int, words: str) -> None:
    """Count and log what is changed in the data once features are known."""
    if count:
        _LOGGER.info("%s", words)
        data.count(None, {kind: count})


def _left_out(reason: str, names: Sequence[str]) -> None:
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
