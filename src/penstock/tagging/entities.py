"""Scores of tags: precision, recall and F1 of whole chunks, as conlleval and seqeval count them, and of single tags.

A chunk is right if its type and both of its ends are. `micro` scores count all chunks alike.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.resampling import Sums, intervals, units_of
from penstock.tagging.schemes import chunks

__all__ = ["entity_counts", "entity_scores", "entity_table", "tag_sums", "token_counts"]

Sentences = Sequence[Sequence[str]]


def entity_counts(truth: Sentences, predicted: Sentences) -> tuple[list[str], NDArray[np.int64]]:
    """Count the chunks of BIOES tags.

    Args:
        truth, predicted: the tags of each sentence, as many in both.

    Returns:
        The types in order, and (sentences, 3, types): how many chunks are right, predicted, and true.

    Examples:
        >>> entity_counts([["S-PER", "O", "S-LOC"]], [["S-PER", "S-LOC", "S-LOC"]])[1].tolist()
        [[[1, 1], [2, 1], [1, 1]]]
    """
    found = [(set(chunks(true)), set(chunks(said))) for true, said in zip(truth, predicted, strict=True)]
    kinds = sorted({chunk.kind for pair in found for each in pair for chunk in each})
    place = {kind: number for number, kind in enumerate(kinds)}
    counts = np.zeros((len(found), 3, len(kinds)), np.int64)
    for sentence, (true, said) in enumerate(found):
        for row, some in enumerate((true & said, said, true)):
            for chunk in some:
                counts[sentence, row, place[chunk.kind]] += 1
    return kinds, counts


def entity_scores(counts: NDArray[Any]) -> dict[str, NDArray[np.float64]]:
    """Return precision, recall and f1 of counts (..., 3) of right, predicted and true chunks; 0 for none of them."""
    right, said, true = np.moveaxis(np.asarray(counts, np.float64), -1, 0)
    return {
        "f1": 2 * right / np.maximum(said + true, 1),
        "precision": right / np.maximum(said, 1),
        "recall": right / np.maximum(true, 1),
    }


def entity_table(truth: Sentences, predicted: Sentences) -> list[dict[str, Any]]:
    """Return for each type of chunk its `label`, scores, their 95 % `interval` by name, and the true chunks, `rows`.

    The intervals are resampled by sentence; they are None where there is too little data.
    """
    kinds, counts = entity_counts(truth, predicted)
    group, groups = units_of(len(counts), 3)
    table = []
    for place, kind in enumerate(kinds):
        own = counts[:, :, place]
        grouped = _grouped(own, group, groups)
        total = own.sum(axis=0)
        scores = {name: float(value) for name, value in entity_scores(total).items()}
        table.append(
            {"label": kind, "rows": int(total[2])}
            | scores
            | {"interval": intervals(Sums(grouped, entity_scores, len(counts)))}
        )
    return table


def token_counts(truth: Sentences, predicted: Sentences, unknown: Sequence[Sequence[bool]]) -> NDArray[np.int64]:
    """Return (sentences, 4): tokens, those with the right tag, tokens unseen in training, and those with the right tag.

    Args:
        truth, predicted: the tags of each sentence.
        unknown: whether each of its tokens was unseen in training.
    """
    counts = np.zeros((len(truth), 4), np.int64)
    for row, (true, said, new) in enumerate(zip(truth, predicted, unknown, strict=True)):
        right = [one == other for one, other in zip(true, said, strict=True)]
        both = sum(hit and unseen for hit, unseen in zip(right, new, strict=True))
        counts[row] = len(true), sum(right), sum(new), both
    return counts


def tag_sums(
    truth: Sentences,
    predicted: Sentences,
    unknown: Sequence[Sequence[bool]],
    *,
    chunked: bool,
    weights: NDArray[np.float64] | None = None,
) -> tuple[dict[str, float], Sums]:
    """Return the scores of tags, and the sums by sentence that they follow from, for `resampling.compared`.

    Args:
        truth, predicted: the tags of each sentence; BIOES if they mark chunks.
        unknown: as for `token_counts`.
        chunked: whether they mark chunks, which gives f1, precision and recall, beside accuracy and accuracy_unknown.
        weights: (sentences,), what each counts; None if all count the same.
    """
    columns = [token_counts(truth, predicted, unknown)]
    if chunked:
        columns.append(entity_counts(truth, predicted)[1].sum(axis=2))
    counts = np.concatenate(columns, axis=1).astype(np.float64)
    counts *= 1 if weights is None else np.asarray(weights)[:, None]
    has_unknown = bool(counts[:, 2].any())

    def scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        found = entity_scores(sums[..., 4:]) if chunked else {}
        found["accuracy"] = sums[..., 1] / np.maximum(sums[..., 0], 1)
        if has_unknown:
            found["accuracy_unknown"] = sums[..., 3] / np.maximum(sums[..., 2], 1)
        return found

    group, groups = units_of(len(counts), counts.shape[1])
    grouped = _grouped(counts, group, groups)
    total = scores(counts.sum(axis=0))
    return {name: float(value) for name, value in total.items()}, Sums(grouped, scores, len(counts))


def _grouped(counts: NDArray[Any], group: NDArray[np.int64], groups: int) -> NDArray[np.float64]:
    """Sum the counts (sentences, columns) of each group of sentences: (groups, columns)."""
    columns = [np.bincount(group, weights=column, minlength=groups) for column in counts.T]
    return np.stack(columns, axis=1).astype(np.float64)
