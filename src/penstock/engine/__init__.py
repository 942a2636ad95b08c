"""The native engine: recurrent layers on NumPy arrays, with bit-identical results on every code path."""

import os

from penstock.engine._native import instruction_set, runs_here
from penstock.engine.backends import Backend, backend
from penstock.engine.equations import EquationLayer, EquationStreams
from penstock.engine.functions import Linear, sigmoid, softmax, tanh
from penstock.engine.layer import FORMS, Layer
from penstock.engine.step import StackStep, Step, Trace
from penstock.engine.streams import Streams
from penstock.engine.threads import get_num_threads, set_num_threads
from penstock.errors import ConfigError

__all__ = [
    "FORMS",
    "Backend",
    "EquationLayer",
    "EquationStreams",
    "Layer",
    "Linear",
    "StackStep",
    "Step",
    "Streams",
    "Trace",
    "backend",
    "get_num_threads",
    "instruction_set",
    "runs_here",
    "set_num_threads",
    "sigmoid",
    "softmax",
    "tanh",
]

_forced = os.environ.get("PENSTOCK_ISA")
if _forced is not None and not runs_here(_forced):
    _valid = [name for name in ("plain", "avx2", "avx512") if runs_here(name)]
    raise ConfigError(f"PENSTOCK_ISA must be one of {', '.join(_valid)} on this machine; got {_forced!r}. Unset it.")
