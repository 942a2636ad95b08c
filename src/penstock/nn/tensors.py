"""How the engine reads PyTorch's tensors."""

import torch
from torch.nn.parameter import Parameter

from penstock.engine._native import NativeTensors

__all__ = ["native_tensors"]

# The exchange API came with PyTorch 2.10; without it, each tensor is asked for its attributes.
_exchange = getattr(torch.Tensor, "__dlpack_c_exchange_api__", None)

native_tensors = NativeTensors(torch.Tensor, Parameter, torch.float32, _exchange)
