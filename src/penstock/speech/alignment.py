"""Alignment of a prediction with its reference: the fewest substitutions, insertions and deletions (Levenshtein 1966).

Several alignments may need as few. The one that is chosen is that of RapidFuzz, which jiwer counts, so that the numbers
of each kind of error are the same: equal ends are taken off first; then, read from the end, a deletion goes before an
insertion, and that before a match or a substitution.
"""

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DELETED", "EQUAL", "INSERTED", "SUBSTITUTED", "Edit", "align"]

EQUAL, SUBSTITUTED, INSERTED, DELETED = "equal", "substituted", "inserted", "deleted"


class Edit(NamedTuple):
    """One place of an alignment.

    Attributes:
        kind: EQUAL, SUBSTITUTED, INSERTED or DELETED.
        reference: the place in the reference; None for what was inserted.
        predicted: the place in the prediction; None for what was deleted.
    """

    kind: str
    reference: int | None
    predicted: int | None


def align(reference: Sequence[Any], predicted: Sequence[Any]) -> list[Edit]:
    """Return the alignment of two sequences of hashable items, from begin to end.

    Examples:
        >>> [edit.kind for edit in align("turn it on".split(), "turn on now".split())]
        ['equal', 'deleted', 'equal', 'inserted']
    """
    first = _shared(reference, predicted)
    last = _shared(reference[first:][::-1], predicted[first:][::-1])
    rows, columns = len(reference) - last, len(predicted) - last
    edits = [Edit(EQUAL, place, place) for place in range(first)]
    edits += _middle(reference, predicted, first, rows, columns)
    edits += [Edit(EQUAL, rows + place, columns + place) for place in range(last)]
    return edits


def _shared(one: Sequence[Any], other: Sequence[Any]) -> int:
    """Number of items that two sequences begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _middle(reference: Sequence[Any], predicted: Sequence[Any], first: int, rows: int, columns: int) -> list[Edit]:
    """Align reference[first:rows] and predicted[first:columns], from the end."""
    distances = _distances(reference[first:rows], predicted[first:columns])
    i, j = rows - first, columns - first
    edits: list[Edit] = []
    while i or j:
        if i and (not j or distances[i, j] == distances[i - 1, j] + 1):
            i -= 1
            edits.append(Edit(DELETED, first + i, None))
        elif j and (not i or distances[i, j - 1] < distances[i - 1, j - 1]):
            j -= 1
            edits.append(Edit(INSERTED, None, first + j))
        else:
            i, j = i - 1, j - 1
            same = reference[first + i] == predicted[first + j]
            edits.append(Edit(EQUAL if same else SUBSTITUTED, first + i, first + j))
    return edits[::-1]


def _distances(reference: Sequence[Any], predicted: Sequence[Any]) -> NDArray[np.int64]:
    """Return the least number of edits between all beginnings, (reference + 1, predicted + 1)."""
    places: dict[Any, int] = {}
    theirs, ours = (
        np.array([places.setdefault(item, len(places)) for item in each]) for each in (reference, predicted)
    )
    steps = np.arange(len(ours) + 1)
    found = np.empty((len(theirs) + 1, len(ours) + 1), np.int64)
    found[0] = steps
    for row, item in enumerate(theirs, start=1):
        before = found[row - 1]
        found[row, 0] = row
        found[row, 1:] = np.minimum(before[1:] + 1, before[:-1] + (ours != item))
        # An insertion adds 1 to the entry before it: d[j] = min over k <= j of d[k] + (j - k).
        found[row] = np.minimum.accumulate(found[row] - steps) + steps
    return found
