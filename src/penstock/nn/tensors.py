"""The engine's access to PyTorch tensors."""

from penstock.engine._native import NativeTensors

__all__ = ["native_tensors"]

native_tensors = NativeTensors()
