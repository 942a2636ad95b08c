"""Streams of speech that arrives piece by piece: the scores of the steps that are ready, and the words so far."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.stream import Stream, Traces, advance, step_arrays
from penstock.speech.transcriber import Transcript

if TYPE_CHECKING:
    from penstock.speech.decoding import Search
    from penstock.speech.model import SpeechModel

__all__ = ["ScoreStream", "SpeechStream"]


class ScoreStream(Stream):
    """Gives the log-probabilities of the steps that are ready; all of them are, bit for bit, those of the whole.

    Made by `SpeechModel.score_stream`. An item is samples at the model's rate, or frames of features, any number. A
    prediction is (steps, tokens) float32; that of `finish` has the steps that had waited for later ones. Memory is
    constant.
    """

    def __init__(self, model: "SpeechModel", kind: str = "speech-scores") -> None:
        super().__init__(kind, model)
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


class SpeechStream(ScoreStream):
    """Writes what is said while it is said, with constant memory.

    Made by `SpeechModel.stream` and `listen`. Items are those of `ScoreStream`. A prediction is a
    `transcriber.Transcript`: the words that became final, and those of the utterance that goes on, the stable ones
    first; that of `finish` has the words that only the end of the sound makes final. All final words are, bit for bit,
    those of the whole by the same search.

    Args:
        model: the recogniser.
        search: how the words are found.
    """

    def __init__(self, model: "SpeechModel", search: "Search") -> None:
        super().__init__(model, "speech")
        self._search = search
        self._transcriber = model.transcriber(search)

    def as_json(self, prediction: Transcript) -> dict[str, Any]:  # type: ignore[override]
        """See `transcriber.Transcript.to_json`."""
        return prediction.to_json()

    def _push(self, item: Any, traces: Traces | None) -> Transcript:  # type: ignore[override]
        return self._transcriber.push(super()._push(item, traces))

    def _whole(self) -> Transcript:  # type: ignore[override]
        rest = self._model.transcriber(self._search)
        for name, array in self._transcriber.arrays().items():
            rest.arrays()[name][...] = array
        rest.restore()
        before = rest.push(super()._whole())
        return rest.finished(before.words)

    def _memory(self) -> dict[str, NDArray[Any]]:
        return super()._memory() | {f"text.{name}": array for name, array in self._transcriber.arrays().items()}

    def _bounds(self) -> dict[str, tuple[int, int]]:
        return super()._bounds() | {f"text.{name}": pair for name, pair in self._transcriber.bounds().items()}

    def _remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        super()._remember(memory)
        self._transcriber.restore()

    def _forget(self) -> None:
        super()._forget()
        self._transcriber.reset()

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, self._search
