"""How many threads the engine uses: PENSTOCK_NUM_THREADS, else the cores that affinity and cgroup grant the process."""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from penstock.errors import ConfigError

_MOST = 1024  # of which the engine uses 256 at most
_chosen: int | None = None


def get_num_threads() -> int:
    """The number of threads of the engine's calls; results never depend on it."""
    global _chosen
    if _chosen is None:
        given = os.environ.get("PENSTOCK_NUM_THREADS")
        _chosen = _granted() if given is None else _read(given, "PENSTOCK_NUM_THREADS")
    return _chosen


def set_num_threads(threads: int) -> None:
    """Use `threads` (1 or more) threads from the next call on.

    Raises:
        ConfigError: `threads` is not a whole number from 1 to 1024.
    """
    global _chosen
    if isinstance(threads, bool) or not isinstance(threads, int | np.integer):
        raise ConfigError(f"threads must be a whole number from 1 to {_MOST}; got {threads!r:.40}.")
    _chosen = _checked(int(threads), "threads")


def _checked(threads: int, name: str) -> int:
    if not 1 <= threads <= _MOST:
        raise ConfigError(f"{name} must be a whole number from 1 to {_MOST}; got {threads!s:.40}.")
    return threads


def _read(text: str, name: str) -> int:
    try:
        threads = int(text)
    except ValueError:
        raise ConfigError(f"{name} must be a whole number from 1 to {_MOST}; got {text!r:.40}.") from None
    return _checked(threads, name)


def _cores(cpus: Iterable[int], root: Path = Path("/sys/devices/system/cpu")) -> int:
    """Cores that these CPUs are: two threads of one core share its multiply-adds, and gain nothing here."""
    siblings = [root / f"cpu{cpu}" / "topology" / "thread_siblings_list" for cpu in cpus]
    return len({path.read_text() if path.is_file() else path for path in siblings})


def _granted() -> int:
    cores = _cores(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = Path("/sys/fs/cgroup/cpu.max")  # cgroup v2: "quota period" in microseconds, or "max period"
    if limit.is_file():
        quota, period = limit.read_text().split()
        if quota != "max":
            cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores
