"""The engine's thread count: PENSTOCK_NUM_THREADS, or the cores that CPU affinity and cgroup allow the process."""

import os
from collections.abc import Iterable
from pathlib import Path

from penstock.checks import check_whole
from penstock.errors import ConfigError

_MAXIMUM = 1024  # the engine itself uses 256 at most
_chosen: int | None = None


def get_num_threads() -> int:
    """Return the number of threads that engine calls use; results never depend on it.

    Examples:
        >>> from penstock.engine import get_num_threads
        >>> get_num_threads() >= 1
        True
    """
    global _chosen
    if _chosen is None:
        variable = os.environ.get("PENSTOCK_NUM_THREADS")
        _chosen = _allowed_cores() if variable is None else _parsed(variable, "PENSTOCK_NUM_THREADS")
    return _chosen


def set_num_threads(threads: int) -> None:
    """Set the number of threads, 1 or more, that engine calls use from the next call on.

    Raises:
        ConfigError: `threads` is not an integer from 1 to 1024.

    Examples:
        >>> from penstock.engine import get_num_threads, set_num_threads
        >>> set_num_threads(get_num_threads())  # as many as before
    """
    global _chosen
    _chosen = check_whole("threads", threads, at_least=1, at_most=_MAXIMUM)


def _checked(threads: int, name: str) -> int:
    if not 1 <= threads <= _MAXIMUM:
        raise ConfigError(f"{name} must be a whole number from 1 to {_MAXIMUM}; got {threads!s:.40}.")
    return threads


def _parsed(text: str, name: str) -> int:
    try:
        threads = int(text)
    except ValueError:
        raise ConfigError(f"{name} must be a whole number from 1 to {_MAXIMUM}; got {text!r:.40}.") from None
    return _checked(threads, name)


def _cores(cpus: Iterable[int], root: Path = Path("/sys/devices/system/cpu")) -> int:
    """Count the physical cores of these CPUs: hyperthreads share a core's multiply-add units and gain nothing here."""
    siblings = [root / f"cpu{cpu}" / "topology" / "thread_siblings_list" for cpu in cpus]
    return len({path.read_text() if path.is_file() else path for path in siblings})


def _allowed_cores() -> int:
    cores = _cores(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = Path("/sys/fs/cgroup/cpu.max")  # cgroup v2: "quota period" in microseconds, or "max period"
    if limit.is_file():
        quota, period = limit.read_text().split()
        if quota != "max":
            cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores
