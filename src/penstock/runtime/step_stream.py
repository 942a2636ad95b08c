"""A sequence that arrives piece by piece, with a label for each of its steps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.stream import Stream, Traces, advance, step_arrays

if TYPE_CHECKING:
    from penstock.runtime.step_model import StepModel

__all__ = ["StepLabels", "StepStream"]


@dataclass(frozen=True, eq=False)
class StepLabels:
    """What a piece settles.

    Attributes:
        labels: in the order of the steps; none where the decoder waits for more, several where it had waited
        probabilities: of each class for each of these steps, (labels, classes) float32; None where the decoder
            settles a label later than its step, so that it does not follow from that step alone
    """

    labels: list[Any]
    probabilities: NDArray[np.float32] | None


class StepStream(Stream):
    """The labels that each piece settles; those of all pieces and of `finish`, end to end, are those of `predict`.

    Made by a model's `stream()`. What a piece is, the model's features say. Memory stays the same: the layers' states
    and what the decoder remembers.
    """

    def __init__(self, model: "StepModel") -> None:
        super().__init__(f"{model.features.kind}-steps", model)
        self._features = model.features.stream()
        self._step = model.scorer.encoder.step()
        self._decoder = model.decoder.stream()

    def _push(self, item: Any, traces: Traces | None) -> StepLabels:
        scores = self._scores(self._features.push(item), traces)
        return self._model.step_labels(self._decoder.push(scores), scores)

    def _whole(self) -> StepLabels:
        """What the end settles: read by a twin, so that nothing changes however often that is asked."""
        twin = self.fork()
        scores = twin._scores(twin._features.finish(), None)
        settled = np.concatenate([twin._decoder.push(scores), twin._decoder.finish()])
        return self._model.step_labels(settled, scores)

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Features, the layers' states, the decoder's memory."""
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        decoder = {f"decoder.{name}": array for name, array in self._decoder.arrays().items()}
        return features | dict(step_arrays(self._step, "encoder.")) | decoder

    def _bounds(self) -> dict[str, tuple[int, int]]:
        return super()._bounds() | {f"decoder.{name}": pair for name, pair in self._decoder.bounds().items()}

    def _forget(self) -> None:
        self._features.reset()
        self._step.reset()
        self._decoder.reset()

    def _scores(self, values: NDArray[Any], traces: Traces | None) -> NDArray[np.float32]:
        """The head's scores (steps, outputs) for further features."""
        scorer = self._model.scorer
        y = np.empty((len(values), self._model.network.encoder.output_size), np.float32)
        for row, vector in enumerate(scorer.vectors(values)):
            y[row] = advance(self._step, vector[None], traces)[0]
        return scorer.head(y)
