"""How a call is computed: by the engine, by cuDNN or by the reference equations."""

from collections.abc import Iterable
from typing import Literal

import torch
from torch import Tensor
from torch._subclasses import FakeTensor
from torch.autograd import forward_ad
from torch.nn.parameter import Parameter

from penstock.nn.layer_spec import LayerSpec

__all__ = ["Path", "find_path", "is_exporting", "is_plain", "is_traced"]

Path = Literal["native", "cudnn", "reference", "onnx"]

# Subclasses may interpret their data differently, or have none.
_TYPES = (Tensor, Parameter)
_EXPORTED_TYPES = (*_TYPES, FakeTensor)  # what torch.export passes through a model

_interpreter = torch._C._functorch.peek_interpreter_stack
_tracing_state = torch._C._get_tracing_state
_dispatch_modes = torch._C._len_torch_dispatch_stack
is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)  # since PyTorch 2.7; before, the equations


def is_plain() -> bool:
    """Whether tensors are ordinary: no transform, tracer, dispatch mode or dual numbers are active."""
    return (
        _interpreter() is None and _tracing_state() is None and _dispatch_modes() == 0 and forward_ad._current_level < 0
    )


def is_traced() -> bool:
    """Whether torch.jit.trace is recording; the TorchScript-based ONNX exporter uses it too."""
    return _tracing_state() is not None


def _is_exporting_to_onnx() -> bool:
    return torch.onnx.is_in_onnx_export()


# What torch.compiler.assume_constant_result does, without importing torch._dynamo, which takes two seconds. A strict
# export would find the result false otherwise.
_is_exporting_to_onnx._dynamo_marked_constant = True  # type: ignore[attr-defined]


def find_path(kind: LayerSpec, x: Tensor, state: Iterable[Tensor], weights: Iterable[Tensor]) -> Path:
    """Choose how to compute a call: the engine for float32 on a CPU, cuDNN for its cells on a GPU, otherwise equations.

    torch.compile and torch.export put the engine into their graphs as one operator, and the ONNX exporter that builds
    on torch.export gets a node of ONNX; other tracers and transforms see the equations.
    """
    types: tuple[type, ...] = _TYPES
    if torch.compiler.is_compiling():
        plain = True
        if is_exporting():
            types = _EXPORTED_TYPES
            if _is_exporting_to_onnx():
                return "onnx"
    else:
        plain = is_plain()
        if plain and x.is_cuda and kind.is_torch:
            return "cudnn"
    if not plain or not kind.is_native or x.numel() == 0:
        return "reference"
    for tensor in (x, *state, *weights):
        if type(tensor) not in types or tensor.dtype is not torch.float32 or not tensor.is_cpu:
            return "reference"
    return "native"
