"""The recordings with the most wrong words, as the report shows them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from penstock.sounds.recordings import Recording, resampled
from penstock.speech.alignment import align
from penstock.speech.transcriber import SpokenWord

__all__ = ["MOST_SHOWN", "SHOWN_SECONDS", "worst_recordings"]

MOST_SHOWN = 12
SHOWN_SECONDS = 10.0
"""Of one recording, so that the report stays small."""
_BINS = 240  # of a waveform


def worst_recordings(
    inputs: Sequence[Any], references: Sequence[str], predicted: Sequence[Sequence[SpokenWord]], rate: int | None
) -> list[dict[str, Any]]:
    """Return the recordings with the highest share of wrong words, the worst first; none that is right.

    Args:
        inputs: checked inputs of a recogniser.
        references: the transcript of each.
        predicted: the words of each.
        rate: Hz to which recordings are converted; None for features made elsewhere, which have no waveform.

    Returns:
        For each {"row", "file", "wer", "seconds", "edits": [[kind, true word or null, predicted word or null], ...],
        "words": [...]} and, of recordings, "waveform", the highest amplitude in each of equal parts of the time shown.
    """
    found = []
    for row, (reference, words) in enumerate(zip(references, predicted, strict=True)):
        truth, said = reference.split(), [word.text for word in words]
        edits = [
            [
                edit.kind,
                None if edit.reference is None else truth[edit.reference],
                None if edit.predicted is None else said[edit.predicted],
            ]
            for edit in align(truth, said)
        ]
        wrong = sum(kind != "equal" for kind, _, _ in edits)
        if wrong:
            found.append((wrong / max(len(truth), 1), row, edits))
    found.sort(key=lambda each: (-each[0], each[1]))
    return [
        {
            "row": row + 1,
            "file": inputs[row].name,
            "wer": rate_of_errors,
            "seconds": inputs[row].seconds,
            "edits": edits,
            "words": [word.to_json() for word in predicted[row]],
            **_waveform(inputs[row], rate),
        }
        for rate_of_errors, row, edits in found[:MOST_SHOWN]
    ]


def _waveform(one: Any, rate: int | None) -> dict[str, Any]:
    if rate is None or not isinstance(one, Recording):
        return {}
    samples = np.abs(resampled(one, rate)[: int(SHOWN_SECONDS * rate)])
    edges = np.linspace(0, len(samples), min(_BINS, max(len(samples), 1)) + 1).astype(int)
    parts = [samples[start:end] for start, end in pairwise(edges)]
    return {"waveform": [round(float(part.max(initial=0)), 3) for part in parts]}
