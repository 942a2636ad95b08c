"""Penstock as users run it: single steps with `engine.Step`, other work with the layers inside PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from penstock import __version__, engine
from penstock.bench.peers import nn
from penstock.bench.workload import Workload

__all__ = ["about", "around", "prepare", "set_threads"]

around, set_threads = nn.around, nn.set_threads


def about() -> str:
    """Name, version and instruction set."""
    return f"Penstock {__version__} ({engine.instruction_set()})"


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call and its outputs. A step has preallocated arrays and carries its state itself."""
    point = workload.point
    if point.what != "step":
        return nn.prepare(workload)
    layer = engine.Layer(point.cell, point.input, point.hidden)
    layer.load(workload.weights)
    step, row = engine.Step([layer], point.batch), workload.x[0]
    first = step(row).copy()[None]
    return lambda: step(row), first
