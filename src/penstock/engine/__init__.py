"""The native engine: recurrent layers on NumPy arrays and raw addresses, the same bits on every path."""

from penstock.engine._native import instruction_set, runs_here
from penstock.engine.functions import Linear, sigmoid, softmax, tanh
from penstock.engine.layer import Layer
from penstock.engine.step import Step
from penstock.engine.threads import get_num_threads, set_num_threads

__all__ = [
    "Layer",
    "Linear",
    "Step",
    "get_num_threads",
    "instruction_set",
    "runs_here",
    "set_num_threads",
    "sigmoid",
    "softmax",
    "tanh",
]
