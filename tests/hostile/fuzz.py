"""Gives damaged files to every reader: it may read or refuse them, but not fail, hang or take much memory.

    python tests/hostile/fuzz.py [--seconds N] [--seed N] [--only NAME ... | --quick] [--atheris]

Damage is drawn by Hypothesis, or with `--atheris` by coverage, where Atheris is installed (it then fuzzes the one
first reader of `--only`). A fault is printed with the file that caused it, in base64; keep it as a test.
"""

import argparse
import base64
import faulthandler
import json
import random
import resource
import sys
import tempfile
import time
import traceback
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure

sys.path.append(str(Path(__file__).parents[1] / "contracts"))  # small_trainings
if "--atheris" in sys.argv:  # it counts the branches of what is imported here
    import atheris

    with atheris.instrument_imports(include=["penstock"]):
        import files
        import task_files
        import trained
else:
    import files
    import task_files
    import trained

__all__ = ["Fault", "damaged", "tried"]

TARGETS = files.TARGETS | task_files.TARGETS | trained.TARGETS
SLOW_SECONDS = 20
"""More than any file of a few kilobytes may take, on a busy machine."""
MEMORY = 16 << 30
INTERESTING = [
    *(number.to_bytes(size, order) for size in (1, 2, 4, 8) for order in ("little", "big")
      for number in (0, 1, (1 << 8 * size) - 1, (1 << 8 * size - 1) - 1, 1 << 8 * size - 1)),
    *(b"-1", b"1e999", b"9" * 400, b"9" * 5000, b"[" * 5000, b'{"a":' * 2000, b"null", b"true", b"NaN", b"\0"),
    *(b"\xff\xfe", b"\n"),
    *(b'"', b",", b"\t", b"\r", b" ", b"../../etc/passwd", "𝔘".encode(), b"\xed\xa0\x80"),
]  # fmt: skip


def nested(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth):
        found = [found]
    return found


VALUES: list[object] = [
    *(None, True, -1, 0, 1, 2, 1.5, 2**31, 2**40, 10**30, 10**400, 1e308, float("nan"), float("inf")),
    *(nested(depth) for depth in (100, *range(800, 980, 20))),
    *("", "22", "x" * 5000, "\ud800", "../../etc/passwd", [], [None], [0], [[]], {}, {"kind": "x"}, [1, "a"]),
]


class Fault(Exception):  # noqa: N818  # the finding itself
    """A reader failed, or took too long."""


def changes() -> st.SearchStrategy[list[tuple[str, int, int, int]]]:
    kinds = st.sampled_from(["flip", "cut", "drop", "insert", "overwrite", "repeat", "word", "value"])
    places = st.integers(0, 2**16)
    return st.lists(st.tuples(kinds, places, places, places), max_size=4)


def damaged(data: bytes, drawn: list[tuple[str, int, int, int]]) -> bytes:
    """Apply changes to a file."""
    found = bytearray(data)
    for kind, place, size, which in sorted(drawn, key=lambda change: change[0] != "value"):  # while it is JSON
        at, piece = place % (len(found) + 1), INTERESTING[which % len(INTERESTING)]
        until = at + 1 + size % 32
        if kind == "flip" and at < len(found):
            found[at] ^= 1 << which % 8
        elif kind == "cut":
            del found[at:]
        elif kind == "drop":
            del found[at:until]
        elif kind == "insert":
            found[at:at] = piece
        elif kind == "overwrite":
            found[at : at + len(piece)] = piece
        elif kind == "repeat":
            found[at:at] = found[at:until] * (1 + which % 50)
        elif kind == "word":  # a number of a text, which may be a size
            digits = [place for place, byte in enumerate(found) if 48 <= byte <= 57]
            if digits:
                at = digits[which % len(digits)]
                found[at : at + 1] = piece
        elif kind == "value":
            found = _with_value(found, place, VALUES[which % len(VALUES)])
    return bytes(found)


def _with_value(data: bytearray, place: int, value: object) -> bytearray:
    """JSON with another value at one of its places; other data as it is."""
    try:
        tree = [json.loads(data)]
    except (ValueError, RecursionError):
        return data
    places: list[tuple[Any, Any]] = []
    waiting: list[Any] = [tree]
    while waiting:
        each = waiting.pop()
        keys = list(each) if isinstance(each, dict) else range(len(each))
        places += [(each, key) for key in keys]
        waiting += [each[key] for key in keys if isinstance(each[key], dict | list)]
    within, key = places[place % len(places)]
    within[key] = value
    try:
        return bytearray(json.dumps(tree[0]).encode())
    except RecursionError:
        return data


def tried(name: str, target: files.Target, data: bytes) -> bool:
    """Whether a reader took a file; Fault if it failed."""
    start, before = time.monotonic(), peak()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = files.taken(target, data)
    except (Exception, SystemExit) as error:
        raise Fault(f"{name}: {traceback.format_exc()}\n{base64.b64encode(data).decode():.8000}") from error
    if (seconds := time.monotonic() - start) > SLOW_SECONDS:
        raise Fault(f"{name}: {seconds:.1f} s for {len(data)} bytes\n{base64.b64encode(data).decode():.8000}")
    if (grown := peak() - before) > target.memory:
        raise Fault(f"{name}: {grown >> 20} MiB for {len(data)} bytes\n{base64.b64encode(data).decode():.8000}")
    return found


def peak() -> int:
    """The most bytes that this process has taken so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


@cache
def seeds_of(name: str) -> list[bytes]:
    return TARGETS[name].seeds()


def by_hypothesis(name: str, target: files.Target, examples: int, start: int) -> tuple[int, int]:
    """Try files that Hypothesis draws; return how many, and how many of them were read all the same."""
    counts, seeds = [0, 0], seeds_of(name)
    for data in seeds:  # not timed, because the first one imports what its reader needs
        assert files.taken(target, data), f"{name}: a file is refused before it is damaged"

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=[*HealthCheck],
    )
    @given(which=st.integers(0, len(seeds) - 1), drawn=changes())
    def throw(which: int, drawn: list[tuple[str, int, int, int]]) -> None:
        counts[0] += 1
        counts[1] += tried(name, target, damaged(seeds[which], drawn))

    throw()
    return counts[0], counts[1]


def by_atheris(name: str, target: files.Target, seconds: float) -> None:
    """Let coverage of the readers lead the damage; ends the process."""
    with tempfile.TemporaryDirectory() as corpus:
        with atheris.instrument_imports(include=["penstock"]):
            for number, data in enumerate(seeds_of(name)):
                Path(corpus, str(number)).write_bytes(data)
                files.taken(target, data)  # imports the reader
        limits = [f"-max_total_time={max(1, round(seconds))}", "-rss_limit_mb=0"]
        atheris.Setup([sys.argv[0], corpus, *limits], lambda data: tried(name, target, data) and None)
        atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    parser.add_argument("--only", choices=TARGETS, nargs="+")
    parser.add_argument("--quick", action="store_true", help="only readers for which nothing is trained or exported")
    parser.add_argument("--files", type=int, default=20, help="of a reader in a row")
    parser.add_argument("--atheris", action="store_true")
    options = parser.parse_args()
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    chosen = options.only or (files.TARGETS if options.quick else TARGETS)
    targets = {name: TARGETS[name] for name in chosen}
    if options.atheris:
        by_atheris(*next(iter(targets.items())), options.seconds)
    print(f"seed {options.seed}", flush=True)
    end, number, totals = time.monotonic() + options.seconds, options.seed, dict.fromkeys(targets, (0, 0))
    faults = set[str]()
    while time.monotonic() < end or not all(files for files, _ in totals.values()):
        for name in [name for name in targets if name not in faults]:
            if time.monotonic() > end and totals[name][0]:
                continue
            try:
                found = by_hypothesis(name, targets[name], options.files, number)
                totals[name] = (totals[name][0] + found[0], totals[name][1] + found[1])
            except (Fault, FlakyFailure) as fault:  # memory that was taken once is not taken again
                faults.add(name)
                totals[name] = (totals[name][0] + 1, totals[name][1])
                print(*getattr(fault, "exceptions", [fault]), flush=True)
        number += 1
    print("files tried (and read all the same):", *(f"{name} {n} ({m})" for name, (n, m) in totals.items()))
    print(f"faults in {', '.join(sorted(faults))}" if faults else "unharmed")
    return len(faults)


if __name__ == "__main__":
    sys.exit(main())
