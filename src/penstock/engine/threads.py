"""How many threads the engine uses: PENSTOCK_NUM_THREADS, else the cores that affinity and cgroup grant the process."""

import os
from collections.abc import Iterable
from pathlib import Path

from penstock.errors import ConfigError

_chosen: int | None = None


def get_num_threads() -> int:
    """The number of threads of the engine's calls; results never depend on it."""
    global _chosen
    if _chosen is None:
        given = os.environ.get("PENSTOCK_NUM_THREADS")
        _chosen = _granted() if given is None else _checked(given, "PENSTOCK_NUM_THREADS")
    return _chosen


def set_num_threads(threads: int) -> None:
    """Use `threads` (1 or more) threads from the next call on.

    Raises:
        ConfigError: `threads` is not a whole number of 1 or more.
    """
    global _chosen
    _chosen = _checked(threads, "threads")


def _checked(value: int | str, name: str) -> int:
    try:
        threads = int(value)
    except ValueError:
        threads = 0
    if threads < 1:
        raise ConfigError(f"{name} must be a whole number of 1 or more; got {value!r}.")
    return threads


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
