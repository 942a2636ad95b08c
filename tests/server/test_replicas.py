"""What replicas answer, without Ray: the bits of this process, wherever they are lost. On Ray: tests/distributed."""

import json
import pickle

import pytest
from language_models import save_all

import penstock
from penstock.errors import DataError, WorkerError
from penstock.server.backend import local
from penstock.server.failures import RequestError, failure_of
from penstock.server.replicas import Replica, ReplicatedBackend
from penstock.server.request_queue import RequestQueue

STREAMED = [
    {"push": "w1 w2 w3"}, {"push": "w4", "trace": True}, {"pull": 1}, {"push": 5}, {"save": True}, {"push": ""},
    {"finish": True}, {"push": "w5"}, {"finish": True}, {"reset": True}, {"push": "w5 w6"}, {"stop": True},
    {"generate": {}}, {"load": "AAAA"}, {"push": "w7", "next": 3}, {"push": "w7 " * 300}, {"save": True},
]  # fmt: skip
WRITTEN = [
    {"push": "the"}, {"generate": {"tokens": 5}}, {"push": " cat", "next": 3}, {"generate": {"tokens": 9}, "next": 2},
    {"generate": {"tokens": -1}}, {"save": True}, {"generate": {"tokens": 4, "seed": 7}}, {"finish": True},
    {"generate": {"tokens": 2}}, {"reset": True}, {"generate": {"tokens": 3}}, {"save": True},
]  # fmt: skip


class Copies:
    """Replicas in this process; calls and answers are pickled, as between processes.

    Args:
        models: by name.
        losses: at each call, in turn: how often a replica is lost, "before" it answers or "after" it has.
        most: streams that a replica keeps.
    """

    def __init__(self, models, losses=(), most=100):
        self._models, self.losses, self.lost = models, list(losses), 0
        self._most, self.copy, self.calls = most, None, 0

    async def ask(self, method, *arguments, pinned=""):
        self.calls += 1
        when = self.losses.pop(0) if self.losses else None
        if when == "before":
            await self.lose()
        answer = await self._answer(method, arguments)
        if when == "after":
            await self.lose()
            answer = await self._answer(method, arguments)
        if when == "for good":
            raise WorkerError("replicas were lost more than 3 times")
        found = passed(answer)
        if isinstance(found, Exception):
            raise found
        return found

    async def lose(self):
        """Put another one in the place of the copy."""
        if self.copy is not None:
            self.lost += 1
            await self.stop()

    async def stop(self):
        if self.copy is not None and self.copy._started:
            for backend in self.copy._backends.values():
                await backend.stop()
        self.copy = None

    async def _answer(self, method, arguments):
        if self.copy is None:
            self.copy = Replica(passed(self._models), 8, self._most)
        method, arguments = passed((method, arguments))
        try:
            return await getattr(self.copy, method)(*arguments)
        except Exception as error:
            return error


def passed(value):
    """A value as another process gets it."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301


async def replies(reader, messages, stop_after=None):
    """What a session would send for messages; each `generate` is stopped after some items."""
    found = []
    for message in messages:
        last, given = False, 0
        while not last:
            try:
                reply = await reader.reply(json.dumps(message), stop=given == stop_after)
            except Exception as error:
                failure = failure_of(error)
                found.append((failure.kind, failure.message))
                break
            last, given = reply.last, given + (reply.text is not None)
            found.append((reply.text, reader.item))
    return found


async def expected(model, messages, stop_after=None):
    """The same by a stream in this process, that nothing happens to."""
    backend = local({"model": model}, RequestQueue(8))["model"]
    backend.start()
    found = await replies(await backend.open(), messages, stop_after)
    await backend.stop()
    return found


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """A language model, whose streams are one by one."""
    folder = tmp_path_factory.mktemp("language")
    save_all(folder)
    return penstock.load(folder / "letters")


LOSSES = {
    "none": [],
    "each time, before it answers": ["before"] * 200,
    "each time, after it has answered": ["after"] * 200,
    "now and then": [None, "after", None, None, "before"] * 40,
}


@pytest.mark.parametrize("losses", LOSSES)
async def test_streams_have_the_same_bits_wherever_replicas_are_lost(words, letters, losses):
    for model, messages, stop_after in (
        (words, STREAMED, None), (letters, WRITTEN, None), (letters, WRITTEN, 3), (letters, WRITTEN, 0),
    ):  # fmt: skip
        copies = Copies({"model": model}, LOSSES[losses])
        reader = await ReplicatedBackend("model", copies).open()
        assert await replies(reader, messages, stop_after) == await expected(model, messages, stop_after)
        assert copies.lost >= (len(messages) // 3 if LOSSES[losses] else 0)
        assert (copies.lost == 0) == (not LOSSES[losses])
        await reader.close()
        await copies.stop()


async def test_a_replica_that_keeps_fewer_streams_than_there_are_answers_the_same(words):
    copies = Copies({"model": words}, most=2)
    backend = ReplicatedBackend("model", copies)
    readers = [await backend.open() for _ in range(5)]
    alone = await expected(words, STREAMED)
    found = [[] for _ in readers]
    for message in STREAMED:
        for reader, so_far in zip(readers, found, strict=True):
            so_far += await replies(reader, [message])
    assert found == [alone] * 5
    pool = copies.copy._backends["model"]._scheduler.pool
    assert len(pool) == 2
    for reader in readers:
        await reader.close()
    assert len(pool) == 0
    await copies.stop()


async def test_what_no_replica_survives_is_an_error_and_the_stream_is_as_before(words, letters):
    for model, messages in ((words, STREAMED), (letters, WRITTEN)):
        for at in (1, 2, 4):  # the first call opens the stream
            copies = Copies({"model": model}, [None] * at + ["for good"])
            reader = await ReplicatedBackend("model", copies).open()
            found = [await replies(reader, [message]) for message in messages]
            lost = [number for number, each in enumerate(found) if any(kind == "WorkerError" for kind, _ in each)]
            assert len(lost) == 1
            others = [message for number, message in enumerate(messages) if number != lost[0]]
            del found[lost[0]]
            assert [reply for each in found for reply in each] == await expected(model, others)
            await copies.stop()


async def test_whole_inputs_are_answered_too_and_errors_are_those_of_this_process(words):
    copies = Copies({"model": words}, [None, "before", "after"])
    backend = ReplicatedBackend("model", copies)
    here = local({"model": words}, RequestQueue(8))["model"]
    texts = ["w1 w2", "", "unknown"]
    for long in (False, True, False):
        assert await backend.answers(texts, {}, long=long) == await here.answers(texts, {}, long=long)
    assert await backend.explained(["w1 w2"], "good", None) == await here.explained(["w1 w2"], "good", None)
    with pytest.raises(DataError, match="text"):
        await backend.answers([3], {}, long=True)
    with pytest.raises(RequestError, match="one input can be explained at a time; got 2") as caught:
        await backend.explained(["a", "b"], None, None)
    assert (caught.value.status, caught.value.kind) == (422, "DataError")
    await copies.stop()


async def test_steps_of_lost_replicas_are_counted_too(words):
    copies = Copies({"model": words}, [None, None, "before", None])
    backend = ReplicatedBackend("model", copies)
    assert backend.counters() == {"steps": 0, "passes": 0, "seconds": 0}
    reader = await backend.open()
    for _ in range(3):
        await reader.reply('{"push": "w1 w2"}')
    assert (copies.lost, backend.counters()["steps"], backend.counters()["passes"]) == (1, 6, 6)
    await copies.stop()
