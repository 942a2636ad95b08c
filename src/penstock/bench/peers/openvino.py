"""OpenVINO's CPU plugin, set to low latency and float32."""

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino

from penstock.bench.peers.onnx_model import as_onnx
from penstock.bench.workload import Workload

__all__ = ["about", "prepare", "set_threads"]

_threads = 1


def about() -> str:
    """Name and version."""
    return f"OpenVINO {openvino.__version__.split('-')[0]}"


def set_threads(threads: int) -> None:
    """Set the threads of models compiled from now on."""
    global _threads
    _threads = threads


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call and its outputs."""
    if workload.point.what == "train":
        raise NotImplementedError("OpenVINO does not train")
    model, inputs = as_onnx(workload)
    core = openvino.Core()
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": _threads,
    }
    request = core.compile_model(core.read_model(model), "CPU", settings).create_infer_request()
    y = np.array(request.infer(inputs, share_inputs=True)[0])
    return lambda: request.infer(inputs, share_inputs=True), y[:, 0]
