"""A sequence stream whose state lies in a pool, so that many streams can be advanced together."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.pool import StreamPool
from penstock.runtime.stream import Stream, Traces

__all__ = ["PooledStream"]


class PooledStream(Stream):
    """A `SequenceStream` whose layers' state lies in a pool: same predictions, same saved states.

    `push` and `finish` advance this stream alone. To advance many streams together, take the steps to be read from
    `begin` or `begin_end`, call the pool's `step` for them, and convert the last step's outputs with `decode`.

    Args:
        model: a `SequenceModel` whose streams can share a pool (`Model.pools`).
        pool: a pool of the model's network.
        handle: the handle of a stream that is open in the pool; None opens a new one.

    Attributes:
        handle: the stream's handle in the pool.
    """

    def __init__(self, model: Any, pool: StreamPool, handle: int | None = None) -> None:
        super().__init__(model.features.kind, model)
        self._pool = pool
        self._features = model.features.stream()
        self.handle = pool.open() if handle is None else handle

    def begin(self, item: Any) -> NDArray[Any]:
        """Return the steps (steps, ...) of an item that the layers have yet to read, as `vectors` takes them.

        Raises:
            InputError, StateError: as `push`.
        """
        self._refuse_if_finished()
        return self._features.push(item)

    def begin_end(self) -> NDArray[Any]:
        """Finish the input and return the steps that remain to be read."""
        if self._finished[0]:
            return self._features.finish()[:0]
        self._finished[0] = 1
        return self._features.finish()

    def decode(self, outputs: NDArray[np.float32]) -> Any:
        """Convert the head's outputs (outputs,) after the last step to a prediction."""
        return self._model.decode(outputs)

    def so_far(self) -> Any:
        """Return the prediction for the input so far; all its steps must have been read."""
        return self._whole()

    def close(self) -> None:
        """Free the stream's memory in the pool."""
        self._pool.close(self.handle)

    def _push(self, item: Any, traces: Traces | None) -> Any:
        if traces is None:
            self._read(self._features.push(item))
            return self._whole()
        alone = self._model.stream()
        alone._remember(self.arrays())
        prediction = alone._push(item, traces)
        self._remember(alone.arrays())
        return prediction

    def _end(self) -> None:
        self._read(self._features.finish())

    def _whole(self) -> Any:
        memory = self._pool.arrays(self.handle).items()
        carry = {name.removeprefix("head."): array for name, array in memory if name.startswith("head.")}
        return self.decode(self._model.scorer.head.read(carry)[0])

    def _memory(self) -> dict[str, NDArray[Any]]:
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        return features | self._pool.arrays(self.handle)

    def _forget(self) -> None:
        self._features.reset()
        self._pool.reset(self.handle)

    def _arguments(self) -> tuple[Any, ...]:
        return self._model, self._pool, self.handle

    def _twin(self) -> Self:
        return type(self)(self._model, self._pool)

    def _read(self, values: NDArray[Any]) -> None:
        for vector in self._model.scorer.vectors(values):
            self._pool.step([self.handle], vector[None])
