"""Streams: a model's memory between items of input. Its size is constant."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from penstock.checks import check_whole
from penstock.engine import StackStep, Trace
from penstock.errors import ConfigError, StateError
from penstock.runtime import states

__all__ = ["Stream", "Traces", "advance", "in_parts", "step_arrays"]

Traces = list[list[Trace]]
"""For each step of an item and each layer: gates and states by name, each (batch, size)."""


_PART = 256
"""Steps of a long item after which other streams may be read: some milliseconds."""


class Stream(ABC):
    """Base class of streams: input arrives item by item, with a prediction after each item.

    `push(a)`, `push(b)`, `finish()` gives, bit for bit, the model's prediction for the whole input. The memory is a set
    of arrays whose size does not depend on how much has been read. Not thread-safe.

    A pickled stream holds its model and its saved state and continues, bit for bit, where it stopped; a copy is a fork.

    Subclasses define items and predictions by implementing `_push`, `_whole`, `_memory` and `_forget`, and `_arguments`
    if the constructor takes more than the model; all other methods use these. If `_push` refuses an item, it must leave
    the memory unchanged.

    Args:
        kind: the kind of stream; a saved state can be loaded only by streams of the same kind.
        model: has a `fingerprint`; a saved state can be loaded only by streams of the same model.
    """

    _model: Any

    def __init__(self, kind: str, model: Any) -> None:
        self.kind, self._model = kind, model
        self._finished = np.zeros(1, np.int64)

    def __repr__(self) -> str:
        state = "finished" if self._finished[0] else "open"
        return f"{type(self).__name__}(of {self._model!r}, {state})"

    def push(self, item: Any) -> Any:
        """Read an item and return the prediction after it.

        Raises:
            InputError: the item is not valid for this stream; the stream does not change.
            StateError: `finish` was called; call `reset` to start the next input.
        """
        if self._finished[0]:
            self._refuse_if_finished()
        return self._push(item, None)

    def push_in_parts(self, item: Any) -> Generator[None, None, Any]:
        """Read an item like `push`, with the same bits, and stop after each part of a long one.

        Returns a generator, whose own return value is the prediction. Between its parts the thread may serve other
        streams, but this one must be left alone.

        Raises:
            InputError, StateError: as `push`.
        """
        self._refuse_if_finished()
        return (yield from self._parts(item))

    def push_many(self, items: Iterable[Any]) -> Any:
        """Return the prediction after each of the items, with the same bits as from single pushes.

        Raises:
            InputError: an item is not valid for this stream, which has read the items before it.
            StateError: `finish` was called.
        """
        return [self.push(item) for item in items]

    def trace(self, item: Any, *, most: int | None = None) -> tuple[Any, Traces]:
        """Read an item like `push`, and also return the gates and states of every step.

        Args:
            item: as for `push`.
            most: the maximum number of steps of the item; None for no limit.

        Raises:
            ConfigError: the item has more steps than `most`, or the network's steps cannot be traced.
            InputError, StateError: as in `push`. The stream does not change after an error.
        """
        self._refuse_if_finished()
        traces, twin = _LimitedTraces(most), self.fork()  # a fork, so that a refused item changes nothing
        try:
            prediction = twin._push(item, traces)
            self._remember(twin.arrays())
        finally:
            twin.close()
        return prediction, list(traces)

    def upcoming(self, most: int) -> list[tuple[str, float]]:
        """Return the likeliest next items, at most `most`, and their probabilities, the highest first.

        Raises:
            ConfigError: the model does not predict its own input, or `most` is not a whole number of at least 0.
        """
        raise ConfigError(f"a model for {self._model.task} does not predict what its input goes on with")

    def generated(self, **how: Any) -> Iterator[Any]:
        """Draw what comes next, item by item, and read it: yield for each what `push` returns for it.

        Args:
            how: how many, and how they are drawn; see the model's own stream.

        Raises:
            ConfigError: the model does not predict its own input, or an argument is out of its range.
            StateError: `finish` was called.
        """
        raise ConfigError(f"a model for {self._model.task} does not predict what its input goes on with")

    def finish(self) -> Any:
        """Return the prediction for the whole input. `push` then needs a `reset`; calling `finish` again is allowed."""
        if not self._finished[0]:
            self._end()
            self._finished[0] = 1
        return self._whole()

    def reset(self) -> None:
        """Set the stream back to its initial state, to read the next input."""
        self._forget()
        self._finished[0] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays of the stream's memory by name; writing to them changes the stream."""
        return self._memory() | {"finished": self._finished}

    def save(self, **notes: int) -> bytes:
        """Return the memory as a few kilobytes of safetensors, which any stream of the same model can `load`.

        Args:
            notes: integers to store with the state, such as item=17 for the position in the input;
                `runtime.notes(data)` reads them.
        """
        return states.pack(self.arrays(), kind=self.kind, model=self._model.fingerprint, notes=notes)

    def load(self, data: bytes) -> Self:
        """Continue, bit for bit, where the saved stream stopped; returns this stream.

        Raises:
            StateError: the bytes are damaged, or of another model or version; the stream does not change.
        """
        likeness = {"kind": self.kind, "model": self._model.fingerprint}
        self._remember(states.unpack(data, like=self.arrays(), bounds=self._bounds(), **likeness))
        return self

    def fork(self) -> Self:
        """Return a second, independent stream with a copy of the memory."""
        twin = self._twin()
        twin._remember(self.arrays())
        return twin

    def __copy__(self) -> Self:
        return self.fork()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self._arguments(), self.save())

    def as_json(self, prediction: Any) -> dict[str, Any]:
        """Return a prediction as plain values, as `penstock stream` prints and a server sends it; {} for none."""
        return self._model.as_json(prediction)

    def close(self) -> None:  # noqa: B027  # most streams have nothing to release
        """Release what the stream holds elsewhere, such as its place in a pool."""

    @abstractmethod
    def _push(self, item: Any, traces: Traces | None) -> Any:
        """Read an item and return the prediction after it; append each step's trace to `traces`, if not None."""

    def _parts(self, item: Any) -> Generator[None, None, Any]:
        """Do as `_push` does, and yield after each part of an item of many steps; by default an item is one part."""
        yield from ()
        return self._push(item, None)

    @abstractmethod
    def _whole(self) -> Any:
        """Return the prediction for everything read so far; changes nothing."""

    @abstractmethod
    def _memory(self) -> dict[str, NDArray[Any]]:
        """Return the memory by name: the float32, float64 or int64 arrays that the stream itself works in.

        If a stream draws random numbers, the state of its generator is one of these arrays; see `RandomState`.
        """

    @abstractmethod
    def _forget(self) -> None:
        """Set the memory to its initial values."""

    def _arguments(self) -> tuple[Any, ...]:
        """Return constructor arguments for a stream of the same model, with memory of the same names and shapes."""
        return (self._model,)

    def _twin(self) -> Self:
        """Return a new stream, made with the same constructor arguments."""
        return type(self)(*self._arguments())

    def _end(self) -> None:  # noqa: B027  # for most streams the end of the input changes nothing
        """Process the end of the input."""

    def _bounds(self) -> dict[str, tuple[int, int]]:
        """Return the least and greatest value that an int64 array of the memory may hold, if not 0 to 2**53."""
        return {"finished": (0, 1)}

    def _refuse_if_finished(self) -> None:
        if self._finished[0]:
            raise StateError("this stream is finished: call reset() to start the next input")

    def _remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        for name, array in self.arrays().items():
            array[...] = memory[name]


def _unpickled(kind: type[Stream], arguments: tuple[Any, ...], state: bytes) -> Stream:
    """Restore a pickled stream; StateError if another version wrote its state."""
    return kind(*arguments).load(state)


class _LimitedTraces(list[list[Trace]]):
    """Traces of at most a given number of steps."""

    def __init__(self, most: int | None) -> None:
        if most is not None:
            check_whole("most", most, at_least=0)
        super().__init__()
        self._most = most

    def append(self, step: list[Trace]) -> None:
        if len(self) == self._most:
            raise ConfigError(f"a traced item may have at most {self._most} steps. Push it in smaller pieces.")
        super().append(step)


def advance(step: StackStep, x: NDArray[np.float32], traces: Traces | None) -> NDArray[np.float32]:
    """Advance the layers by one step on x (batch, input), record it in `traces` if not None, and return the output."""
    if traces is None:
        return step(x)
    y, trace = step.trace(x)
    traces.append(trace)
    return y


def in_parts(values: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Yield the steps of an item, (steps, ...), in parts for `Stream._parts`; at least one, perhaps without steps."""
    for start in range(0, max(1, len(values)), _PART):
        yield values[start : start + _PART]


def step_arrays(step: StackStep, prefix: str = "") -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the states of a stack of layers by name: 0.h, 0.c, 1.h, ..."""
    for number, (names, arrays) in enumerate(zip(step.state_names, step.state, strict=True)):
        for name, array in zip(names, arrays, strict=True):
            yield f"{prefix}{number}.{name}", array
