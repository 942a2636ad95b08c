"""Timing side by side: each peer in a process of its own, rounds interleaved, ratios by round.

Spinning thread pools slow their neighbours, so the peers that are not timed wait on a pipe. A round times all of them
in one order and then in the opposite one (A B C C B A), and what the machine could do at best; a point's ratio is the
median over the rounds of a peer's time divided by ours. A point whose outputs are wrong is not reported.
"""

import multiprocessing as mp
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from penstock.bench import peers as peers_room
from penstock.bench.floor import floor_seconds
from penstock.bench.points import Point
from penstock.bench.workload import make_workload
from penstock.errors import PenstockError

__all__ = ["Measured", "Side", "measure"]

# The worst difference from float64 that still counts as right: float32's rounding over a hundred steps.
_TOLERANCE = 1e-4
# Other libraries' threads spin for some milliseconds after their last call.
_SETTLE_SECONDS = 0.02
# Short calls are timed several at once, so that reading the clock costs nothing beside them.
_SPAN_SECONDS = 2e-5


@dataclass(frozen=True)
class Measured:
    """One point, as measured.

    seconds: each peer's median time of a call
    ratios: each peer's time divided by ours, (least, median, most) over the rounds
    share: the machine's best time divided by ours, the median over the rounds
    errors: the largest difference of the outputs from float64, where outputs were given
    left_out: peers that can't do this, and why
    """

    point: Point
    seconds: dict[str, float]
    ratios: dict[str, tuple[float, float, float]]
    share: float
    errors: dict[str, float]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def best_peer(self) -> str | None:
        """The fastest of the others at this point."""
        return min(self.ratios, key=lambda name: self.ratios[name][1], default=None)

    def row(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"name": self.point.name, "gflops": self.point.flops / self.seconds["penstock"] / 1e9}


def measure(
    points: Iterable[Point], peers: list[str], *, threads: int, rounds: int, seconds: float, ours: str = "penstock"
) -> Iterator[Measured]:
    """Each point, as it is measured.

    Args:
        points: what is measured.
        peers: who is compared, from `PEERS`.
        threads: of each peer.
        rounds: how often, after a first one that is thrown away.
        seconds: of one timing of one peer.
        ours: who the others are compared with.

    Raises:
        PenstockError: our outputs are wrong, or a peer's process ended.
    """
    sides = {name: Side(name, threads) for name in (ours, *peers)}
    try:
        for point in points:
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
    taken: dict[str, list[float]] = {name: [] for name in able}
    shares: list[float] = []
    for number in range(rounds + 1):
        found: dict[str, list[float]] = {name: [] for name in able}
        for name in (*able, *reversed(able)):
            found[name].append(sides[name].ask("time", seconds))
        if number:  # the first round is warm-up
            for name in able:
                taken[name].append(statistics.mean(found[name]))
            shares.append(floor_seconds(point, threads) / taken[ours][-1])
    ratios = {name: [a / b for a, b in zip(taken[name], taken[ours], strict=True)] for name in able if name != ours}
    return Measured(
        point,
        {"penstock" if name == ours else name: statistics.median(times) for name, times in taken.items()},
        {name: (min(each), statistics.median(each), max(each)) for name, each in ratios.items()},
        statistics.median(shares),
        errors,
        left_out,
    )


class Side:
    """One peer in a process of its own."""

    def __init__(self, name: str, threads: int) -> None:
        context = mp.get_context("spawn")
        self.name, (self._pipe, there) = name, context.Pipe()
        self._process = context.Process(target=_serve, args=(name, threads, there), daemon=True)
        self._process.start()
        there.close()  # held by the process alone, so that its end is seen here
        self.about = self.ask("about")

    def ask(self, *request: Any) -> Any:
        """Send a request, wait for its answer."""
        try:
            self._pipe.send(request)
            return self._pipe.recv()
        except (EOFError, ConnectionError) as error:
            raise PenstockError(f"the process of {self.name} ended. Is the package whole?") from error

    def end(self) -> None:
        """Stop the process."""
        self._process.terminate()
        self._process.join()


def _serve(name: str, threads: int, pipe: Connection) -> None:
    """Answer requests: about -> words, (prepare, point) -> (error, why not), (time, seconds) -> median seconds."""
    peer = peers_room.load(name)
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
    """Median seconds of one call, over `seconds` and at least three spans, one of calls that take longer than that.

    Before them, a fifth of that time to warm up.
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
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < (3 if each < seconds else 1) or time.perf_counter() < end:
        taken.append(span(calls))
    return statistics.median(taken)
