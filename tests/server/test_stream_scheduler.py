"""The scheduler in this process: what arrives together goes on together, fairly, with the bits of a stream alone."""

import asyncio

import numpy as np
import pytest

import penstock
from penstock.errors import DtypeError, StateError
from penstock.server.stream_scheduler import StreamScheduler
from penstock.text.model import TextModel


async def with_scheduler(model, work):
    scheduler = StreamScheduler(model)
    scheduler.start()
    try:
        return await work(scheduler)
    finally:
        await scheduler.stop()


async def test_streams_in_a_crowd_answer_as_alone(words):
    async def crowd(scheduler):
        async def one(seed):
            draw = np.random.default_rng(seed)
            pieces = [" ".join(f"w{n}" for n in draw.integers(60, size=draw.integers(0, 9))) for _ in range(15)]
            stream = await scheduler.open()
            found = [await scheduler.push(stream, lambda piece=piece: piece) for piece in pieces]
            found.append(await scheduler.finish(stream))
            await scheduler.do(stream.close)
            alone = words.stream()
            assert found == [words.as_json(alone.push(piece)) for piece in pieces] + [words.as_json(alone.finish())]

        await asyncio.gather(*(one(seed) for seed in range(60)))
        assert len(scheduler.pool) == 0
        return scheduler.steps / scheduler.passes

    assert await with_scheduler(words, crowd) > 5  # they were moved together


@pytest.mark.slow
async def test_a_long_item_holds_no_other_up(words):
    async def race(scheduler):
        long, short = await scheduler.open(), await scheduler.open()
        text = " ".join(f"w{number % 50}" for number in range(20_000))
        slow = asyncio.create_task(scheduler.push(long, lambda: text))
        await asyncio.sleep(0.05)
        for _ in range(20):
            await scheduler.push(short, lambda: "w1 w2 w3")
        assert not slow.done()
        answer = await slow
        assert scheduler.passes < scheduler.steps
        return answer

    text = " ".join(f"w{number % 50}" for number in range(20_000))
    assert await with_scheduler(words, race) == words.as_json(words.stream().push(text))


async def test_a_caller_that_gives_up_stops_the_work(words):
    async def given_up(scheduler):
        stream, other = await scheduler.open(), await scheduler.open()
        slow = asyncio.create_task(scheduler.push(stream, lambda: "w1 " * 100_000))
        await asyncio.sleep(0.2)
        slow.cancel()
        await scheduler.do(stream.close)
        await scheduler.push(other, lambda: "w1")
        assert scheduler.steps < 100_000
        assert len(scheduler.pool) == 1

    await with_scheduler(words, given_up)


async def test_errors_reach_their_caller_alone(words):
    async def failing(scheduler):
        good, bad = await scheduler.open(), await scheduler.open()
        results = await asyncio.gather(
            scheduler.push(good, lambda: "w1"), scheduler.push(bad, lambda: 3), return_exceptions=True
        )
        assert results[0] == words.as_json(words.stream().push("w1"))
        assert isinstance(results[1], DtypeError)
        await scheduler.finish(good)
        with pytest.raises(StateError, match="finished"):
            await scheduler.push(good, lambda: "w1")

    await with_scheduler(words, failing)


async def test_a_model_without_a_pool_has_streams_of_its_own(words, monkeypatch):
    """As a forecaster over a window has."""
    monkeypatch.setattr(TextModel, "stream", lambda model: Lone(model))
    monkeypatch.setattr(TextModel, "pools", False)

    async def alone(scheduler):
        assert scheduler.pool is None
        stream = await scheduler.open()
        first = await scheduler.push(stream, lambda: "w1 w2")
        answer = await scheduler.push(stream, lambda: "w3")
        state = await scheduler.do(stream.save)
        assert await scheduler.finish(stream) == answer
        await scheduler.do(stream.reset)
        assert await scheduler.push(stream, lambda: "w1 w2") == first
        await scheduler.do(lambda: stream.load(state))
        assert await scheduler.finish(stream) == answer
        await scheduler.do(stream.close)

    await with_scheduler(words, alone)


class Lone(penstock.runtime.SequenceStream):
    """No more than a sequence's, but of another class."""
