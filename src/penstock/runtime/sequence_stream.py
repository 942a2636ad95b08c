"""Stream of a sequence that arrives piece by piece, with a prediction after each piece."""

from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from penstock.runtime.stream import Stream, Traces, advance, step_arrays

if TYPE_CHECKING:
    from penstock.runtime.sequence_model import SequenceModel

__all__ = ["SequenceStream"]


class SequenceStream(Stream):
    """One prediction after each piece; after `finish` it equals, bit for bit, the prediction for the whole sequence.

    Made by a model's `stream()`. The model's features define a piece: part of a text that ends at a word boundary (the
    whole text is the pieces joined by line breaks), a step of a series, or samples of a sound. The model's head defines
    a prediction: for a classifier, a dict of label to probability.

    Examples:
        >>> from penstock import TextClassifier
        >>> texts, labels = ["good food", "bad room"] * 8, ["good", "bad"] * 8
        >>> stream = TextClassifier(hidden_size=4, epochs=1).fit(texts, labels).stream()
        >>> sorted(stream.push("good")), sorted(stream.finish())
        (['bad', 'good'], ['bad', 'good'])
    """

    def __init__(self, model: "SequenceModel") -> None:
        super().__init__(model.features.kind, model)
        self._features = model.features.stream()
        self._step = model.scorer.encoder.step()
        self._carry = model.scorer.head.init(1)

    def _push(self, item: Any, traces: Traces | None) -> Any:
        self._read(self._features.push(item), traces)
        return self._whole()

    def _end(self) -> None:
        self._read(self._features.finish(), None)

    def _whole(self) -> Any:
        return self._model.decode(self._model.scorer.head.read(self._carry)[0])

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Arrays of the features, the layers' states and the head's accumulators."""
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        head = {f"head.{name}": array for name, array in self._carry.items()}
        return features | dict(step_arrays(self._step, "encoder.")) | head

    def _forget(self) -> None:
        self._features.reset()
        self._step.reset()
        for name, array in self._model.scorer.head.init(1).items():
            self._carry[name][...] = array

    def _read(self, values: NDArray[Any], traces: Traces | None) -> None:
        for vector in self._model.scorer.vectors(values):
            self._model.scorer.head.step(self._carry, advance(self._step, vector[None], traces))
