"""Clients that flood, stall, lie or break off: each gets a clear answer or is cut, and others notice nothing."""

import asyncio
import json
import shutil
import socket
import struct
import threading
import time
from contextlib import ExitStack, contextmanager
from functools import partial

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import penstock
from penstock.errors import ServerError

LIMITS = {"streams": 30, "message-kb": 16, "body-mb": 1, "waiting": 100, "requests": 2}
FRAMES = b"more than 100 frames without a message in a second"
FLAGS = ["--slow-seconds", 1, *(word for name, value in LIMITS.items() for word in (f"--max-{name}", value))]


@pytest.fixture(scope="module")
def server(folders, running):
    """A server with tight limits."""
    with running(folders["words"], *FLAGS) as process:
        yield process


@contextmanager
def bystander(server, words):
    """Somebody who is served before, during and after, and quickly."""
    http = httpx.Client(base_url=server.url, timeout=5)
    expected = list(words.answers(["w1 w2"]))

    def ask():
        start = time.perf_counter()
        answer = http.post("/v1/models/words/predict", json={"inputs": ["w1 w2"]}).json()
        assert answer == {"outputs": expected}
        # Some ms where nothing else runs; the machine of a test run is busy.
        assert time.perf_counter() - start < 2

    ask()
    yield ask
    ask()
    http.close()


def address(server):
    return f"ws{server.url[4:]}/v1/models/words/stream"


def raw(server, data, receive_bytes=None):
    """A connection that has sent some bytes."""
    found = socket.socket()
    if receive_bytes:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    found.settimeout(10)
    found.connect(("127.0.0.1", server.port))
    found.sendall(data)
    return found


def answer_of(connection):
    """Everything until the server closes: status and body."""
    received = b""
    while part := connection.recv(65536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["error"]


POST = "POST /v1/models/words/predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


@pytest.mark.slow
def test_a_body_of_two_gigabytes_is_refused_at_its_head(server, words):
    with bystander(server, words), raw(server, f"{POST}content-length: {2 << 30}\r\n\r\n{{".encode()) as connection:
        status, error = answer_of(connection)
    assert (status, error["type"]) == (413, "TooLarge")
    assert "1048576 bytes" in error["message"]


def test_a_body_without_a_length_is_cut_where_it_gets_too_large(server, words):
    def chunks():
        for _ in range(40):
            yield b"x" * 65536

    memory = server.memory()
    with bystander(server, words):
        response = httpx.post(f"{server.url}/v1/models/words/predict", content=chunks())
    assert response.status_code == 413
    assert server.memory() - memory < 20 << 20


def test_a_body_that_stalls_is_given_up(server, words):
    with bystander(server, words), raw(server, f"{POST}content-length: 100\r\n\r\n{{".encode()) as connection:
        connection.settimeout(5)
        received = b"".join(iter(partial(connection.recv, 65536), b""))
    assert received.startswith(b"HTTP/1.1 408")
    assert b"did not arrive within 1 s" in received


@pytest.mark.slow
def test_bodies_that_stall_keep_others_of_their_size_back_and_nobody_else(server, words):
    url, long = f"{server.url}/v1/models/words/predict", "w1 " * 30_000
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(raw(server, f"{POST}content-length: 10\r\n\r\n{{".encode()))
        assert httpx.post(url, json={"inputs": [long]}).status_code == 200
        for _ in range(2):  # each holds a place until its body is there
            stack.enter_context(raw(server, f"{POST}content-length: 99999\r\n\r\n{{".encode() + b" " * 80_000))
        time.sleep(0.2)
        with bystander(server, words):
            response = httpx.post(url, json={"inputs": [long]})
        assert (response.status_code, response.json()["error"]["type"]) == (429, "Busy")
        assert response.headers["retry-after"] == "1"
    time.sleep(0.1)
    assert httpx.post(url, json={"inputs": [long]}).status_code == 200


@pytest.mark.slow
def test_more_requests_than_may_wait_get_429(server, words):
    url, slow = f"{server.url}/v1/models/words/predict", json.dumps({"inputs": ["w1 w2 " * 15_000] * 10}).encode()
    statuses = []

    def ask():
        statuses.append(httpx.post(url, content=slow, timeout=30).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200, 429}
    with bystander(server, words):
        pass


def test_bytes_that_are_not_utf8_are_refused(server):
    response = httpx.post(f"{server.url}/v1/models/words/predict", content=b'{"inputs": ["\xff"]}')
    assert response.status_code == 400
    assert "UTF-8" in response.json()["error"]["message"]


async def test_a_text_message_that_is_not_utf8_closes_with_1007(server):
    async with connect(address(server)) as stream:
        await stream.send(b'{"push": "\xff"}', text=True)
        with pytest.raises(ConnectionClosed) as closed:
            await stream.recv()
    assert closed.value.rcvd.code == 1007
    assert not any("traceback" in line for line in server.log)


async def test_a_message_that_is_too_large_closes_with_1009(server, words):
    with bystander(server, words):
        async with connect(address(server)) as stream:
            await stream.send(json.dumps({"push": "w1 " * 10_000}))
            with pytest.raises(ConnectionClosed) as closed:
                await stream.recv()
        assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        (lambda: frame(1, b'{"push": "w1"}') * 5000, b"more than 100 messages are waiting: await their replies"),
        (lambda: frame(1, b"", last=False) + frame(0, b"", last=False) * 50_000, FRAMES),
        (lambda: frame(9, b"") * 50_000, FRAMES),
        (lambda: frame(10, b"") * 50_000, FRAMES),
    ],
    ids=["messages", "parts", "pings", "pongs"],
)
@pytest.mark.slow
def test_a_flood_is_closed_with_its_reason(server, words, frames, reason):
    with bystander(server, words) as ask, upgrade(server) as connection:
        connection.sendall(frames())
        ask()
        received = b""
        while part := connection.recv(65536):
            received += part
    # The last frame: close, its length, its code.
    assert received.endswith(bytes([0x88, len(reason) + 2]) + struct.pack("!H", 1008) + reason)


def test_requests_that_nobody_waits_for_do_not_pile_up(server, words):
    memory = server.memory()
    with bystander(server, words) as ask, raw(server, b"") as connection:
        connection.settimeout(0.2)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_for_ever(connection, b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" * 5000, ask)
    assert server.memory() - memory < 30 << 20
    with raw(server, b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n" * 300) as connection:
        received = b"".join(iter(partial(connection.recv, 65536), b""))
    assert b"more than 100 requests of one connection are waiting" in received


async def test_as_many_messages_as_may_wait_are_answered(server):
    async with connect(address(server), compression=None) as stream:
        for _ in range(100):
            await stream.send('{"push": "w1"}')
        assert [json.loads(await stream.recv())["item"] for _ in range(100)] == list(range(1, 101))


def send_for_ever(connection, data, ask):
    """Send until the server cuts the connection; ask whenever it takes no more. Half a minute at most."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            connection.sendall(data)
            time.sleep(0.02)
        except TimeoutError:
            ask()


def upgrade(server, receive_bytes=None):
    """The head of a WebSocket, answered."""
    connection = raw(
        server,
        b"GET /v1/models/words/stream HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        receive_bytes,
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(1)
    assert received.startswith(b"HTTP/1.1 101")
    return connection


def frame(opcode, data, last=True):
    """A client's frame, its mask zero; the last of its message or not."""
    length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0x80 | 126]) + struct.pack("!H", len(data))
    return bytes([0x80 * last | opcode]) + length + bytes(4) + data


@pytest.mark.parametrize("opcode", [1, 9], ids=["messages", "pings"])
@pytest.mark.slow
def test_who_never_reads_is_cut_and_takes_little_memory(server, words, opcode):
    # The answers fill the way back; then nothing is taken in any more.
    data = frame(1, json.dumps({"push": "w1 " * 40, "trace": True}).encode()) * 20 if opcode == 1 else b""
    data = data or frame(9, b"x" * 125) * 2000
    memory = server.memory()
    with bystander(server, words) as ask, upgrade(server, receive_bytes=4096) as connection:
        connection.settimeout(0.2)
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            send_for_ever(connection, data, ask)
    assert server.memory() - memory < 30 << 20


def test_a_thousand_half_open_connections_are_bounded_and_quick(server, words):
    start = time.monotonic()
    with bystander(server, words) as ask, ExitStack() as stack:
        connections = [
            stack.enter_context(raw(server, b"" if number % 2 else b"POST /v1/models/words/pre"))
            for number in range(1000)
        ]
        ask()
        # Each is told, and closed, a second after it came.
        for connection in connections:
            assert b"408 Request Timeout" in connection.recv(4096)
            assert connection.recv(4096) == b""
    assert time.monotonic() - start < 15


def test_an_endless_head_is_cut(server, words):
    lines = b"".join(b"x-%d: %s\r\n" % (number, b"y" * 99) for number in range(99))
    with (
        bystander(server, words) as ask,
        raw(server, b"GET / HTTP/1.1\r\n") as connection,
        pytest.raises((ConnectionResetError, BrokenPipeError)),
    ):
        send_for_ever(connection, lines, ask)


async def test_more_streams_than_allowed_are_refused(server):
    client = penstock.Client(server.url)
    streams = [await client.stream("words") for _ in range(30)]
    try:
        refused = await client.stream("words")
        with pytest.raises(ServerError, match="30 streams are open: try again later") as caught:
            await refused.push("w1")
        assert caught.value.code == 1013
        await streams.pop().close()
        await asyncio.sleep(0.2)
        streams.append(await client.stream("words"))
        assert await streams[-1].push("w1")
    finally:
        await asyncio.gather(*(stream.close() for stream in streams))


@pytest.mark.slow
async def test_an_idle_stream_is_closed_with_its_reason(folders, running):
    with running(folders["words"], "--idle-seconds", "1") as server:
        client = penstock.Client(server.url)
        async with await client.stream("words") as idle, await client.stream("words") as busy:
            for _ in range(8):
                await asyncio.sleep(0.4)
                await busy.push("w1")
            with pytest.raises(ServerError, match="no message for 1 s") as caught:
                await idle.push("w1")
            assert caught.value.code == 1008


def test_a_token_is_asked_for(folders, running):
    with running(folders["words"], "--token", "s3cret") as server:
        good = {"authorization": "Bearer s3cret"}
        for path, status in (("/v1/models", 401), ("/metrics", 401), ("/healthz", 200), ("/readyz", 200)):
            assert httpx.get(server.url + path).status_code == status
            assert httpx.get(server.url + path, headers=good).status_code == 200
        for wrong in ("Bearer s3cre", "Bearer", "Basic s3cret", "Bearer s3crét".encode()):
            refused = httpx.get(f"{server.url}/v1/models", headers={"authorization": wrong})
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        asyncio.run(try_tokens(server))
        assert "s3cret" not in json.dumps(server.log)


async def try_tokens(server):
    for token in (None, "wrong"):
        with pytest.raises(ServerError, match="a valid bearer token is required") as caught:
            await penstock.Client(server.url, token=token).stream("words")
        assert caught.value.code == 401
    async with await penstock.Client(server.url, token="s3cret").stream("words") as stream:
        assert await stream.push("w1")
    # As a browser does it.
    async with connect(address(server), subprotocols=["bearer.s3cret"]) as stream:
        assert stream.subprotocol == "bearer.s3cret"
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address(server), subprotocols=["bearer.wrong"]):
            pass
    assert refused.value.response.status_code == 401


@pytest.mark.slow
async def test_pages_of_other_origins_are_refused(folders, running):
    with running(folders["words"], "--allow-origin", "https://friend.example") as server:
        here = server.url
        for origin, allowed in ((here, True), ("https://friend.example", True), ("https://evil.example", False)):
            if allowed:
                async with connect(address(server), origin=origin):
                    pass
                continue
            with pytest.raises(InvalidStatus) as refused:
                async with connect(address(server), origin=origin):
                    pass
            assert refused.value.response.status_code == 403
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            assert httpx.post(f"{here}/v1/models/words/predict", headers={"origin": origin}).status_code == 403
        # A browser asks beforehand, and shows a friend's page the answer if that bears its origin.
        friend = {"origin": "https://friend.example"}
        asked = {
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        for response in (
            httpx.options(f"{here}/v1/models/words/predict", headers=friend | asked),
            httpx.post(f"{here}/v1/models/words/predict", headers=friend, json={"inputs": ["w1"]}),
            httpx.get(f"{here}/v1/models/none", headers=friend),
        ):
            assert response.headers["access-control-allow-origin"] == "https://friend.example"
        refused = httpx.options(f"{here}/v1/models", headers=asked | {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in refused.headers
        # A foreign name that points here.
        spoofed = httpx.get(f"{here}/v1/models", headers={"host": "evil.example", "origin": "http://evil.example"})
        assert spoofed.status_code == 421


@pytest.mark.slow
def test_a_bundle_that_changes_on_disk_is_served_as_loaded_and_told(tmp_path, running, save_model):
    folder = save_model(tmp_path / "words")
    before = list(penstock.load(folder).answers(["w1 w2"]))
    with running(folder) as server, penstock.Client(server.url) as client:
        assert httpx.get(f"{server.url}/readyz").json() == {"status": "ready", "changed_on_disk": []}
        shutil.rmtree(folder)
        save_model(folder, seed=3)
        assert list(penstock.load(folder).answers(["w1 w2"])) != before
        end = time.monotonic() + 10
        while not client.model("words")["changed_on_disk"]:
            assert time.monotonic() < end
            time.sleep(0.1)
        assert httpx.get(f"{server.url}/readyz").json() == {"status": "ready", "changed_on_disk": ["words"]}
        assert client.predict("words", ["w1 w2"]) == before
        shutil.rmtree(folder)
        time.sleep(1.2)
        assert client.predict("words", ["w1 w2"]) == before
        assert server.stop() == 0
        assert len(server.events("bundle changed")) == 1
