"""Stream of a sentence whose tokens arrive one by one, with the tags that each makes final."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.step_stream import StepLabels, StepStream
from penstock.tagging.pairs import EDGE

if TYPE_CHECKING:
    from penstock.tagging.model import TaggerModel

__all__ = ["TagStream"]


class TagStream(StepStream):
    """Returns the tags that each piece makes final; all of them and those of `finish` together equal `predict`.

    Made by the `stream()` of a tagger that reads forward. A piece is a token, several in a list, or a text, which is
    split as the training sentences were. A tag is final `lookahead` tokens later, of a tagger without a CRF at once.
    """

    _model: "TaggerModel"

    def __init__(self, model: "TaggerModel") -> None:
        super().__init__(model)
        self._before = np.full(1, -1, np.int64)  # the last tag that was told, on which the next one's spelling depends

    def _told(self, places: NDArray[np.int64], scores: NDArray[np.float32]) -> StepLabels:
        found = self._model.step_labels(places, scores, before=int(self._before[0]))
        if len(places):
            self._before[0] = places[-1]
        return found

    def _memory(self) -> dict[str, NDArray[Any]]:
        return super()._memory() | {"before": self._before}

    def _bounds(self) -> dict[str, tuple[int, int]]:
        last = (0, EDGE)
        return super()._bounds() | {"before": (-1, len(self._model.labels) - 1), "features.last": last}

    def _forget(self) -> None:
        super()._forget()
        self._before[:] = -1
