"""ONNX Runtime's CPU kernels for RNN, LSTM and GRU."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime

from penstock.bench.peers.onnx_model import as_onnx
from penstock.bench.workload import Workload

__all__ = ["about", "prepare", "set_threads"]

_threads = 1


def about() -> str:
    """Name and version."""
    return f"ONNX Runtime {onnxruntime.__version__}"


def set_threads(threads: int) -> None:
    """Set the threads within an operator, for sessions created from now on."""
    global _threads
    _threads = threads


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call and its outputs."""
    if workload.point.what == "train":
        raise NotImplementedError("ONNX Runtime does not train recurrent layers")
    model, inputs = as_onnx(workload)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _threads
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs), session.run(None, inputs)[0][:, 0]
