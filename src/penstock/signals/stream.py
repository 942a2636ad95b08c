"""Stream of a signal, with a prediction for each step from the window that ends with it."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError
from penstock.runtime.stream import Stream, Traces, advance
from penstock.signals.features import signal_steps

if TYPE_CHECKING:
    from penstock.runtime.sequence_model import SequenceModel

__all__ = ["WindowStream"]


class WindowStream(Stream):
    """Predicts for the latest step, bit for bit like `predict`; the memory is the last `window` steps.

    Made by the `stream()` of a model with a prediction for each step. An item is (steps, channels), or (channels,) for
    one step, or a number for one channel. `trace` shows the network's steps over the window, which it reads again for
    every prediction.
    """

    def __init__(self, model: "SequenceModel") -> None:
        super().__init__(f"{model.features.kind}-window", model)
        self._recent = np.zeros((model.features.window, model.features.channels), np.float64)
        self._seen = np.zeros(1, np.int64)

    def _push(self, item: Any, traces: Traces | None) -> Any:
        steps = signal_steps(item, self._model.features.channels)
        self._recent[...] = np.concatenate([self._recent, steps])[len(steps) :]
        self._seen += len(steps)
        if traces is not None:
            self._trace_window(traces)
        return self._whole()

    def _whole(self) -> Any:
        return self._model.decode(self._model.outputs([self._window])[0])

    def _memory(self) -> dict[str, NDArray[Any]]:
        """Arrays of the last steps and their number."""
        return {"recent": self._recent, "seen": self._seen}

    def _forget(self) -> None:
        self._recent[...] = 0
        self._seen[...] = 0

    @property
    def _window(self) -> NDArray[np.float64]:
        available = min(int(self._seen[0]), len(self._recent))
        return self._recent[len(self._recent) - available :]

    def _trace_window(self, traces: Traces) -> None:
        if self._model.network.encoder.bidirectional:
            raise ConfigError("a bidirectional network has no single steps to trace: push without trace")
        step = self._model.scorer.encoder.step()
        for vector in self._model.scorer.vectors(self._model.encode([self._window])[0]):
            advance(step, vector[None], traces)
