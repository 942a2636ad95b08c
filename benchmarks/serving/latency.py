"""How long a server takes to answer, and how much it answers: streams, whole inputs, its scheduler without a network.

    python benchmarks/serving/latency.py scheduler streams predict beside --out serving.json

scheduler  items through `server.StreamScheduler` in this process, ten streams at once: no network, no JSON
streams    WebSocket streams, one word per item; first without pauses, then at one item per second and stream
predict    one text of twenty words per request, compared with plain FastAPI servers with PyTorch and with ONNX Runtime
beside     the same, from four clients, twenty times a second each, while another one asks for what takes long

The client runs on the same machine and uses about as much CPU time as the server. Latencies are in milliseconds, from
sending an item to receiving its prediction. The model is an LSTM of 128 units, whose step is one word.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from models import save_model, some_words
from process import start_server
from websockets.asyncio.client import connect

import penstock
from penstock import engine
from penstock.server.stream_scheduler import StreamScheduler

Ask = Callable[[], Awaitable[Any]]


def main() -> None:
    """Run the chosen measurements, print each figure and write all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", default=list(_parts()), help=", ".join(_parts()), metavar="PART")
    parser.add_argument("--out", type=Path, help="where the figures go, JSON")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each figure")
    parser.add_argument("--streams", type=int, nargs="*", default=[1, 10, 100, 1000, 5000])
    arguments = parser.parse_args()
    wanted = max(arguments.streams) + 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, wanted), hard), hard))
    about = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    figures: dict[str, Any] = {"about": about | {"seconds": arguments.seconds}}
    with tempfile.TemporaryDirectory(prefix="penstock-bench-") as scratch:
        folder = save_model(Path(scratch) / "words")
        for part in arguments.parts:
            figures[part] = _parts()[part](folder, arguments)
            if arguments.out:
                arguments.out.write_text(json.dumps(figures, indent=1))


def _parts() -> dict[str, Callable[[Path, argparse.Namespace], list[dict[str, Any]]]]:
    return {"scheduler": scheduler, "streams": streams, "predict": predict, "beside": beside}


def scheduler(folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure ten streams in this process."""

    async def run() -> dict[str, Any]:
        work = StreamScheduler(penstock.load(folder))
        work.start()
        opened = [await work.open() for _ in range(10)]
        words = [some_words(np.random.default_rng(seed), 1) for seed in range(10)]

        def asking(number: int) -> Ask:
            return lambda: work.push(opened[number], lambda: words[number])

        found = await _measure([asking(number) for number in range(10)], arguments.seconds)
        await work.stop()
        return found | {"batch": round(work.steps / work.passes, 2)}

    # The same process settings as in `penstock serve`.
    sys.setswitchinterval(0.0005)
    engine.set_num_threads(max(1, engine.get_num_threads() - 1))
    return [_said({"part": "scheduler", "streams": 10}, asyncio.run(run()))]


def streams(folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure the given numbers of WebSocket streams."""
    server, url = start_server([str(folder), "--log-level", "warning"], folder.with_name("server.log"))
    try:
        return [
            _said(
                {"part": "streams", "streams": count, "pace": pace},
                asyncio.run(_stream(url, count, pace, arguments.seconds)),
            )
            for count in arguments.streams
            for pace in (0.0, 1.0)
        ]
    finally:
        server.terminate()
        server.wait()


async def _stream(url: str, count: int, pace: float, seconds: float) -> dict[str, Any]:
    client, turn = penstock.Client(url), asyncio.Semaphore(50)

    async def opened() -> Any:
        async with turn:
            return await client.stream("words")

    found = await asyncio.gather(*(opened() for _ in range(count)))
    words = [some_words(np.random.default_rng(seed), 1) for seed in range(count)]

    def asking(number: int) -> Ask:
        return lambda: found[number].push(words[number])

    figures = await _measure([asking(number) for number in range(count)], seconds, pace)
    await asyncio.gather(*(stream.close() for stream in found))
    client.close()
    return figures


def predict(folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure whole texts, one per request."""
    figures = []
    for name in ("penstock", "torch", "onnx"):
        server, url = _predicting(name, folder)
        try:
            for count in (1, 16):
                found = asyncio.run(_predict(url, count, arguments.seconds))
                figures.append(_said({"part": "predict", "server": name, "clients": count}, found))
        finally:
            server.kill()
            server.wait()
    return figures


def _predicting(name: str, folder: Path) -> tuple[subprocess.Popen[Any], str]:
    if name == "penstock":
        return start_server([str(folder), "--log-level", "warning"], folder.with_name("server.log"))
    command = [sys.executable, str(Path(__file__).with_name("plain.py")), name, str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, f"http://127.0.0.1:{int(server.stdout.readline())}"


async def _predict(url: str, count: int, seconds: float, pace: float = 0.0) -> dict[str, Any]:
    """Measure over plain persistent connections, because a full HTTP client would be slower than the servers."""
    port = int(url.rpartition(":")[2])
    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    draw = np.random.default_rng(0)
    bodies = [json.dumps({"inputs": [some_words(draw, 20)]}).encode() for _ in range(count)]

    def asking(number: int) -> Ask:
        return lambda: _post(*connections[number], bodies[number])

    figures = await _measure([asking(number) for number in range(count)], seconds, pace)
    for _, writer in connections:
        writer.close()
    return figures


def beside(folder: Path, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure short texts beside what takes long."""
    both = save_model(folder.with_name("both"), bidirectional=True)
    flags = ["--log-level", "warning", "--deadline-seconds", "10"]
    server, url = start_server([str(folder), str(both), *flags], folder.with_name("server.log"))
    try:
        return [
            _said({"part": "beside", "long": name}, asyncio.run(_beside(url, long, arguments.seconds)))
            for name, long in _long_works().items()
        ]
    finally:
        server.terminate()
        server.wait()


def _long_works() -> dict[str, tuple[str, bytes] | None]:
    """Return what takes long: a model and the body of a request, or a message for its stream."""
    draw = np.random.default_rng(0)
    text = some_words(draw, 800_000)  # 4.6 MB
    several = [some_words(draw, 2) for _ in range(200_000)]
    table = "text\n" + "\n".join(several)
    return {
        "nothing": None,
        "a text of 4 MiB": ("words", json.dumps({"inputs": [text[: 4 << 20]]}).encode()),
        "a text of 1 MiB, read in both directions": ("both", json.dumps({"inputs": [text[: 1 << 20]]}).encode()),
        "200,000 texts": ("words", json.dumps({"inputs": several}).encode()),
        "a table of 200,000 texts": ("words", table.encode()),
        "a stream of messages of 120 KiB": ("stream", json.dumps({"push": text[: 120 << 10]}).encode()),
    }


async def _beside(url: str, long: tuple[str, bytes] | None, seconds: float) -> dict[str, Any]:
    done = [0]
    work = asyncio.create_task(_repeated(url, *long, done)) if long else None
    found = await _predict(url, 4, seconds, pace=0.05)
    if work is not None:
        if work.done():
            raise SystemExit(f"the long work has ended: {work.exception()!r}")
        work.cancel()
        await asyncio.wait([work])
    return found | {"long_answers": done[0]}


async def _repeated(url: str, kind: str, content: bytes, done: list[int]) -> None:
    """Ask for what takes long, again and again, whether it is answered or comes to its deadline."""
    if kind == "stream":
        async with connect(f"ws{url[4:]}/v1/models/words/stream", compression=None) as socket:
            while True:
                await socket.send(content.decode())
                await socket.recv()
                done[0] += 1
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        try:
            await _post(reader, writer, content, kind, b" 503")
            done[0] += 1
        finally:
            writer.transport.abort()


async def _post(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    body: bytes,
    model: str = "words",
    or_else: bytes = b" 200",
) -> bytes:
    kind = "application/json" if body.startswith(b"{") else "text/csv"
    head = f"POST /v1/models/{model}/predict HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {kind}\r\n"
    writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    answered = await reader.readuntil(b"\r\n\r\n")
    if not answered.startswith((b"HTTP/1.1 200", b"HTTP/1.1" + or_else)):
        raise SystemExit(f"the server refused: {answered!r}")
    length = answered.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(length))


async def _measure(asks: list[Ask], seconds: float, pace: float = 0.0) -> dict[str, Any]:
    """Repeat each request without pauses, or every `pace` seconds; a fifth of the time is added as warm-up."""
    loop, latencies = asyncio.get_running_loop(), list[float]()
    begin = perf_counter() + seconds / 5
    end = begin + seconds

    async def one(number: int, ask: Ask) -> None:
        due = loop.time() + pace * number / len(asks)
        while perf_counter() < end:
            if pace:
                await asyncio.sleep(max(0.0, due - loop.time()))
                due += pace
            start = perf_counter()
            await ask()
            if start > begin:
                latencies.append(perf_counter() - start)

    await asyncio.gather(*(one(number, ask) for number, ask in enumerate(asks)))
    total = perf_counter() - begin
    if not latencies:
        return {"per_second": 0.0}
    shares = (50, 95, 99, 99.9)
    found = {f"p{share}": round(float(np.percentile(latencies, share)) * 1000, 3) for share in shares}
    return {"per_second": round(len(latencies) / total, 1)} | found


def _said(what: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    print(json.dumps(what | found), flush=True)
    return what | found


if __name__ == "__main__":
    main()
