"""Shared by the programs in this folder: their arguments, and a results file that allows them to resume."""

import argparse
import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import penstock

__all__ = ["Runs", "argument_parser", "parsed"]

SEEDS = (0, 1, 2)
# The packages whose sources determine the result of any training; a program names those of its family besides.
_DECIDES = ("cells", "datasets", "engine", "features", "heads", "network", "nn", "runtime", "tasks", "training")


def argument_parser(doc: str | None, sets: Collection[str] = ()) -> argparse.ArgumentParser:
    """Make a parser of --data, --out, --seeds and, if there are sets, --only.

    Args:
        doc: the program's docstring; its first line is the description.
        sets: the names that --only takes.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0] if doc else None)
    parser.add_argument("--data", type=Path, default=os.environ.get("PENSTOCK_DATA"), help="the folder of data sets")
    parser.add_argument("--out", type=Path, required=True, help="the results, JSON; taken up if it is there")
    parser.add_argument("--seeds", nargs="*", type=int, default=list(SEEDS))
    if sets:
        parser.add_argument("--only", nargs="*", default=[], choices=list(sets), metavar="SET", help="some sets only")
    return parser


def parsed(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Parse the arguments and check that `data` is an existing folder."""
    arguments = parser.parse_args()
    if arguments.data is None or not Path(arguments.data).is_dir():
        parser.error("--data, or PENSTOCK_DATA, must be the folder of data sets")
    arguments.data = Path(arguments.data)
    return arguments


class Runs:
    """The runs in a results file; a run with the same sources and options is not repeated.

    Args:
        path: the file, rewritten after each run.
        family: the packages whose sources determine results besides those of every training.
    """

    def __init__(self, path: Path, *family: str) -> None:
        self._path = path
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        self._results = json.loads(path.read_text()) if path.exists() else {"machine": machine, "runs": {}}
        self._sources = hashlib.sha256()
        for file in sorted(Path(penstock.__file__).parent.rglob("*.py")):
            if file.parent.name in (*_DECIDES, *family):
                self._sources.update(file.read_bytes())

    def __call__(
        self, name: str, seeds: Iterable[int], options: Any, run: Callable[[int], dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """Return the results for these seeds: from the file, else from `run(seed)`, whose result is then stored."""
        digest = self._sources.copy()
        digest.update(json.dumps(options, sort_keys=True).encode())
        known, found = self._results["runs"], []
        for seed in seeds:
            key = f"{name}, seed {seed}, sources {digest.hexdigest()[:8]}"
            if key not in known:
                known[key] = run(seed)
                self._write()
            print(f"{key}: {known[key]}", file=sys.stderr, flush=True)
            found.append(known[key])
        return found

    def _write(self) -> None:
        beside = self._path.with_name(f".{self._path.name}.new")
        beside.write_text(json.dumps(self._results, indent=1, ensure_ascii=False) + "\n")
        beside.replace(self._path)
