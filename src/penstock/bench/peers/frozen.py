"""Penstock's layers inside PyTorch, frozen: weights are not checked for changes."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

import penstock.nn
from penstock import __version__, engine
from penstock.bench.peers.nn import set_threads
from penstock.bench.peers.torch import around, prepare_layers
from penstock.bench.workload import Workload

__all__ = ["about", "around", "prepare", "set_threads"]


def about() -> str:
    """Name, version and instruction set."""
    return f"penstock.nn {__version__}, frozen ({engine.instruction_set()})"


def _frozen(layer: type[Any]) -> Callable[..., Any]:
    return lambda *arguments, **options: layer(*arguments, **options).freeze()


_LAYERS = SimpleNamespace(**{name: _frozen(getattr(penstock.nn, name)) for name in ("RNN", "LSTM", "GRU")})


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call and its outputs."""
    return prepare_layers(workload, _LAYERS)
