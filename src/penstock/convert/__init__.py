"""Models from other libraries, and for other runtimes.

`importing` makes a `network.Graph` and its tensors from a model of another library; `exporting` writes a graph for
another runtime. Both need nothing of training.
"""

from penstock.convert.exporting.c import to_c
from penstock.convert.exporting.onnx_file import to_onnx
from penstock.convert.exporting.openvino_file import to_openvino
from penstock.convert.exporting.torch_file import to_torch
from penstock.convert.importing.keras import from_keras
from penstock.convert.importing.onnx import from_onnx
from penstock.convert.importing.torch import from_torch

__all__ = ["from_keras", "from_onnx", "from_torch", "to_c", "to_onnx", "to_openvino", "to_torch"]
