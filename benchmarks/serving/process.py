"""Runs a server in a separate process."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path


def start_server(
    arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, *, port: int = 0
) -> tuple[subprocess.Popen[bytes], str]:
    """Run `penstock serve ARGUMENTS...`; return the process and its address when it is ready.

    Args:
        arguments: folders and flags.
        log: the file for its log.
        environment: variables in addition to those of this process.
        port: the port; 0 for a free one.
    """
    command = [sys.executable, "-m", "penstock", "serve", *arguments, "--port", str(port)]
    with open(log, "wb") as file:
        process = subprocess.Popen(
            command, stderr=file, start_new_session=True, env={**os.environ, **(environment or {})}
        )
    while process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{") and (event := json.loads(line))["event"] == "ready":
                return process, event["url"]
        time.sleep(0.05)
    raise SystemExit(f"the server did not start: {log.read_text()}")


def resident_bytes(process: int) -> int:
    """Return the resident memory of a process in bytes."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
