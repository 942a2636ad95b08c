"""An hour of a server's life: does its memory grow?

    python benchmarks/serving/soak.py --out soak [--seconds 3600] [--settled 600] [--growth MIB]

Forty streams push words continuously; others connect, save and disconnect; whole texts, bad messages and cut
connections are mixed in. Every ten seconds the server's resident memory is written to soak/soak.json; at the end, its
slope after minute ten and the plot soak/soak.svg. After an interruption the same command continues, as long as the
server runs. With --growth it fails if the memory has grown by more than this many MiB since it settled; one minute
reveals large leaks.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from models import save_model, some_words
from process import resident_bytes, start_server

import penstock
from penstock.errors import PenstockError, ServerError


def main() -> int:
    """Run for the given seconds, then report the slope."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, help="a folder for results")
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--settled", type=float, default=600.0, help="seconds after which memory should not grow")
    parser.add_argument("--growth", type=float, help="MiB after that, above which the exit code is 1")
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks at the memory")
    parser.add_argument("--streams", type=int, default=40, help="that push all the time")
    parser.add_argument("--rate", type=float, default=2.0, help="items a second of each of them")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    run = _taken_up(arguments.out / "soak.json") or _begun(arguments.out)
    asyncio.run(_soak(run, arguments))
    os.kill(run["process"], signal.SIGTERM)
    (arguments.out / "soak.svg").write_text(_plot(run["samples"]))
    found = _growth(run["samples"], arguments.settled)
    print(json.dumps({"seconds": run["samples"][-1][0], **run["counts"], **found}))
    return int(arguments.growth is not None and found["mib_grown"] > arguments.growth)


def _begun(out: Path) -> dict[str, Any]:
    folder = str(save_model(out / "words"))
    process, url = start_server([folder, "--log-level", "info"], out / "server.log")
    counts = {"items": 0, "texts": 0, "streams": 0, "refused": 0}
    return {"process": process.pid, "url": url, "before": 0.0, "samples": [], "counts": counts}


def _taken_up(path: Path) -> dict[str, Any] | None:
    """Return the interrupted run if its server still runs."""
    if not path.exists():
        return None
    run = json.loads(path.read_text())
    try:
        os.kill(run["process"], 0)
        penstock.Client(run["url"]).models()
    except (OSError, ServerError):
        return None
    run["before"] = run["samples"][-1][0] if run["samples"] else 0.0
    return run


async def _soak(run: dict[str, Any], arguments: argparse.Namespace) -> None:
    client, start = penstock.Client(run["url"]), time.monotonic() - run["before"]
    workers = [_steady(client, run["counts"], number, arguments.rate) for number in range(arguments.streams)]
    workers += [_guests(client, run["counts"], 1000), _texts(client, run["counts"], 2000)]
    tasks = [asyncio.create_task(worker) for worker in workers]
    try:
        while (seconds := time.monotonic() - start) < arguments.seconds:
            for task in tasks:
                if task.done():
                    task.result()
            run["samples"].append([round(seconds, 1), resident_bytes(run["process"])])
            beside = arguments.out / "soak.new"
            beside.write_text(json.dumps(run))
            os.replace(beside, arguments.out / "soak.json")
            await asyncio.sleep(arguments.every)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _steady(client: penstock.Client, counts: dict[str, int], seed: int, rate: float) -> None:
    """Run a stream that never ends."""
    draw = np.random.default_rng(seed)
    async with await client.stream("words") as stream:
        while True:
            await stream.push(some_words(draw, 3))
            counts["items"] += 1
            await asyncio.sleep(draw.exponential(1 / rate))


async def _guests(client: penstock.Client, counts: dict[str, int], seed: int) -> None:
    """Open and close streams, some of them without a closing handshake."""
    draw = np.random.default_rng(seed)
    while True:
        stream = await client.stream("words")
        counts["streams"] += 1
        for _ in range(draw.integers(1, 10)):
            await stream.push(some_words(draw, int(draw.integers(1, 30))))
        state = await stream.save()
        with contextlib.suppress(PenstockError):
            await stream.push({"no": "text"})
        with contextlib.suppress(PenstockError):
            await stream.load(state[:-5])
        if draw.random() < 0.5:
            stream._socket.transport.abort()
        await stream.close()
        await asyncio.sleep(0.5)


async def _texts(client: penstock.Client, counts: dict[str, int], seed: int) -> None:
    """Send whole texts and invalid requests."""
    draw = np.random.default_rng(seed)
    while True:
        texts = [some_words(draw, int(draw.integers(1, 100))) for _ in range(draw.integers(1, 10))]
        await asyncio.to_thread(client.predict, "words", texts)
        counts["texts"] += len(texts)
        try:
            await asyncio.to_thread(client.predict, "words", [5])
        except PenstockError:
            counts["refused"] += 1
        await asyncio.sleep(1.0)


def _growth(samples: list[list[float]], settled: float) -> dict[str, float]:
    """Return the growth since memory settled in MiB, and its least-squares slope in MiB per hour."""
    after = np.array([sample for sample in samples if sample[0] >= settled])
    if len(after) < 3:
        raise SystemExit(f"too short: no memory was measured after {settled:g} s")
    slope = float(np.polyfit(after[:, 0] / 3600, after[:, 1] / 2**20, 1)[0])
    return {"mib_grown": round(float(after[-1, 1] - after[0, 1]) / 2**20, 3), "mib_per_hour": round(slope, 3)}


def _plot(samples: list[list[float]]) -> str:
    """Plot memory over time."""
    width, height, left, bottom = 720, 260, 60, 40
    points = np.array(samples)
    minutes, memory = points[:, 0] / 60, points[:, 1] / 2**20
    most, last = memory.max() * 1.1, max(minutes[-1], 1e-9)
    x = left + minutes / last * (width - left - 20)
    y = (height - bottom) - memory / most * (height - bottom - 20)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    marks = "".join(
        f'<text x="{left + part * (width - left - 20):.0f}" y="{height - 20}" text-anchor="middle">'
        f"{part * last:.0f} min</text>"
        f'<text x="{left - 8}" y="{(height - bottom) - part * (height - bottom - 20) + 4:.0f}" text-anchor="end">'
        f"{part * most:.0f} MiB</text>"
        for part in (0, 0.25, 0.5, 0.75, 1)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="11" fill="#666"><title>Resident memory of penstock serve</title>'
        f'<path d="M{left} 20V{height - bottom}H{width - 20}" fill="none" stroke="#999"/>{marks}'
        f'<polyline points="{line}" fill="none" stroke="#1f77b4" stroke-width="1.5"/></svg>\n'
    )


if __name__ == "__main__":
    sys.exit(main())
