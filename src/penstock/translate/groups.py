"""Translations grouped by the length of their sources, and the best and worst of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.translate.metrics import sentence_chrf, translation_scores

__all__ = ["best_and_worst", "by_length"]

_GROUPS, _SHOWN = 5, 12


def by_length(lengths: NDArray[np.int64], counts: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Return the scores of up to five groups of sentences, the shortest sources first.

    Sentences of one length are in one group, and groups are about equal otherwise.

    Args:
        lengths: (sentences,), tokens of each source.
        counts: (sentences, 30), what `metrics.sentence_counts` returns.
    """
    # Each length goes to the group that the middle of its sentences, in ascending order, falls into.
    _, place, sizes = np.unique(lengths, return_inverse=True, return_counts=True)
    middle = np.cumsum(sizes) - sizes / 2
    group = np.minimum(middle * _GROUPS // len(lengths), _GROUPS - 1)[place]
    return [
        {
            "shortest": int(lengths[rows].min()),
            "longest": int(lengths[rows].max()),
            "rows": int(rows.sum()),
            "scores": translation_scores(counts[rows].sum(axis=0)),
        }
        for number in np.unique(group)
        for rows in [group == number]
    ]


def best_and_worst(
    sources: Sequence[str], predicted: Sequence[str], references: Sequence[str], counts: NDArray[np.float64]
) -> dict[str, list[dict[str, Any]]]:
    """Return `worst`, the sentences with the lowest chrF first, and `best`, the highest first, of equals the longest.

    Repeated sources are shown once, and `worst` holds no sentence that is right.
    """
    chrf = sentence_chrf(counts)
    first = {source: row for row, source in reversed(list(enumerate(sources)))}
    rows = sorted(first.values())
    longest = sorted(rows, key=lambda row: (-chrf[row], -len(sources[row])))
    worst = sorted((row for row in rows if predicted[row] != references[row]), key=lambda row: (chrf[row], row))
    return {
        name: [
            {
                "source": sources[row],
                "target": references[row],
                "prediction": predicted[row],
                "chrf": float(chrf[row]),
            }
            for row in order[:_SHOWN]
        ]
        for name, order in (("worst", worst), ("best", longest))
    }
