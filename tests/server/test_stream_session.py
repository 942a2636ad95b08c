"""Streams by WebSocket: each message answered, in order, as a stream of the model alone answers."""

import asyncio
import base64
import json

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

import penstock
from penstock.errors import ConfigError, DataError, DtypeError, ServerError, StateError

PIECES = ["w1 w2 w3", "w4", "", "unknown w5", "w6 " * 40]


def socket(server, model="words", **options):
    return connect(f"ws{server.url[4:]}/v1/models/{model}/stream", compression=None, **options)


async def ask(open_socket, message):
    await open_socket.send(message if isinstance(message, bytes | str) else json.dumps(message))
    return json.loads(await open_socket.recv())


def alone(model, pieces):
    stream = model.stream()
    return [model.as_json(stream.push(piece)) for piece in pieces], model.as_json(stream.finish())


async def test_every_message_is_answered_in_order(server, words):
    expected, whole = alone(words, PIECES)
    async with socket(server) as open_socket:
        for piece in PIECES:  # all at once: the answers come in the messages' order
            await open_socket.send(json.dumps({"push": piece}))
        await open_socket.send('{"finish": true}')
        replies = [json.loads(await open_socket.recv()) for _ in range(6)]
        assert replies[:5] == [{"item": n, "answer": answer} for n, answer in enumerate(expected, 1)]
        assert replies[5] == {"item": 5, "answer": whole, "finished": True}
        assert (await ask(open_socket, {"push": "w1"}))["error"]["type"] == "StateError"
        assert (await ask(open_socket, {"finish": True}))["answer"] == whole
        assert await ask(open_socket, {"reset": True}) == {"item": 0, "reset": True}
        assert await ask(open_socket, {"push": PIECES[0]}) == {"item": 1, "answer": expected[0]}


async def test_a_trace_shows_every_gate_and_changes_no_bit(server, words):
    expected, _ = alone(words, PIECES[:2])
    _, steps = words.stream().trace(PIECES[0])
    async with socket(server) as open_socket:
        traced = await ask(open_socket, {"push": PIECES[0], "trace": True})
        assert traced["answer"] == expected[0]
        assert len(traced["trace"]) == 3
        assert list(traced["trace"][0][0]) == ["input", "forget", "cell", "output", "h", "c"]
        assert traced["trace"][2][0]["forget"] == pytest.approx(steps[2][0]["forget"][0], abs=5.1e-5)  # four digits
        assert await ask(open_socket, {"push": PIECES[1]}) == {"item": 2, "answer": expected[1]}
        refused = await ask(open_socket, {"push": "w1 " * 65, "trace": True})
        assert "smaller pieces" in refused["error"]["message"]
        assert (await ask(open_socket, {"save": True}))["item"] == 2


@pytest.mark.parametrize(
    ("message", "kind", "words_of_it"),
    [
        ("no JSON", "DataError", "must be JSON"),
        ('{"push": NaN}', "DataError", "NaN is not a number"),
        ("[" * 30000, "DataError", "must be JSON"),
        ("[1]", "ConfigError", "a message must be"),
        ('{"pull": 1}', "ConfigError", "a message must be"),
        ('{"save": 1}', "ConfigError", "a message must be"),
        ('{"push": 5}', "DtypeError", "must be text"),
        ('{"push": null}', "DtypeError", "must be text"),
        (b"\0\0", "DataError", "does not read binary messages"),
        ('{"load": "%"}', "DataError", "base64"),
        ('{"load": "AAAA"}', "StateError", "damaged or cut short"),
    ],
)
async def test_a_message_that_can_not_be_used_leaves_the_stream_as_it_was(server, words, message, kind, words_of_it):
    expected, _ = alone(words, PIECES[:2])
    async with socket(server) as open_socket:
        await ask(open_socket, {"push": PIECES[0]})
        error = (await ask(open_socket, message))["error"]
        assert (error["type"], words_of_it in error["message"]) == (kind, True)
        assert await ask(open_socket, {"push": PIECES[1]}) == {"item": 2, "answer": expected[1]}


async def test_a_state_continues_anywhere(server, words, client):
    expected, _ = alone(words, PIECES)
    async with await client.stream("words") as stream:
        answers = [await stream.push(piece) for piece in PIECES[:2]]
        state = await stream.save()
    async with await client.stream("words", state) as stream:
        assert stream.item == 2
        answers += [await stream.push(piece) for piece in PIECES[2:]]
        assert (answers, stream.item) == (expected, 5)
    # In a program, and back.
    here = words.stream().load(state)
    assert words.as_json(here.push(PIECES[2])) == expected[2]
    async with await client.stream("words", here.save(item=3)) as stream:
        assert await stream.push(PIECES[3]) == expected[3]
        assert stream.item == 4


async def test_states_of_others_and_cut_ones_are_refused(server, client, words):
    async with await client.stream("words") as stream:
        await stream.push("w1")
        state = await stream.save()
        with pytest.raises(StateError, match="cut short"):
            await stream.load(state[:-10])
        with pytest.raises(StateError, match="checksum"):
            await stream.load(state[:-1] + bytes([state[-1] ^ 1]))
        assert await stream.save() == state
    with pytest.raises(StateError, match="another model"):
        await client.stream("other", state)


async def test_models_without_a_stream_are_refused(server, client):
    with pytest.raises(ServerError, match="no model 'none'; available: words, other, both-ways") as caught:
        await client.stream("none")
    assert caught.value.code == 404
    async with await client.stream("both-ways") as stream:
        with pytest.raises(ServerError, match="use predict") as caught:
            await stream.push("w1")
        assert caught.value.code == 1003
    async with client.lasting_stream("both-ways") as stream:  # does not try again and again
        with pytest.raises(ServerError, match="use predict"):
            await asyncio.wait_for(stream.push("w1"), 20)


async def test_two_models_side_by_side(server, client, folders):
    models = {name: penstock.load(folders[name]) for name in ("words", "other")}

    async def one(name, number):
        pieces = [f"w{number} w{step}" for step in range(20)]
        async with await client.stream(name) as stream:
            assert [await stream.push(piece) for piece in pieces] == alone(models[name], pieces)[0]

    await asyncio.gather(*(one(name, number) for name in models for number in range(10)))


async def test_the_client_raises_what_the_model_would(client):
    async with await client.stream("words") as stream:
        with pytest.raises(DtypeError, match="must be text"):
            await stream.push(7)
        with pytest.raises(DataError, match="not read binary"):
            await stream.push(b"\0\0")
        with pytest.raises(ConfigError, match="smaller pieces"):
            await stream.trace("w1 " * 70)
        answer, steps = await stream.trace("w1 w2")
        assert (sorted(answer), len(steps)) == (["prediction", "probabilities"], 2)
        assert await stream.finish() == answer
        await stream.reset()
        assert stream.item == 0


async def test_a_call_that_is_cancelled_leaves_no_answer_to_the_next(client, words):
    async with await client.stream("words") as stream:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.push("w1 " * 40_000), 0.01)
        with pytest.raises(ServerError, match="cut off") as caught:
            await stream.push("w2")
        assert caught.value.code == 1006
    async with client.lasting_stream("words") as stream:  # goes on as if it had never been asked
        await stream.push("w1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.push("w1 " * 40_000), 0.01)
        assert await stream.push("w2") == alone(words, ["w1", "w2"])[0][-1]


async def test_calls_that_are_made_together_are_answered_in_their_order(client, words):
    async with await client.stream("words") as stream:
        assert await asyncio.gather(*map(stream.push, PIECES)) == alone(words, PIECES)[0]


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever():
    async def mute(connection):
        await connection.wait_closed()

    async with serve(mute, "127.0.0.1", 0) as server:
        client = penstock.Client(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout=0.2)
        async with await client.stream("words") as stream:
            with pytest.raises(ServerError, match=r"no reply within 0\.2 s"):
                await stream.push("w1")


@pytest.mark.parametrize("item", ["\ud800", {"w1"}, object()], ids=["surrogate", "set", "object"])
async def test_what_no_message_can_hold_is_refused_here(client, item):
    with pytest.raises(DataError, match="expected JSON values"):
        client.predict("words", [item])
    async with await client.stream("words") as stream:
        with pytest.raises(DataError, match="expected JSON values"):
            await stream.push(item)
        assert await stream.push("w1")


async def test_states_may_come_from_the_command_line(server, client, words, tmp_path, penstock):
    kept = tmp_path / "kept.state"
    assert penstock("stream", server.folders["words"], "--state", kept, stdin=b"w1\nw2\n").code == 0
    async with await client.stream("words", kept.read_bytes()) as stream:
        assert stream.item == 2
        assert await stream.push("w3") == alone(words, ["w1", "w2", "w3"])[0][2]
        assert base64.b64encode(await stream.save())
