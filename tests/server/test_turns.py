"""Requests compute in turns: long ones hold nobody up, and end when nobody waits for them."""

import asyncio
import json
import threading
import time
from types import SimpleNamespace

import pytest

import penstock
from penstock.errors import DataError
from penstock.pauses import interrupted_by, pause
from penstock.server import backend, turns
from penstock.server.failures import RequestError, as_json
from penstock.server.request_queue import RequestQueue
from penstock.server.running_requests import RunningRequests
from penstock.server.turns import AbandonedError, Turns, Work


class Long:
    """Work that goes on until it is let go."""

    def __init__(self):
        self.pauses, self.ended, self.free = 0, threading.Event(), False

    def __call__(self):
        try:
            while not self.free:
                time.sleep(0.001)
                self.pauses += 1
                pause()
        except AbandonedError:
            self.ended.set()
            raise
        return "long"


@pytest.fixture(autouse=True)
def short_turns(monkeypatch):
    monkeypatch.setattr(turns, "SLICE", 0.005)


async def test_short_work_overtakes_long_work_which_ends_with_its_caller():
    queue, works = RequestQueue(4), [Long(), Long(), Long()]
    # One is known to be long, the others are found to be.
    running = [asyncio.create_task(queue.run(work, long=number == 0)) for number, work in enumerate(works)]
    while not all(work.pauses for work in works):
        await asyncio.sleep(0.005)
    assert [await queue.run(lambda number=number: number) for number in range(5)] == list(range(5))
    before = [work.pauses for work in works]
    while not all(work.pauses > count for work, count in zip(works, before, strict=True)):  # each has its turn
        await asyncio.sleep(0.005)
    running[0].cancel()
    assert await asyncio.to_thread(works[0].ended.wait, 5)
    works[1].free = works[2].free = True
    assert await asyncio.gather(*running[1:]) == ["long", "long"]
    while not queue.idle():
        await asyncio.sleep(0.001)


def test_the_turn_goes_to_what_has_computed_least():
    order, gate, found = [], threading.Event(), Turns()

    def compute(name):
        gate.wait()
        order.append(name)

    works = {"first": Work(True), "much": Work(True, spent=3.0), "little": Work(True, spent=1.0), "new": Work(True)}
    threads = []
    for name, work in works.items():
        threads.append(threading.Thread(target=found.run, args=(work, lambda name=name: compute(name))))
        threads[-1].start()
        while len(found._waiting[True]) + (found._computing[True] is not None) < len(threads):
            time.sleep(0.001)
    gate.set()
    for thread in threads:
        thread.join()
    assert order == ["first", "new", "little", "much"]


async def test_texts_are_answered_beside_a_long_batch_of_the_same_model(words):
    queue, long = RequestQueue(4), Long()

    class Slow(type(words)):
        def answers(self, texts):
            return [long()] if texts == ["long"] else words.answers(texts)

    model = object.__new__(Slow)
    slow = asyncio.create_task(queue.answers(model, ["long"]))
    while not long.pauses:
        await asyncio.sleep(0.001)
    assert await asyncio.gather(*(queue.answers(model, [f"w{number}"]) for number in range(3))) == [
        list(words.answers([f"w{number}"])) for number in range(3)
    ]
    assert not slow.done()
    slow.cancel()
    assert await asyncio.to_thread(long.ended.wait, 5)


async def test_late_and_abandoned_requests_and_those_of_a_stopping_server_are_given_up():
    left, queue = asyncio.Event(), RequestQueue(4)
    request, work = SimpleNamespace(receive=left.wait), [Long(), Long(), Long()]

    async def one(running, work):
        with running.counted():
            await running.awaited(request, queue.run(work))

    with pytest.raises(RequestError, match=r"took more than 0\.01 s") as late:
        await one(RunningRequests(0.01), work[0])
    running = RunningRequests(60)
    stopped = asyncio.create_task(one(running, work[1]))
    while not work[1].pauses:
        await asyncio.sleep(0.001)
    running.give_up()
    with pytest.raises(RequestError, match="the server is stopping") as stopping:
        await stopped
    asyncio.get_running_loop().call_later(0.01, left.set)
    with pytest.raises(RequestError, match="the client has gone") as gone:
        await one(RunningRequests(60), work[2])
    assert [each.value.status for each in (late, stopping, gone)] == [503, 503, 400]
    assert not running
    for each in work:
        assert await asyncio.to_thread(each.ended.wait, 5)


class BothWays:
    """A model that reads backward too, and a text for it of many pieces, each of which takes `seconds` or more."""

    STEPS, SPAN = 40_000, 32

    def __init__(self, folder, monkeypatch, seconds=0.0):
        self.model, self.read, self.begun = penstock.load(folder), 0, threading.Event()
        self.pieces, self.seconds = 2 * self.STEPS // self.SPAN, seconds
        stack = self.model.scorer.encoder
        monkeypatch.setattr(stack, "_span", lambda batch: self.SPAN)
        one = stack._direction
        monkeypatch.setattr(stack, "_direction", lambda *which: self.counted(one(*which)))

    def counted(self, layer):
        def read(*x, **lengths):
            self.read += 1
            self.begun.set()
            time.sleep(self.seconds)
            return layer(*x, **lengths)

        return read

    def __call__(self):
        return list(self.model.answers(["w1 w2 w3 w4 " * (self.STEPS // 4)]))


@pytest.mark.parametrize("end", ["took more than", "client has gone", "server is stopping"])
async def test_an_input_that_is_read_backward_too_ends_with_its_request(folders, monkeypatch, end):
    work = BothWays(folders["both-ways"], monkeypatch, seconds=0.001)  # at least 2.5 seconds in all
    queue, left = RequestQueue(4), asyncio.Event()
    running = RunningRequests(0.2 if end == "took more than" else 60)

    async def answer():
        with running.counted():
            return await running.awaited(SimpleNamespace(receive=left.wait), queue.run(work, long=True))

    answering = asyncio.create_task(answer())
    assert await asyncio.to_thread(work.begun.wait, 30)
    if end == "client has gone":
        left.set()
    elif end == "server is stopping":
        running.give_up()
    with pytest.raises(RequestError, match=end):
        await answering
    while not queue.idle():
        await asyncio.sleep(0.001)
    assert 0 < work.read < work.pieces


async def test_texts_are_answered_while_another_is_read_backward_too(folders, words, monkeypatch):
    whole = penstock.load(folders["both-ways"]).predict_proba(["w1 w2 w3 w4 " * (BothWays.STEPS // 4)])
    work, queue = BothWays(folders["both-ways"], monkeypatch), RequestQueue(4)
    long = asyncio.create_task(queue.run(work))
    assert await asyncio.to_thread(work.begun.wait, 30)
    for number in range(3):
        assert await queue.answers(words, [f"w{number}"]) == list(words.answers([f"w{number}"]))
    assert work.read < work.pieces
    (row,) = await long
    assert work.read == work.pieces
    assert [row["probability_bad"], row["probability_good"]] == whole[0].tolist()


@pytest.mark.parametrize(("together", "number"), [(1, 45), (2, 39), (5, 34), (4096, 27)])
def test_answers_are_written_in_parts_as_in_one(monkeypatch, together, number):
    monkeypatch.setattr(backend, "_TOGETHER", together)
    rows = [
        {"prediction": "好", "probability_a": 0.25},
        {"tokens": list("abcdefg"), "tags": [], "entities": [{"type": "PER", "start": n} for n in range(3)]},
        {"alignment": {"source": ["a"], "weights": [[0.5, float("nan")] * 3, [], [1.0]]}, "row": 1, "none": None},
        {"steps": [[]] * 3, "of": {}, "half": ["\ud800", "b"]},
        {},
    ]
    parts = []
    with interrupted_by(lambda: parts.append(1)):
        found = backend._encoded(rows)
    assert json.loads(found) == json.loads(f"[{', '.join(map(as_json, rows))}]")
    assert found.startswith(f"[{as_json(rows[0])}, {as_json(rows[1])}, ")
    assert len(parts) == number


def test_an_answer_that_is_too_large_is_refused_before_it_is_whole(monkeypatch):
    monkeypatch.setattr(backend, "_MOST_BYTES", 100_000)
    with pytest.raises(DataError, match="more than 100000 bytes"):
        backend._encoded(iter([{"tokens": ["word"] * 10**6}]))
