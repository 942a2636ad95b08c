"""Stream of a sequence that arrives piece by piece, with a label for each of its steps."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.stream import Stream, Traces, advance, in_parts, step_arrays

if TYPE_CHECKING:
    from penstock.runtime.step_model import StepModel

__all__ = ["StepLabels", "StepStream"]


@dataclass(frozen=True, eq=False)
class StepLabels:
    """Labels that became final with a piece of input.

    Attributes:
        labels: in the order of the steps; empty if the decoder needs more input, several if it had waited.
        probabilities: (labels, classes) float32, the class probabilities of these steps; None if the decoder's labels
            do not depend on their own steps alone.

    Examples:
        >>> from penstock.runtime import StepLabels
        >>> StepLabels(["noun", "verb"], None).labels
        ['noun', 'verb']
    """

    labels: list[Any]
    probabilities: NDArray[np.float32] | None


class StepStream(Stream):
    """Returns the labels that each piece makes final; all of them and those of `finish` together equal `predict`.

    Made by a model's `stream()`; the model's features define a piece. Memory is constant: the layers' states and the
    decoder's memory.
    """

    def __init__(self, model: "StepModel") -> None:
        super().__init__(f"{model.features.kind}-steps", model)
        self._features = model.features.stream()
        self._step = model.scorer.encoder.step()
        self._decoder = model.decoder.stream()

    def _push(self, item: Any, traces: Traces | None) -> StepLabels:
        scores = self._scores(self._features.push(item), traces)
        return self._told(self._decoder.push(scores), scores)

    def _parts(self, item: Any) -> Generator[None, None, StepLabels]:
        found: list[StepLabels] = []
        for values in in_parts(self._features.push(item)):
            if found:
                yield
            scores = self._scores(values, None)
            found.append(self._told(self._decoder.push(scores), scores))
        spread = [each.probabilities for each in found if each.probabilities is not None]
        labels = [label for each in found for label in each.labels]
        return StepLabels(labels, np.concatenate(spread) if len(spread) == len(found) else None)

    def _whole(self) -> StepLabels:
        """Return the labels that the end makes final, computed on a fork so that this stream does not change."""
        twin = self.fork()
        scores = twin._scores(twin._features.finish(), None)
        return twin._told(np.concatenate([twin._decoder.push(scores), twin._decoder.finish()]), scores)

    def _told(self, places: NDArray[np.int64], scores: NDArray[np.float32]) -> StepLabels:
        """Return the labels that have become final, by their places."""
        return self._model.step_labels(places, scores)

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Arrays of the features, the layers' states and the decoder."""
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
        """Return the head's scores (steps, outputs) for new features."""
        scorer = self._model.scorer
        y = np.empty((len(values), self._model.network.encoder.output_size), np.float32)
        for row, vector in enumerate(scorer.vectors(values)):
            y[row] = advance(self._step, vector[None], traces)[0]
        return scorer.head(y)
