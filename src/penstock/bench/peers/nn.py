"""Penstock's layers inside PyTorch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import penstock.nn
from penstock import __version__, engine
from penstock.bench.peers.torch import around, prepare_layers
from penstock.bench.workload import Workload

__all__ = ["about", "around", "prepare", "set_threads"]


def about() -> str:
    """Name, version and instruction set."""
    return f"penstock.nn {__version__} ({engine.instruction_set()})"


def set_threads(threads: int) -> None:
    """Set the threads of PyTorch's operators and of the engine."""
    torch.set_num_threads(threads)
    engine.set_num_threads(threads)


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call and its outputs."""
    return prepare_layers(workload, penstock.nn)
