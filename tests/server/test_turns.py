"""Requests compute in turns: long ones hold nobody up, and end when nobody waits for them."""

import asyncio
import threading
import time
from types import SimpleNamespace

import pytest

from penstock.pauses import pause
from penstock.server import turns
from penstock.server.failures import RequestError
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
