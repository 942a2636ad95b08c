"""What goes wrong in a server's life: clients that go, stall or never read; a server that is killed or suspended."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
from models import WORDS, save_model, some_words
from process import start_server

import penstock

__all__ = ["Served", "hang_up", "kill", "long_texts", "never_read", "replace_bundle", "stall", "suspend"]

_UPGRADE = (
    b"GET /v1/models/words/stream HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_HEAD = b"POST /v1/models/words/predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"


class Served:
    """A server that can be killed and started again on its port.

    Attributes:
        folder: the model's.
        url: its address.
        pid: of its process now.
        client: a client of it.
        kills: how often it was killed.
        down: whether it is not yet back.
    """

    def __init__(self, out: Path) -> None:
        self.folder, self._out, self.kills = save_model(out / "words"), out, 0
        self._process, self.url = start_server([str(self.folder)], out / "server.log")
        self.pid, self.port = self._process.pid, int(self.url.rpartition(":")[2])
        self.client, self.down = penstock.Client(self.url), False

    async def kill(self) -> None:
        """End it as a power cut does, and start it again."""
        self.down = True
        self.kills += 1
        self._process.kill()
        self._process.wait()
        log = self._out / f"server-{self.kills}.log"
        self._process, _ = await asyncio.to_thread(start_server, [str(self.folder)], log, port=self.port)
        self.pid, self.down = self._process.pid, False

    def stop(self) -> int:
        """Stop it in order; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)


async def kill(served: Served) -> None:
    """Kill it, and start it again."""
    await served.kill()


async def suspend(served: Served) -> None:
    """Let the process stand still for two seconds."""
    os.kill(served.pid, signal.SIGSTOP)
    await asyncio.sleep(2)
    os.kill(served.pid, signal.SIGCONT)


async def replace_bundle(served: Served) -> None:
    """Take the model's folder away from under the server, write another in its place, and put the first one back."""
    away = served.folder.with_name("away")
    os.rename(served.folder, away)
    shutil.copytree(away, served.folder)
    (served.folder / "model.safetensors").write_bytes(b"damaged")
    await asyncio.sleep(3)
    shutil.rmtree(served.folder)
    os.rename(away, served.folder)


async def hang_up(served: Served, counts: dict[str, int], draw: np.random.Generator) -> None:
    """Ask for what takes seconds, and go."""
    body = json.dumps({"inputs": [some_words(draw, 60_000)]}).encode()
    async with _connected(served, _HEAD + b"content-length: %d\r\n\r\n" % len(body) + body):
        await asyncio.sleep(draw.uniform(0.1, 1.0))
    counts["hung_up"] += 1


async def long_texts(served: Served, counts: dict[str, int], draw: np.random.Generator, words: int = 5000) -> None:
    """Ask for what takes long, and wait for it."""
    async with httpx.AsyncClient(base_url=served.url, timeout=120) as client:
        inputs = [some_words(draw, words)]
        response = await client.post("/v1/models/words/predict", json={"inputs": inputs})
    assert response.status_code == 200 or response.json()["error"]["type"] == "Deadline", response.text
    counts["long" if response.status_code == 200 else "late"] += 1


async def stall(served: Served, counts: dict[str, int], draw: np.random.Generator) -> None:
    """Begin a request, and send no more of it."""
    async with _connected(served, _HEAD + b'content-length: 100\r\n\r\n{"inputs"') as reader:
        received = await asyncio.wait_for(reader.read(), 60)
    assert received.startswith(b"HTTP/1.1 408"), received[:100]
    counts["stalled"] += 1


async def never_read(served: Served, counts: dict[str, int], draw: np.random.Generator) -> None:
    """Push with traces, for which the replies are large, and read none, until the server cuts the connection."""
    message = json.dumps({"push": f"{WORDS[0]} " * 60, "trace": True}).encode()
    frame = b"\x81" + bytes([0x80 | 126]) + struct.pack("!H", len(message)) + bytes(4) + message
    async with _connected(served, _UPGRADE) as reader:
        transport = reader._transport  # type: ignore[attr-defined]
        transport.pause_reading()
        async with asyncio.timeout(60):
            while not transport.is_closing():
                if transport.get_write_buffer_size() < 1 << 20:
                    transport.write(frame)
                await asyncio.sleep(0.01)
    counts["never_read"] += 1


@contextlib.asynccontextmanager
async def _connected(served: Served, data: bytes) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        writer.write(data)
        yield reader
    finally:
        writer.transport.abort()
