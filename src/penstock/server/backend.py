"""What computes for a served model: this process, or the replicas of `replicas`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from penstock.errors import DataError
from penstock.pauses import pause
from penstock.runtime import Model
from penstock.server.explanations import Explanations
from penstock.server.failures import as_json
from penstock.server.request_queue import TOGETHER, RequestQueue
from penstock.server.stream_reader import Reader, StreamReader
from penstock.server.stream_scheduler import StreamScheduler

__all__ = ["Backend", "LocalBackend", "local"]

_TOGETHER = 4096  # numbers or texts of a list in one part of an answer
_MOST_BYTES = 64 << 20  # of an answer; an alignment is a table for each text


class Backend(Protocol):
    """Computes for one model."""

    def start(self) -> None:
        """Start what streams need, for the running event loop."""
        ...

    async def stop(self) -> bool:
        """Stop it; whether nothing computes any more."""
        ...

    async def answers(self, inputs: Any, options: Mapping[str, Any], *, long: bool) -> str:
        """Return a JSON list of rows, as `ServedModel.answers`."""
        ...

    async def explained(self, inputs: Any, target: str | None, at: int | None) -> dict[str, Any]:
        """Return the explanation of the only input, as `Explanations.explain`."""
        ...

    async def open(self) -> Reader:
        """Open a stream; ConfigError if the model cannot be streamed."""
        ...

    def counters(self) -> Mapping[str, float]:
        """Return what streams needed so far: `steps`, `passes` and `seconds` of the engine."""
        ...


class LocalBackend:
    """A `Backend` in this process.

    Args:
        model: the model.
        queue: the queue of predict requests of all models.
        explanations: of all models.
    """

    def __init__(self, model: Model, queue: RequestQueue, explanations: Explanations) -> None:
        self._model, self._queue, self._explanations = model, queue, explanations
        self._scheduler = StreamScheduler(model)

    def start(self) -> None:
        """Start the thread of the streams for the running event loop."""
        self._scheduler.start()

    async def stop(self) -> bool:
        """Stop the thread of the streams; whether it ended in time."""
        return await self._scheduler.stop()

    async def answers(self, inputs: Any, options: Mapping[str, Any], *, long: bool) -> str:
        """Return a JSON list of rows, as `ServedModel.answers`."""
        if self._model.batched and not options and not long and _few_texts(inputs):
            return as_json(await self._queue.answers(self._model, inputs))
        answers: Callable[..., Iterable[dict[str, Any]]] = self._model.answers  # options are those of the model's task
        found: str = await self._queue.run(lambda: _encoded(answers(inputs, **options)), long=long)
        return found

    async def explained(self, inputs: Any, target: str | None, at: int | None) -> dict[str, Any]:
        """Return the explanation of the only input, as `Explanations.explain`."""
        return await self._explanations.explain(self._model, inputs, target, at)

    async def open(self) -> StreamReader:
        """Open a stream; ConfigError if the model cannot be streamed."""
        return StreamReader(self._model, self._scheduler, await self._scheduler.open())

    def counters(self) -> Mapping[str, float]:
        """Return what streams needed so far."""
        scheduler = self._scheduler
        return {"steps": scheduler.steps, "passes": scheduler.passes, "seconds": scheduler.seconds}


def local(models: Mapping[str, Model], queue: RequestQueue) -> dict[str, LocalBackend]:
    """Return backends in this process for models by name."""
    explanations = Explanations(queue)
    return {name: LocalBackend(model, queue, explanations) for name, model in models.items()}


def _few_texts(inputs: Any) -> bool:
    return isinstance(inputs, list) and 0 < len(inputs) <= TOGETHER and all(isinstance(one, str) for one in inputs)


def _encoded(rows: Iterable[dict[str, Any]]) -> str:
    """Return rows as a JSON list; DataError if they are too large for an answer."""
    texts: list[str] = []
    size = 0
    for row in rows:
        parts = []
        for part in _parts(row):
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES:
                raise DataError(f"the answer would have more than {_MOST_BYTES} bytes. Send fewer inputs at a time.")
            pause()
        texts.append("".join(parts))
    return f"[{', '.join(texts)}]"


def _parts(value: Any) -> Iterator[str]:
    """Yield the JSON of a value in parts, as while one is made no other thread runs: long lists are divided."""
    if isinstance(value, dict) and any(isinstance(each, dict | list) for each in value.values()):
        for place, (key, each) in enumerate(value.items()):
            yield f"{', ' if place else '{'}{as_json(str(key))}: "
            yield from _parts(each)
        yield "}"
    elif isinstance(value, list) and len(value) > (several := _several(value)):
        for start in range(0, len(value), several):
            yield f"{', ' if start else '['}{as_json(value[start : start + several])[1:-1]}"
        yield "]"
    else:
        yield as_json(value)


def _several(values: list[Any]) -> int:
    """Return how many values of a list make a part, by the size of the first."""
    first = values[0] if values else None
    return max(1, _TOGETHER // (len(first) if isinstance(first, dict | list) and first else 1))
