"""The front in this process: what arrives together is moved together, fairly, with the bits of a stream alone."""

import asyncio

import numpy as np
import pytest

import penstock
from penstock.errors import ConfigError, DtypeError, StateError
from penstock.server.front import Front
from penstock.server.streams import open_stream


async def with_front(model, work):
    front = Front(model)
    front.start()
    try:
        return await work(front)
    finally:
        await front.stop()


async def test_streams_in_a_crowd_answer_as_alone(words):
    async def crowd(front):
        async def one(seed):
            draw = np.random.default_rng(seed)
            pieces = [" ".join(f"w{n}" for n in draw.integers(60, size=draw.integers(0, 9))) for _ in range(15)]
            stream = await open_stream(front)
            found = [await front.do(lambda piece=piece: stream.push(piece)) for piece in pieces]
            found.append(await front.do(stream.finish))
            await front.do(stream.close)
            alone = words.stream()
            assert found == [words.as_json(alone.push(piece)) for piece in pieces] + [words.as_json(alone.finish())]

        await asyncio.gather(*(one(seed) for seed in range(60)))
        assert len(front.pool) == 0
        return front.steps / front.passes

    assert await with_front(words, crowd) > 5  # they were moved together


async def test_a_long_item_holds_no_other_up(words):
    async def race(front):
        long, short = await open_stream(front), await open_stream(front)
        text = " ".join(f"w{number % 50}" for number in range(20_000))
        slow = asyncio.create_task(front.do(lambda: long.push(text)))
        await asyncio.sleep(0.05)
        for _ in range(20):
            await front.do(lambda: short.push("w1 w2 w3"))
        assert not slow.done()
        answer = await slow
        assert front.passes < front.steps
        return answer

    text = " ".join(f"w{number % 50}" for number in range(20_000))
    assert await with_front(words, race) == words.as_json(words.stream().push(text))


async def test_a_caller_that_gives_up_stops_the_work(words):
    async def given_up(front):
        stream, other = await open_stream(front), await open_stream(front)
        slow = asyncio.create_task(front.do(lambda: stream.push("w1 " * 100_000)))
        await asyncio.sleep(0.2)
        slow.cancel()
        await front.do(stream.close)
        await front.do(lambda: other.push("w1"))
        assert front.steps < 100_000
        assert len(front.pool) == 1

    await with_front(words, given_up)


async def test_errors_reach_their_caller_alone(words):
    async def failing(front):
        good, bad = await open_stream(front), await open_stream(front)
        results = await asyncio.gather(
            front.do(lambda: good.push("w1")), front.do(lambda: bad.push(3)), return_exceptions=True
        )
        assert results[0] == words.as_json(words.stream().push("w1"))
        assert isinstance(results[1], DtypeError)
        await front.do(good.finish)
        with pytest.raises(StateError, match="finished"):
            await front.do(lambda: good.push("w1"))

    await with_front(words, failing)


async def test_a_model_without_a_pool_has_streams_of_its_own(words, monkeypatch):
    """As a forecaster over a window has."""
    monkeypatch.setattr(penstock.runtime.TextModel, "stream", lambda model: Lone(model))
    monkeypatch.setattr(penstock.runtime.TextModel, "pools", False)

    async def alone(front):
        assert front.pool is None
        stream = await open_stream(front)
        first = await front.do(lambda: stream.push("w1 w2"))
        with pytest.raises(ConfigError, match="shows no steps"):
            await front.do(lambda: stream.trace("w3"))
        answer = await front.do(lambda: stream.push("w3"))
        state = await front.do(lambda: stream.save(2))
        assert await front.do(stream.finish) == answer
        await front.do(stream.reset)
        assert await front.do(lambda: stream.push("w1 w2")) == first
        assert await front.do(lambda: stream.load(state)) == 2
        assert await front.do(stream.finish) == answer
        await front.do(stream.close)

    await with_front(words, alone)


class Lone(penstock.runtime.SequenceStream):
    """No more than a sequence's, but of another class."""
