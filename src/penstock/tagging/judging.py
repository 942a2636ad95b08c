"""Tags of a model or a baseline beside the true ones."""

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.labels import LabelIndex
from penstock.runtime.judged import Judged
from penstock.tagging.entities import tag_sums

__all__ = ["TagTruth", "by_sentence", "tag_places"]


def by_sentence(values: Sequence[Any] | NDArray[Any], offsets: NDArray[np.int64]) -> list[list[Any]]:
    """Return the values of each sentence's tokens, from those of all."""
    return [list(values[start:end]) for start, end in pairwise(offsets.tolist())]


def tag_places(tags: Sequence[Any], labels: Sequence[Any], unseen: list[Any]) -> NDArray[np.int64]:
    """Return the place of each tag in `labels`; of one that is not there, -1, -2, ... as it is in `unseen`.

    So `[*labels, *reversed(unseen)]` has all tags at their places. Tags that are in neither are added to `unseen`.
    """
    index = LabelIndex(labels)
    others = {tag: -1 - place for place, tag in enumerate(unseen)}
    found: dict[Any, int] = {}
    for tag in dict.fromkeys(tags):
        place = index.find(tag)
        if place is None:
            place = others.setdefault(tag, -1 - len(others))
        found[tag] = place
    unseen[:] = others
    return np.array([found[tag] for tag in tags], np.int64)


class TagTruth:
    """The true tags of sentences, with which predictions are compared.

    Args:
        places: (tokens,), of the tags of all sentences, as `tag_places` gives them.
        labels: the model's tags, BIOES if they mark chunks.
        unseen: tags that the model does not have.
        offsets: (sentences + 1,), where each sentence begins.
        unknown: (tokens,), whether each token was unseen in training.
        chunked: whether tags mark chunks.
    """

    def __init__(
        self,
        places: NDArray[np.int64],
        labels: Sequence[Any],
        unseen: Sequence[Any],
        offsets: NDArray[np.int64],
        unknown: NDArray[np.bool_],
        *,
        chunked: bool,
    ) -> None:
        self.labels, self.offsets, self.chunked = list(labels), offsets, chunked
        self._names = [*labels, *reversed(unseen)]
        self.places = places
        self.sentences = self.tags(places)
        self._unknown = by_sentence(unknown.tolist(), offsets)

    def tags(self, places: NDArray[np.int64]) -> list[list[Any]]:
        """Return the tags of each sentence, from the places of all."""
        return by_sentence([self._names[place] for place in places.tolist()], self.offsets)

    def judged(self, predicted: NDArray[np.int64], weights: NDArray[np.float64] | None = None) -> Judged:
        """Compare predictions, the places (tokens,) of tags; `weights` (sentences,) is what each sentence counts."""
        metrics, sums = tag_sums(
            self.sentences, self.tags(predicted), self._unknown, chunked=self.chunked, weights=weights
        )
        lengths = np.diff(self.offsets).tolist()
        names = ([{"input": k + 1, "step": step + 1} for step in range(n)] for k, n in enumerate(lengths))
        return Judged(
            metrics, sums, self.places, predicted, self._names, names=list(chain.from_iterable(names)), single=False
        )
