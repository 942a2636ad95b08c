"""Orderly ends and sudden ones: what was accepted is answered, and streams go on with the same bits."""

import asyncio
import contextlib
import json
import signal
import threading
import time

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import penstock
from penstock.client import LastingStream
from penstock.errors import ServerError

CLIENTS, ITEMS = 8, 60


def expected(model, seed):
    """The answers to a client's items, and the items."""
    items = [f"w{(seed * 7 + step) % 50} w{step % 50}" for step in range(ITEMS)]
    stream = model.stream()
    return items, [model.as_json(stream.push(item)) for item in items]


@pytest.mark.slow
async def test_after_a_kill_every_client_continues_with_the_same_bits(folders, running, words):
    with running(folders["words"]) as first, penstock.Client(first.url, timeout=5) as client:
        at_work = asyncio.Event()

        async def one(seed):
            items, answers = expected(words, seed)
            found = []
            async with client.lasting_stream("words", save_every=7, patience=30) as stream:
                for item in items:
                    found.append(await stream.push(item))
                    await asyncio.sleep(0.02)
                    if seed == 0 and len(found) == 25:
                        at_work.set()
                assert stream.item == ITEMS
            assert found == answers
            return stream.reconnected

        async def kill():
            await at_work.wait()
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
            await asyncio.to_thread(stack.enter_context, running(folders["words"], port=first.port))

        with contextlib.ExitStack() as stack:
            *reconnected, _ = await asyncio.gather(*(one(seed) for seed in range(CLIENTS)), kill())
    assert reconnected == [1] * CLIENTS


@pytest.mark.parametrize("code", [408, 503, 1012])
async def test_a_server_that_has_no_time_now_is_asked_again(code):
    class Opened:
        async def push(self, item):
            return {"read": item}

    tries = []

    async def connect(state):
        tries.append(state)
        if len(tries) < 2:
            raise ServerError("not now", code)
        return Opened()

    assert await LastingStream(connect, save_every=10, patience=5).push("w1") == {"read": "w1"}
    assert tries == [None, None]


@pytest.mark.slow
async def test_without_the_helper_a_saved_state_and_its_item_number_are_enough(folders, running, words):
    items, answers = expected(words, 3)
    with running(folders["words"]) as server:
        client = penstock.Client(server.url)
        stream = await client.stream("words")
        for item in items[:20]:
            await stream.push(item)
        state, at = await stream.save(), stream.item
        await stream.push(items[20])
        server.kill()
        with pytest.raises(ServerError) as caught:
            await stream.push(items[21])
        assert caught.value.code == 1006
        with running(folders["words"]) as other:
            again = await penstock.Client(other.url).stream("words", state)
            assert again.item == at == 20
            assert [await again.push(item) for item in items[20:]] == answers[20:]
            await again.close()


@pytest.mark.slow
async def test_told_to_stop_it_answers_what_it_accepted(folders, running, words):
    with running(folders["words"], "--grace-seconds", 60) as server:
        long = " ".join(f"w{number % 50}" for number in range(4000))  # takes a while
        stream = words.stream()
        answers = [words.as_json(stream.push(item)) for item in [long] * 5]
        async with (
            connect(f"ws{server.url[4:]}/v1/models/words/stream", compression=None) as busy,
            connect(f"ws{server.url[4:]}/v1/models/words/stream") as idle,
        ):
            for _ in range(5):
                await busy.send(json.dumps({"push": long}))
            first = json.loads(await busy.recv())
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            replies = [first] + [json.loads(await busy.recv()) for _ in range(4)]
            assert replies == [{"item": n, "answer": answer} for n, answer in enumerate(answers, 1)]
            for one in (busy, idle):
                with pytest.raises(ConnectionClosed) as closed:
                    await one.recv()
                assert closed.value.rcvd.code == 1012
                assert "load your last saved state" in closed.value.rcvd.reason
        assert await stopping == 0
        assert server.events("stopped")
        assert [event["code"] for event in server.events("stream closed")] == [1012, 1012]


@pytest.mark.slow
def test_a_request_on_its_way_is_answered_before_the_end(folders, running, words):
    texts = [" ".join(f"w{number % 50}" for number in range(3000))] * 100
    with running(folders["words"], "--grace-seconds", 60) as server:
        found = []

        def ask():
            url = f"{server.url}/v1/models/words/predict"
            found.append(httpx.post(url, json={"inputs": texts}, timeout=30).json())

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.5)
        assert server.stop() == 0
        thread.join()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.url}/healthz")
    assert found == [{"outputs": list(words.answers(texts))}]


@pytest.mark.slow
async def test_a_client_that_stays_does_not_keep_it_from_stopping(folders, running):
    with running(folders["words"], "--grace-seconds", "1") as server:
        # Answers neither pings nor the close.
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"GET /v1/models/words/stream HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 101")
        start = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 0
        assert time.monotonic() - start < 8
        writer.close()
