"""Streams: a model's memory between one item of input and the next. It never grows."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from penstock.engine import StackStep, Trace
from penstock.errors import ConfigError, StateError
from penstock.runtime import states

__all__ = ["Stream", "Traces", "advance", "step_arrays"]

Traces = list[list[Trace]]
"""For each step of an item, and in it for each layer, the gates and states by name, each (batch, size)."""


class Stream(ABC):
    """An input that arrives item by item, with a prediction after each; what every stream can do.

    `push(a)`, `push(b)`, `finish()` gives, bit for bit, what the model predicts for the whole input. The memory is some
    arrays whose size does not depend on how much has been read. For one thread at a time.

    A pickled stream holds its model and its saved state, and goes on bit for bit where it was; a copy is a fork.

    What an item and a prediction are, the kind of stream says. It adds `_push`, `_whole`, `_memory` and `_forget`, and
    `_arguments` where its constructor takes more than the model; every other method is made of these. An item that
    `_push` refuses must leave the memory as it was.

    Args:
        kind: a state is loaded by streams of its own kind only.
        model: has a `fingerprint`; a state is loaded by streams of its own model only.
    """

    _model: Any

    def __init__(self, kind: str, model: Any) -> None:
        self.kind, self._model = kind, model
        self._finished = np.zeros(1, np.int64)

    def push(self, item: Any) -> Any:
        """Read on: the prediction after this item.

        Raises:
            InputError: the item is not what this stream reads; the stream stays as it was.
            StateError: `finish` was called; `reset` starts the next input.
        """
        if self._finished[0]:
            self._refuse_if_finished()
        return self._push(item, None)

    def push_many(self, items: Iterable[Any]) -> Any:
        """The prediction after each of the items, the same bits as from one `push` each.

        Raises:
            InputError: an item is not what this stream reads; the stream has read those before it.
            StateError: `finish` was called.
        """
        return [self.push(item) for item in items]

    def trace(self, item: Any, *, most: int | None = None) -> tuple[Any, Traces]:
        """Read on as `push` does, with a look inside: the prediction, and what every step of the item computed.

        Args:
            item: as for `push`.
            most: refuse an item of more steps than this; None for no limit.

        Raises:
            ConfigError: more steps than `most`, or a network whose steps can't be told apart.
            InputError, StateError: as `push`. The stream then stays as it was.
        """
        self._refuse_if_finished()
        traces, twin = _AtMost(most), self.fork()  # a twin, so that an item refused half-way changes nothing
        try:
            prediction = twin._push(item, traces)
            self._remember(twin.arrays())
        finally:
            twin.close()
        return prediction, list(traces)

    def finish(self) -> Any:
        """The prediction for the whole input. No item may follow before a `reset`; a second call gives the same."""
        if not self._finished[0]:
            self._end()
            self._finished[0] = 1
        return self._whole()

    def reset(self) -> None:
        """Forget everything, as a new stream: start the next input."""
        self._forget()
        self._finished[0] = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that the stream remembers, by name; writing to these arrays changes the stream."""
        return self._memory() | {"finished": self._finished}

    def save(self, **notes: int) -> bytes:
        """The memory as a few kilobytes of safetensors, for `load` of any stream of the same model.

        Args:
            notes: whole numbers to be kept beside it, like item=17 for where the stream stands; `runtime.notes(data)`
                gives them back.
        """
        return states.pack(self.arrays(), kind=self.kind, model=self._model.fingerprint, notes=notes)

    def load(self, data: bytes) -> Self:
        """Continue where the saved stream stopped, bit for bit; returns the stream itself.

        Raises:
            StateError: damaged bytes, another model's, or another version's; the stream stays as it was.
        """
        likeness = {"kind": self.kind, "model": self._model.fingerprint}
        self._remember(states.unpack(data, like=self.arrays(), bounds=self._bounds(), **likeness))
        return self

    def fork(self) -> Self:
        """A second stream with the same memory; from here on the two are independent."""
        twin = self._twin()
        twin._remember(self.arrays())
        return twin

    def __copy__(self) -> Self:
        return self.fork()

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self._arguments(), self.save())

    def as_json(self, prediction: Any) -> dict[str, Any]:
        """A prediction as plain values: what `penstock stream` prints and a server sends; {} for nothing to say."""
        return self._model.as_json(prediction)

    def close(self) -> None:  # noqa: B027  # most streams hold nothing
        """Let go of what the stream holds outside itself, such as its place in a pool."""

    @abstractmethod
    def _push(self, item: Any, traces: Traces | None) -> Any:
        """Read an item: the prediction after it; what each step computed is appended to `traces` where there is one."""

    @abstractmethod
    def _whole(self) -> Any:
        """The prediction for all that was read; changes nothing."""

    @abstractmethod
    def _memory(self) -> dict[str, NDArray[Any]]:
        """All of the memory by name: arrays of float32, float64 or int64, in which the stream itself works.

        Where a stream draws random numbers, their state is one of these arrays; see `RandomState`.
        """

    @abstractmethod
    def _forget(self) -> None:
        """Bring the memory back to what it was at first."""

    def _arguments(self) -> tuple[Any, ...]:
        """What the constructor takes to make a stream of the same model, with a memory of the same names and shapes."""
        return (self._model,)

    def _twin(self) -> Self:
        """A new stream, for which the constructor's arguments are the same."""
        return type(self)(*self._arguments())

    def _end(self) -> None:  # noqa: B027  # to most streams the end says nothing new
        """Take in that the input is at its end."""

    def _bounds(self) -> dict[str, tuple[int, int]]:
        """The least and greatest number that an int64 array of the memory may hold, where not 0 to 2**53."""
        return {"finished": (0, 1)}

    def _refuse_if_finished(self) -> None:
        if self._finished[0]:
            raise StateError("this stream is finished: call reset() to start the next input")

    def _remember(self, memory: Mapping[str, NDArray[Any]]) -> None:
        for name, array in self.arrays().items():
            array[...] = memory[name]


def _unpickled(kind: type[Stream], arguments: tuple[Any, ...], state: bytes) -> Stream:
    """The stream that a pickle holds; StateError where another version wrote its state."""
    return kind(*arguments).load(state)


class _AtMost(list[list[Trace]]):
    """Traces of a limited number of steps."""

    def __init__(self, most: int | None) -> None:
        super().__init__()
        self._most = most

    def append(self, step: list[Trace]) -> None:
        if len(self) == self._most:
            raise ConfigError(
                f"a traced item may have {self._most} steps; this one has more. Push it in smaller pieces."
            )
        super().append(step)


def advance(step: StackStep, x: NDArray[np.float32], traces: Traces | None) -> NDArray[np.float32]:
    """One step of the layers on x (batch, input): the last one's output, as `Step` gives it, traced on request."""
    if traces is None:
        return step(x)
    y, inside = step.trace(x)
    traces.append(inside)
    return y


def step_arrays(step: StackStep, prefix: str = "") -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The states of a step of layers by name: 0.h, 0.c, 1.h, ..."""
    for number, (names, arrays) in enumerate(zip(step.state_names, step.state, strict=True)):
        for name, array in zip(names, arrays, strict=True):
            yield f"{prefix}{number}.{name}", array
