"""Models whose predictions and streams are computed by replicas: processes on a Ray cluster, each with all models.

What is guaranteed: what a replica answers depends only on what it is asked. To a whole input that is the prediction; to
a stream's message it is the replies and the state after it, from the state before it, which is sent along. This process
keeps the state of each stream and gets the new one in one piece with the last reply. So if a replica is lost, or takes
no more because it is to go, another one is asked the same, and answers the same bits: a stream goes on after its last
answered item, and no item is lost or answered twice. A message that takes a replica with it four times gets an error,
and its stream is as it was before.

A stream is pinned to a replica (by consistent hashing, which moves only the streams of a replica that goes, and few to
one that comes). The replica keeps the stream itself beside the state that it has answered, and loads a state only if it
is another one. So where a stream is computed is a matter of speed alone.
"""

import asyncio
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from penstock.distributed.cluster.replicas import Replicas, replicas_on
from penstock.distributed.parcels import packed
from penstock.errors import WorkerError
from penstock.runtime import Model
from penstock.server.backend import local
from penstock.server.request_queue import RequestQueue
from penstock.server.settings import ServerSettings
from penstock.server.stream_reader import Message, Reply, StreamReader

__all__ = ["PinnedReader", "Replica", "ReplicatedBackend", "Turn", "replicated"]

_CLOSING = 1.0
"""Seconds that a replica has to release a stream."""


@dataclass(frozen=True)
class Place:
    """Where a stream is.

    Attributes:
        state: after the last message that was answered completely.
        message: the next one, or the one that is being answered.
        given: how many replies there were to it.
    """

    state: bytes
    message: Message = ""
    given: int = 0


@dataclass(frozen=True)
class Turn:
    """What a replica answers for a stream.

    Attributes:
        outcome: the reply, or the error instead of it.
        item: the number of items read.
        state: after the message, if that was the last reply to it.
        replica: which one answers.
        counters: of its streams so far, as `Backend.counters`.
    """

    outcome: Reply | Exception
    item: int
    state: bytes | None
    replica: str
    counters: Mapping[str, float]


class Replica:
    """What is asked in a process of its own.

    Args:
        models: by name.
        most_requests: as of `ServerSettings`.
        most_streams: streams of each model that are kept at most.
    """

    def __init__(self, models: Mapping[str, Model], most_requests: int, most_streams: int) -> None:
        self._backends = local(models, RequestQueue(most_requests))
        self._kept: dict[str, OrderedDict[str, tuple[Place, StreamReader]]] = {name: OrderedDict() for name in models}
        self._most, self._name, self._started = most_streams, uuid.uuid4().hex, False

    async def answers(self, name: str, inputs: Any, options: Mapping[str, Any], long: bool) -> str:
        """Return what `LocalBackend.answers` does."""
        return await self._backends[name].answers(inputs, options, long=long)

    async def explained(self, name: str, inputs: Any, target: str | None, at: int | None) -> dict[str, Any]:
        """Return what `LocalBackend.explained` does."""
        return await self._backends[name].explained(inputs, target, at)

    async def opened(self, name: str) -> bytes:
        """Return the state of a new stream."""
        reader = await self._open(name)
        state = await reader.save()
        await reader.close()
        return state

    async def closed(self, name: str, stream: str) -> None:
        """Release a stream, if it is kept here."""
        if (kept := self._kept[name].pop(stream, None)) is not None:
            await kept[1].close()

    async def turn(self, name: str, stream: str, place: Place, stop: bool) -> Turn:
        """Return the next reply for a stream.

        Args:
            name: of the model.
            stream: of the stream.
            place: where the stream is.
            stop: as for `Reader.reply`.
        """
        reader = await self._reader(name, stream, place)
        try:
            outcome: Reply | Exception = await reader.reply(place.message, stop=stop)
        except Exception as error:
            outcome = error
        except BaseException:  # cancelled, so nobody knows where the stream is
            await reader.close()
            raise
        last = isinstance(outcome, Exception) or outcome.last
        state = await reader.save() if last else None
        now = Place(place.state, place.message, place.given + 1) if state is None else Place(state)
        await self._keep(name, stream, now, reader)
        return Turn(outcome, reader.item, state, self._name, self._backends[name].counters())

    async def _reader(self, name: str, stream: str, place: Place) -> StreamReader:
        """Take the stream that was kept if it is at that place, or else bring a new one there."""
        kept = self._kept[name].pop(stream, None)  # so that no other call uses it at the same time
        if kept is not None:
            if kept[0] == (place if place.given else Place(place.state)):
                return kept[1]
            await kept[1].close()
        reader = await self._open(name)
        try:
            await reader.load(place.state)
            for _ in range(place.given):
                await reader.reply(place.message)
        except BaseException:
            await reader.close()
            raise
        return reader

    async def _keep(self, name: str, stream: str, place: Place, reader: StreamReader) -> None:
        kept = self._kept[name]
        replaced = kept.pop(stream, None)
        kept[stream] = place, reader
        if replaced is None and len(kept) > self._most:
            _, replaced = kept.popitem(last=False)
        if replaced is not None:
            await replaced[1].close()

    async def _open(self, name: str) -> StreamReader:
        if not self._started:  # here is the event loop
            self._started = True
            for backend in self._backends.values():
                backend.start()
        return await self._backends[name].open()


class ReplicatedBackend:
    """A `Backend` of which replicas do the work.

    Args:
        name: of the model.
        replicas: of `Replica`.
    """

    def __init__(self, name: str, replicas: Replicas) -> None:
        self._name, self._replicas = name, replicas
        self._counters: dict[str, Mapping[str, float]] = {}

    def start(self) -> None:
        """Do nothing: replicas run already."""

    async def stop(self) -> bool:
        """Return True: nothing computes in this process."""
        return True

    async def answers(self, inputs: Any, options: Mapping[str, Any], *, long: bool) -> str:
        """Return a JSON list of rows, as `ServedModel.answers`."""
        found: str = await self._replicas.ask("answers", self._name, inputs, options, long)
        return found

    async def explained(self, inputs: Any, target: str | None, at: int | None) -> dict[str, Any]:
        """Return the explanation of the only input, as `Explanations.explain`."""
        found: dict[str, Any] = await self._replicas.ask("explained", self._name, inputs, target, at)
        return found

    async def open(self) -> "PinnedReader":
        """Open a stream; ConfigError if the model cannot be streamed."""
        return PinnedReader(self, await self._replicas.ask("opened", self._name))

    async def turn(self, stream: str, place: Place, stop: bool) -> Turn:
        """Return what `Replica.turn` does."""
        turn: Turn = await self._replicas.ask("turn", self._name, stream, place, stop, pinned=stream)
        self._counters[turn.replica] = turn.counters
        return turn

    async def closed(self, stream: str) -> None:
        """Let a replica release a stream."""
        await self._replicas.ask("closed", self._name, stream, pinned=stream)

    def counters(self) -> Mapping[str, float]:
        """Return what streams needed so far, over all replicas that there were."""
        return {name: sum(each[name] for each in self._counters.values()) for name in ("steps", "passes", "seconds")}


class PinnedReader:
    """A `Reader` whose stream is in a replica, and its state here.

    Args:
        backend: of the model.
        state: of the new stream.

    Attributes:
        item: the number of items read.
    """

    def __init__(self, backend: ReplicatedBackend, state: bytes) -> None:
        self._backend, self._stream = backend, uuid.uuid4().hex
        self._place = Place(state)
        self.item = 0

    async def reply(self, message: Message, *, stop: bool = False) -> Reply:
        """Return the next reply, as `Reader` says; WorkerError if replicas were lost with it."""
        asked = replace(self._place, message=message)
        self._place = Place(asked.state)  # unless there is an answer
        turn = await self._backend.turn(self._stream, asked, stop)
        self.item = turn.item
        self._place = replace(asked, given=asked.given + 1) if turn.state is None else Place(turn.state)
        if isinstance(turn.outcome, Exception):
            raise turn.outcome
        return turn.outcome

    async def close(self) -> None:
        """Release what the replica holds."""
        # If it has gone or takes long, nothing is lost: a replica drops its oldest stream where it needs the place.
        with suppress(TimeoutError, WorkerError):
            async with asyncio.timeout(_CLOSING):
                await self._backend.closed(self._stream)


@contextmanager
def replicated(
    models: Mapping[str, Model], settings: ServerSettings, replicas: int, on: str | None, name: str
) -> Iterator[dict[str, ReplicatedBackend]]:
    """Context with the backends of models, whose replicas end with it.

    Args:
        models: by name.
        settings: limits.
        replicas: how many.
        on: address of a Ray cluster, as `check_address` takes it; None for one that is started on this machine.
        name: of the application on the cluster; one that has it already is replaced.

    Raises:
        ConfigError: the cluster can't be reached or has too few CPUs, or the replicas do not start.
    """
    content = packed(Replica, (dict(models), settings.max_requests, settings.max_streams))
    most = settings.max_requests + settings.max_streams
    with replicas_on(on, name, content, replicas, most) as asked:
        yield {name: ReplicatedBackend(name, asked) for name in models}
