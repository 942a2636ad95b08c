"""Side-by-side timing: each peer in its own process, interleaved rounds, ratios per round.

Spinning thread pools slow other processes, so peers that are not being timed wait on a pipe. A round times all of them
in one order and then in reverse (A B C C B A), and measures the machine's lower bound; a point's ratio is the median
over the rounds of a peer's time divided by ours. A point with wrong outputs is not reported.
"""

import multiprocessing as mp
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from penstock.bench import peers as peer_modules
from penstock.bench.floor import floor_seconds
from penstock.bench.points import Point
from penstock.bench.workload import make_workload
from penstock.errors import PenstockError

__all__ = ["Measured", "Side", "measure"]

# The largest difference from float64 that counts as correct: float32 rounding over a hundred steps.
_TOLERANCE = 1e-4
# Other libraries' threads spin for some milliseconds after their last call.
_SETTLE_SECONDS = 0.02
# Short calls are timed several at once, so that the cost of reading the clock is negligible.
_SPAN_SECONDS = 2e-5


@dataclass(frozen=True)
class Measured:
    """The measurements of one point.

    Attributes:
        seconds: each peer's median time of a call.
        ratios: each peer's time divided by ours, (minimum, median, maximum) over the rounds.
        share: the machine's lower bound divided by our time, the median over the rounds.
        errors: the largest difference of the outputs from float64, for peers that return outputs.
        left_out: the peers that are not measured, and the reasons.
    """

    point: Point
    seconds: dict[str, float]
    ratios: dict[str, tuple[float, float, float]]
    share: float
    errors: dict[str, float]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def best_peer(self) -> str | None:
        """The fastest other peer at this point; None if there is none."""
        return min(self.ratios, key=lambda name: self.ratios[name][1], default=None)

    def row(self) -> dict[str, Any]:
        """Return the measurements for JSON."""
        return asdict(self) | {"name": self.point.name, "gflops": self.point.flops / self.seconds["penstock"] / 1e9}


def measure(
    points: Iterable[Point], peers: list[str], *, threads: int, rounds: int, seconds: float, ours: str = "penstock"
) -> Iterator[Measured]:
    """Measure the points and yield the results one by one.

    Args:
        points: the points to measure.
        peers: the peers to compare with, from `PEERS`.
        threads: the number of threads of each peer.
        rounds: the number of rounds, after a first one that is discarded.
        seconds: the duration of one timing of one peer.
        ours: the peer that the others are compared with.

    Raises:
        PenstockError: our outputs are wrong, or a peer's process ended.
    """
    sides: dict[str, Side] = {}
    try:
        for point in points:
            sides = sides or {name: Side(name, threads) for name in (ours, *peers)}  # no process where no point is left
            yield _point(point, sides, ours, rounds, seconds, threads)
    finally:
        for side in sides.values():
            side.end()


def _point(point: Point, sides: dict[str, "Side"], ours: str, rounds: int, seconds: float, threads: int) -> Measured:
    errors: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for name, side in sides.items():
        error, why = side.ask("prepare", point)
        if why or (error is not None and not error < _TOLERANCE):
            left_out[name] = why or f"its outputs differ by {error:.1e} from float64"
        elif error is not None:
            errors[name] = error
    if ours in left_out:
        raise PenstockError(f"{point.name}: {ours} is not reported: {left_out[ours]}")
    able = [name for name in sides if name not in left_out]
    times: dict[str, list[float]] = {name: [] for name in able}
    shares: list[float] = []
    for number in range(rounds + 1):
        rounds_times: dict[str, list[float]] = {name: [] for name in able}
        for name in (*able, *reversed(able)):
            rounds_times[name].append(sides[name].ask("time", seconds))
        if number:  # the first round is warm-up
            for name in able:
                times[name].append(statistics.mean(rounds_times[name]))
            shares.append(floor_seconds(point, threads) / times[ours][-1])
    ratios = {name: [a / b for a, b in zip(times[name], times[ours], strict=True)] for name in able if name != ours}
    return Measured(
        point,
        {"penstock" if name == ours else name: statistics.median(each) for name, each in times.items()},
        {name: (min(each), statistics.median(each), max(each)) for name, each in ratios.items()},
        statistics.median(shares),
        errors,
        left_out,
    )


class Side:
    """One peer in its own process."""

    def __init__(self, name: str, threads: int) -> None:
        context = mp.get_context("spawn")
        self.name, (self._pipe, there) = name, context.Pipe()
        self._process = context.Process(target=_serve, args=(name, threads, there), daemon=True)
        self._process.start()
        there.close()  # only the process holds it, so that the pipe reports when the process ends
        self.about = self.ask("about")

    def ask(self, *request: Any) -> Any:
        """Send a request and return the reply."""
        try:
            self._pipe.send(request)
            return self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise PenstockError(f"the process of {self.name} ended. Check the package's installation.") from error

    def end(self) -> None:
        """Stop the process."""
        self._process.terminate()
        self._process.join()


def _serve(name: str, threads: int, pipe: Connection) -> None:
    """Reply to requests: about -> text, (prepare, point) -> (error, reason), (time, seconds) -> median seconds."""
    peer = peer_modules.load(name)
    peer.set_threads(threads)
    around = getattr(peer, "around", lambda point: nullcontext())
    call: Callable[[], Any] = peer.about
    while True:
        what, *arguments = pipe.recv()
        if what == "about":
            pipe.send(peer.about())
        elif what == "prepare":
            (point,) = arguments
            workload = make_workload(point)
            try:
                call, outputs = peer.prepare(workload)
                pipe.send((None if outputs is None else workload.error(outputs), ""))
            except (ArithmeticError, NotImplementedError) as error:
                pipe.send((None, str(error)))
        else:
            with around(point):
                pipe.send(_median(call, *arguments))


def _median(call: Callable[[], Any], seconds: float) -> float:
    """Return the median time of a call in seconds, over `seconds` and at least three spans of calls.

    A single span is enough if a call takes longer than `seconds`. A fifth of the time is spent on warm-up first.
    """

    def span(calls: int) -> float:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - begin) / calls

    time.sleep(_SETTLE_SECONDS)
    begin, each = time.perf_counter(), span(1)
    while time.perf_counter() < begin + seconds / 5:
        each = span(1)
    calls = max(1, round(_SPAN_SECONDS / each))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < (3 if each < seconds else 1) or time.perf_counter() < end:
        times.append(span(calls))
    return statistics.median(times)
