"""Thousands of WebSockets at once from one asyncio client."""

import asyncio
import resource

import pytest

STREAMS, ITEMS, SAMPLE = 2000, 3, 100


@pytest.fixture
def many_files():
    """As many open files as that takes."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < STREAMS + 200:
        pytest.skip(f"{STREAMS} connections need as many open files; the limit is {before[1]}: raise it by ulimit -Hn")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], STREAMS + 200), before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.slow
async def test_two_thousand_streams_each_answer_as_alone(many_files, server, client, words):
    memory = server.memory()
    turn = asyncio.Semaphore(100)

    async def opened():
        async with turn:
            return await client.stream("words")

    streams = await asyncio.gather(*(opened() for _ in range(STREAMS)))
    assert 'penstock_streams{model="words"} 2000.0' in client._http.get("/metrics").text

    async def one(number):
        return [await streams[number].push(f"w{(number + step) % 50} w{number % 50}") for step in range(ITEMS)]

    found = await asyncio.gather(*(one(number) for number in range(STREAMS)))
    for number in range(0, STREAMS, STREAMS // SAMPLE):
        alone = words.stream()
        pieces = [f"w{(number + step) % 50} w{number % 50}" for step in range(ITEMS)]
        assert found[number] == [words.as_json(alone.push(piece)) for piece in pieces]
    # A connection takes some tens of kilobytes in Python's and the kernel's hands; a stream itself some hundred bytes.
    assert (server.memory() - memory) / STREAMS < 100_000
    await asyncio.gather(*(stream.close() for stream in streams))
