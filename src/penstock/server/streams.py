"""One client's stream of a model, behind the front: in the model's pool where it has one, else by itself.

Everything here but `open_stream` works in the front's thread, through `Front.do`.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, StateError
from penstock.runtime import SequenceModel, notes, states
from penstock.server.front import Front, Steps

__all__ = ["LoneStream", "OpenStream", "PooledStream", "open_stream"]

_TRACED = 64  # steps of one item whose inside is shown; each is some thousand numbers


class OpenStream(Protocol):
    """What a session asks of a stream; answers are plain values for JSON."""

    def push(self, piece: Any) -> Any:
        """The answer after this piece, or the `Steps` that lead to it."""

    def trace(self, piece: Any) -> tuple[dict[str, Any], list[Any]]:
        """The answer after this piece and, for each step and layer, its gates and states by name."""

    def finish(self) -> Any:
        """The answer to the whole input, or the `Steps` that lead to it."""

    def save(self, item: int) -> bytes:
        """The memory, with the number of items read."""

    def load(self, data: bytes) -> int:
        """Go on from a saved memory; the number of items that it had read."""

    def reset(self) -> None:
        """Begin the next input."""

    def close(self) -> None:
        """Give up what the stream held."""


async def open_stream(front: Front) -> OpenStream:
    """A new stream of the front's model; ConfigError if it can't be streamed."""
    return await front.do(lambda: PooledStream(front) if front.pool is not None else LoneStream(front.model))


class PooledStream:
    """A `runtime.SequenceStream` whose layers' memory lies in the front's pool; their saved states are the same."""

    def __init__(self, front: Front) -> None:
        assert front.pool is not None
        assert isinstance(front.model, SequenceModel)
        self._model, self._pool = front.model, front.pool
        self._features = self._model.features.stream()
        self._finished = np.zeros(1, np.int64)
        self._handle = self._pool.open()

    def push(self, piece: Any) -> Any:
        """See `OpenStream`."""
        if self._finished[0]:
            raise StateError("this stream is finished: reset it to start the next input")
        return self._steps(self._features.push(piece))

    def finish(self) -> Any:
        """See `OpenStream`."""
        if self._finished[0]:
            return self._answer_now()
        self._finished[0] = 1
        return self._steps(self._features.finish())

    def trace(self, piece: Any) -> tuple[dict[str, Any], list[Any]]:
        """See `OpenStream`: in a stream of its own, whose memory is taken out of the pool and put back."""
        self._check_steps(piece)
        stream = self._model.stream()
        stream.load(self.save(0))
        answer, traces = stream.push(piece, trace=True)
        self._put(stream.arrays())
        return self._model.as_json(answer), _rounded(traces)

    def save(self, item: int) -> bytes:
        """See `OpenStream`."""
        arrays, model = self._arrays(), self._model
        return states.pack(arrays, kind=model.features.kind, model=model.fingerprint, notes={"item": item})

    def load(self, data: bytes) -> int:
        """See `OpenStream`."""
        item, model = _item(data), self._model
        self._put(states.unpack(data, kind=model.features.kind, model=model.fingerprint, like=self._arrays()))
        return item

    def reset(self) -> None:
        """See `OpenStream`."""
        self._features.reset()
        self._pool.reset(self._handle)
        self._finished[0] = 0

    def close(self) -> None:
        """See `OpenStream`."""
        self._pool.close(self._handle)

    def _check_steps(self, piece: Any) -> None:
        """Before the first of them, as all the other streams wait for the last."""
        features = self._model.features.stream()
        for name, array in features.arrays().items():
            array[...] = self._features.arrays()[name]
        if (steps := len(features.push(piece))) > _TRACED:
            raise ConfigError(f"a traced item may have {_TRACED} steps; got {steps}. Push it in smaller pieces.")

    def _steps(self, values: NDArray[Any]) -> Any:
        return Steps(self._handle, values, self._decoded) if len(values) else self._answer_now()

    def _answer_now(self) -> dict[str, Any]:
        state = self._pool.state(self._handle)
        carry = {name.removeprefix("head."): array for name, array in state.items() if name.startswith("head.")}
        return self._decoded(self._model.scorer.head.read(carry)[0])

    def _decoded(self, outputs: NDArray[np.float32]) -> dict[str, Any]:
        return self._model.as_json(self._model.decode(outputs))

    def _arrays(self) -> dict[str, NDArray[Any]]:
        features = {f"features.{name}": array for name, array in self._features.arrays().items()}
        return features | self._pool.state(self._handle) | {"finished": self._finished}

    def _put(self, arrays: dict[str, NDArray[Any]]) -> None:
        pooled = {name: array for name, array in arrays.items() if name.startswith(("encoder.", "head."))}
        self._pool.put(self._handle, pooled)
        for name, array in self._features.arrays().items():
            array[...] = arrays[f"features.{name}"]
        self._finished[...] = arrays["finished"]


class LoneStream:
    """Any other model's stream, by itself."""

    def __init__(self, model: Any) -> None:
        self._model, self._stream = model, model.stream()

    def push(self, piece: Any) -> dict[str, Any]:
        """See `OpenStream`."""
        return self._model.as_json(self._stream.push(piece))

    def trace(self, piece: Any) -> tuple[dict[str, Any], list[Any]]:
        """See `OpenStream`; ConfigError, as such a stream shows nothing of its inside."""
        raise ConfigError(f"a stream for {self._model.task} shows no steps: push without trace")

    def finish(self) -> dict[str, Any]:
        """See `OpenStream`; ConfigError where an answer is to the latest item and never to a whole."""
        if not hasattr(self._stream, "finish"):
            raise ConfigError(f"a stream for {self._model.task} has no end to be told: push on, or reset it")
        return self._model.as_json(self._stream.finish())

    def save(self, item: int) -> bytes:
        """See `OpenStream`."""
        return self._stream.save(item=item)

    def load(self, data: bytes) -> int:
        """See `OpenStream`."""
        item = _item(data)
        self._stream.load(data)
        return item

    def reset(self) -> None:
        """See `OpenStream`."""
        self._stream.reset()

    def close(self) -> None:
        """See `OpenStream`."""


def _item(data: bytes) -> int:
    """Items read by a saved state; `penstock stream --state` calls them lines."""
    kept = notes(data)
    return kept.get("item", kept.get("line", 0))


def _rounded(traces: list[list[dict[str, NDArray[np.float32]]]]) -> list[Any]:
    """[step][layer]{name: [values]}, plain and short."""
    return [
        [{name: np.round(array[0].astype(np.float64), 4).tolist() for name, array in layer.items()} for layer in step]
        for step in traces
    ]
