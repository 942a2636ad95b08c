"""Sentences and their translations, as users hold them: columns of texts."""

from collections import Counter
from typing import Any

import numpy as np

from penstock.datasets.columns import as_texts
from penstock.datasets.rows import Rows
from penstock.errors import DataError

__all__ = ["sentence_pairs"]


def sentence_pairs(sources: Any, targets: Any) -> Rows:
    """Return sentences and their translations; pairs with an empty side are dropped and counted.

    Args:
        sources, targets: columns of texts, as many of both.

    Raises:
        DataError: their numbers differ, values are not texts, or no pair is left.
    """
    left, right = as_texts(sources, "sources"), as_texts(targets, "targets")
    if len(left) != len(right):
        raise DataError(
            f"sources and targets must have the same length; got {len(left):,} sources and {len(right):,} targets"
        )
    reasons = [
        "no source" if not (source or "").strip() else "no target" if not (target or "").strip() else ""
        for source, target in zip(left, right, strict=True)
    ]
    kept = [place for place, reason in enumerate(reasons) if not reason]
    dropped = dict(Counter(filter(None, reasons)))
    if not kept:
        why = ", ".join(f"{count:,} pairs with {reason}" for reason, count in dropped.items()) or "there are none"
        raise DataError(f"no pairs of sentences are left to use: {why}. Are these the right files or columns?")
    return Rows(
        [left[place] or "" for place in kept], [right[place] for place in kept], dropped, np.array(kept, np.int64)
    )
