"""Stream of speech that arrives piece by piece, with the scores of the steps that each piece completes."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.stream import Stream, Traces, advance, step_arrays

if TYPE_CHECKING:
    from penstock.speech.model import SpeechModel

__all__ = ["ScoreStream"]


class ScoreStream(Stream):
    """Gives the log-probabilities of the steps that are ready; all of them are, bit for bit, those of the whole.

    Made by `SpeechModel.score_stream`. An item is samples at the model's rate, or frames of features, any number. A
    prediction is (steps, tokens) float32; that of `finish` has the steps that had waited for later ones. Memory is
    constant.
    """

    def __init__(self, model: "SpeechModel") -> None:
        super().__init__("speech-scores", model)
        self._features = model.features.stream()
        self._step = model.scorer.encoder.step()
        self._ahead = model.scorer.head.lookahead()

    def as_json(self, prediction: NDArray[np.float32]) -> dict[str, Any]:
        """Return {"steps": number}."""
        return {"steps": len(prediction)}

    def _push(self, item: Any, traces: Traces | None) -> NDArray[np.float32]:
        return self._model.scorer.head(self._ahead.push(self._outputs(item, traces)))

    def _whole(self) -> NDArray[np.float32]:
        return self._model.scorer.head(self._ahead.finish())

    def _outputs(self, item: Any, traces: Traces | None) -> NDArray[np.float32]:
        """Return the outputs (steps, features) of the layers for an item."""
        steps = self._features.push(item)
        y = np.empty((len(steps), self._model.network.encoder.output_size), np.float32)
        for row, vector in enumerate(steps):
            y[row] = advance(self._step, vector[None], traces)[0]
        return y

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Arrays of the features, of the layers' states, and of the outputs that wait for later ones."""
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        ahead = {f"ahead.{name}": array for name, array in self._ahead.arrays().items()}
        return features | dict(step_arrays(self._step, "encoder.")) | ahead

    def _bounds(self) -> dict[str, tuple[int, int]]:
        features = {f"features.{name}": pair for name, pair in self._features.bounds().items()}
        return super()._bounds() | features | {f"ahead.{name}": pair for name, pair in self._ahead.bounds().items()}

    def _forget(self) -> None:
        self._features.reset()
        self._step.reset()
        self._ahead.reset()
