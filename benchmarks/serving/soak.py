"""An hour of a server's life: does its memory grow?

    python benchmarks/serving/soak.py --out soak [--seconds 3600] [--settled 600] [--growth MIB] [--faults]

Forty streams push words continuously; others connect, save and disconnect; whole texts, bad messages and cut
connections are mixed in. Every ten seconds the server's resident memory is written to soak/soak.json; at the end, its
slope after minute ten and the plot soak/soak.svg. With --growth it fails if the memory has grown by more than this many
MiB since it settled; one minute reveals large leaks.

With --faults clients also hang up, stall and never read (see `faults`), and the server is killed and started again,
suspended, and robbed of its folder before the memory settles. The run fails if an item is lost, if a prediction is
not, bit for bit, that of a stream that nothing happened to, if a reply takes a minute, or if a stream stays open.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import faults
import httpx
import numpy as np
from models import some_words
from process import resident_bytes

import penstock
from penstock.errors import InputError, PenstockError


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
    parser.add_argument("--faults", action="store_true", help="let things go wrong")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    served = faults.Served(arguments.out)
    try:
        run = asyncio.run(_soak(served, arguments))
    finally:
        code = served.stop()
    (arguments.out / "soak.svg").write_text(_plot(run["samples"]))
    found = _growth(run["samples"], run["settled"])
    print(json.dumps({"seconds": run["samples"][-1][0], **run["counts"], "kills": served.kills, **found}))
    grown = arguments.growth is not None and found["mib_grown"] > arguments.growth
    return int(grown or code != 0)


async def _soak(served: faults.Served, arguments: argparse.Namespace) -> dict[str, Any]:
    model, start = penstock.load(served.folder), time.monotonic()
    counts = dict.fromkeys(
        ("items", "texts", "streams", "refused", "reconnected", "hung_up", "long", "late", "stalled", "never_read"), 0
    )
    run: dict[str, Any] = {"counts": counts, "samples": [], "settled": arguments.settled}
    workers = [_steady(served, model, counts, number, arguments.rate) for number in range(arguments.streams)]
    workers += [_again(_guest, served, counts, 1000, 0.5), _again(_texts, served, counts, 2000, 1.0)]
    if arguments.faults:
        clients = (faults.hang_up, faults.long_texts, faults.stall, faults.never_read)
        workers += [_again(each, served, counts, 3000 + seed, 4.0) for seed, each in enumerate(clients)]
    troubles = asyncio.create_task(_troubles(served, arguments.settled) if arguments.faults else asyncio.sleep(0))
    tasks = [asyncio.create_task(worker) for worker in workers]
    try:
        # On a busy machine the troubles may take longer than they should.
        while (seconds := time.monotonic() - start) < max(arguments.seconds, run["settled"] * 2):
            for task in (*tasks, troubles):
                if task.done():
                    task.result()
            if not troubles.done():
                run["settled"] = max(seconds, arguments.settled)
            if not served.down:
                run["samples"].append([round(seconds, 1), resident_bytes(served.pid)])
            (arguments.out / "soak.json").write_text(json.dumps(run))
            await asyncio.sleep(arguments.every)
    finally:
        for task in (*tasks, troubles):
            task.cancel()
        await asyncio.gather(*tasks, troubles, return_exceptions=True)
    await _all_closed(served)
    return run


async def _steady(served: faults.Served, model: Any, counts: dict[str, int], seed: int, rate: float) -> None:
    """Run a stream that never ends, beside one in this process."""
    draw, alone = np.random.default_rng(seed), model.stream()
    async with served.client.lasting_stream("words", save_every=20) as stream:
        before = 0
        while True:
            words = some_words(draw, 3)
            async with asyncio.timeout(60):
                found = await stream.push(words)
            expected = model.as_json(alone.push(words))
            if found != expected:
                raise SystemExit(f"stream {seed} has another prediction after item {stream.item}: {found}, {expected}")
            counts["items"] += 1
            counts["reconnected"] += max(stream.reconnected, 0) - before
            before = max(stream.reconnected, 0)
            await asyncio.sleep(draw.exponential(1 / rate))


async def _again(once: Any, served: faults.Served, counts: dict[str, int], seed: int, pause: float) -> None:
    """Be one client after another; only a server that is killed may end what was on its way."""
    draw = np.random.default_rng(seed)
    while True:
        kills, down = served.kills, served.down
        try:
            await once(served, counts, draw)
        except (PenstockError, OSError, httpx.TransportError, AssertionError):
            if served.kills == kills and not down:
                raise
        await asyncio.sleep(pause)


async def _troubles(served: faults.Served, settled: float) -> None:
    """Kill, suspend and rob the server, and let it settle."""
    each = settled / 8
    for trouble in (faults.kill, faults.suspend, faults.replace_bundle, faults.kill):
        await asyncio.sleep(each)
        await trouble(served)
    # As much at once as the server computes at once: then it has all the memory that it needs.
    draw, counts = np.random.default_rng(0), dict.fromkeys(("long", "late"), 0)
    await asyncio.gather(*(faults.long_texts(served, counts, draw, words) for words in [5000, 5000, 12_000] * 5))


async def _guest(served: faults.Served, counts: dict[str, int], draw: np.random.Generator) -> None:
    """Open a stream, send good and bad messages, and close it, or break off."""
    stream = await served.client.stream("words")
    counts["streams"] += 1
    try:
        for _ in range(draw.integers(1, 10)):
            await stream.push(some_words(draw, int(draw.integers(1, 30))))
        state = await stream.save()
        with contextlib.suppress(InputError):
            await stream.push({"no": "text"})
        with contextlib.suppress(InputError):
            await stream.load(state[:-5])
        if draw.random() < 0.5:
            stream._socket.transport.abort()
    finally:
        await stream.close()


async def _texts(served: faults.Served, counts: dict[str, int], draw: np.random.Generator) -> None:
    """Send whole texts and an invalid request."""
    texts = [some_words(draw, int(draw.integers(1, 100))) for _ in range(draw.integers(1, 10))]
    await asyncio.to_thread(served.client.predict, "words", texts)
    counts["texts"] += len(texts)
    try:
        await asyncio.to_thread(served.client.predict, "words", [5])
    except InputError:
        counts["refused"] += 1


async def _all_closed(served: faults.Served) -> None:
    """Wait until the server has no stream left."""
    async with asyncio.timeout(60):
        while 'penstock_streams{model="words"} 0.0' not in served.client._http.get("/metrics").text:
            await asyncio.sleep(0.2)


def _growth(samples: list[list[float]], settled: float) -> dict[str, float]:
    """Return the growth since memory settled in MiB, from the lowest of the first quarter to that of the last.

    Also its least-squares slope in MiB per hour.
    """
    after = np.array([sample for sample in samples if sample[0] >= settled])
    if len(after) < 8:
        raise SystemExit(f"too short: the memory was measured {len(after)} times after {settled:g} s")
    slope = float(np.polyfit(after[:, 0] / 3600, after[:, 1] / 2**20, 1)[0])
    quarter = len(after) // 4
    grown = float(after[-quarter:, 1].min() - after[:quarter, 1].min()) / 2**20
    return {"mib_grown": round(grown, 3), "mib_per_hour": round(slope, 3)}


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
