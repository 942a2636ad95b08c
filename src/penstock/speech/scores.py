"""Word and character error rates, counted as jiwer does.

The error rate is (substitutions + insertions + deletions) / items of the references, over all recordings together.
Words are what whitespace separates; characters include the spaces between words, not those at the ends. Nothing else is
changed: "Go" and "go" differ.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.runtime.judged import Judged
from penstock.runtime.resampling import Sums, intervals, units_of
from penstock.speech.alignment import DELETED, EQUAL, INSERTED, SUBSTITUTED, align

__all__ = ["METRICS", "by_speaker", "error_counts", "judged", "speech_scores", "transcript_counts"]

METRICS = ("wer", "cer", "ser")
"""Word error rate, character error rate, and the share of recordings with any error; 1 for 100 %."""

_KINDS = (EQUAL, SUBSTITUTED, INSERTED, DELETED)
_WIDTH = 2 * len(_KINDS) + 2

Array = NDArray[np.float64]


def transcript_counts(references: Sequence[str], predicted: Sequence[str]) -> Array:
    """Return what all scores follow from, for each recording, (recordings, 10) float64.

    The columns are equal, substituted, inserted and deleted words; the same of characters; 1 if a word is wrong; 1.

    Raises:
        DataError: the numbers of references and predictions differ, or there are none.
    """
    if len(references) != len(predicted) or not len(references):
        raise DataError(
            "references and predictions must have the same length, at least 1; "
            f"got {len(references)} and {len(predicted)}"
        )
    found = np.zeros((len(references), _WIDTH))
    for row, reference, said in zip(found, references, predicted, strict=True):
        row[:4] = _counted(reference.split(), said.split())
        row[4:8] = _counted(reference.strip(), said.strip())
        row[8:] = bool(row[1:4].any()), 1
    return found


def speech_scores(counts: Array) -> dict[str, float]:
    """Return wer, cer and ser for the sum of the counts of all recordings, (10,).

    Without any word in the references, the number of inserted words takes the place of their share, as in jiwer.

    Examples:
        >>> speech_scores(transcript_counts(["turn it on"], ["turn on"]).sum(axis=0))["cer"]
        0.3
    """
    return {name: float(value) for name, value in _scores(counts).items()}


def error_counts(counts: Array) -> dict[str, dict[str, int]]:
    """Return {"words": {"equal", "substituted", "inserted", "deleted", "reference"}, "characters": the same}."""
    found = {}
    for name, part in (("words", counts[:4]), ("characters", counts[4:8])):
        each = dict(zip(_KINDS, map(int, part), strict=True))
        found[name] = each | {"reference": each[EQUAL] + each[SUBSTITUTED] + each[DELETED]}
    return found


def by_speaker(counts: Array, speakers: Sequence[Any]) -> list[dict[str, Any]]:
    """Return for each speaker {"speaker", "rows", "wer", "cer", "ser", "interval"}, the highest word error rate first.

    Args:
        counts: (recordings, 10), of `transcript_counts`.
        speakers: (recordings,), who spoke each.

    Raises:
        DataError: the numbers differ.
    """
    if len(speakers) != len(counts):
        raise DataError(f"each of {len(counts)} recordings needs a speaker; got {len(speakers)}")
    places: dict[str, list[int]] = {}
    for place, speaker in enumerate(speakers):
        places.setdefault(str(speaker), []).append(place)
    found = []
    for name, rows in places.items():
        own = counts[rows]
        scores = speech_scores(own.sum(axis=0))
        found.append({"speaker": name, "rows": len(rows), **scores, "interval": intervals(_sums(own))})
    return sorted(found, key=lambda each: (-each["wer"], each["speaker"]))


def judged(references: Sequence[str], predicted: Sequence[str], names: Sequence[Mapping[str, Any]] = ()) -> Judged:
    """Return transcripts with their scores, as `evaluate` and `compare` judge them.

    Args:
        references, predicted: (recordings,) each.
        names: what identifies each recording.

    Raises:
        DataError: as in `transcript_counts`.
    """
    counts = transcript_counts(references, predicted)
    return Judged(
        speech_scores(counts.sum(axis=0)),
        _sums(counts),
        np.array(references, object),
        np.array(predicted, object),
        names=names,
    )


def _sums(counts: Array) -> Sums:
    group, groups = units_of(len(counts), _WIDTH)
    values = np.zeros((groups, _WIDTH))
    np.add.at(values, group, counts)
    return Sums(values, _scores, len(counts), shares=("ser",))


def _scores(sums: Array) -> dict[str, Array]:
    return {
        "wer": _rate(sums[..., :4]),
        "cer": _rate(sums[..., 4:8]),
        "ser": sums[..., 8] / np.maximum(sums[..., 9], 1),
    }


def _rate(sums: Array) -> Array:
    equal, substituted, inserted, deleted = np.moveaxis(sums, -1, 0)
    return (substituted + inserted + deleted) / np.maximum(equal + substituted + deleted, 1)


def _counted(reference: Sequence[str], predicted: Sequence[str]) -> list[int]:
    kinds = Counter(edit.kind for edit in align(reference, predicted))
    return [kinds[kind] for kind in _KINDS]
