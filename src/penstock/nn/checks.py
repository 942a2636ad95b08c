"""Checks of arguments to recurrent layers, with PyTorch's error types and messages."""

from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch import Tensor

from penstock.errors import ConfigError
from penstock.nn.layer_spec import Layout
from penstock.nn.paths import is_plain

if TYPE_CHECKING:
    from penstock.nn.layer import RecurrentLayers

__all__ = [
    "check_memory",
    "check_packed",
    "check_types",
    "refuse_projection",
    "refuse_shapes",
    "states_of",
]


def refuse_projection(proj_size: object) -> None:
    """Raise, like PyTorch, if RNN or GRU gets `proj_size`."""
    if proj_size is not None:
        raise ConfigError("proj_size argument is only supported for LSTM, not RNN or GRU")


def refuse_shapes(module: "RecurrentLayers", x: Tensor, state: tuple[Tensor, ...], layout: Layout) -> NoReturn:
    """Raise an error that says which shape is wrong.

    Raises:
        RuntimeError, ValueError: like PyTorch.
    """
    module._update_flat_weights()
    module.check_input(x, layout.batch_sizes)
    bound = module._bound[0]
    if len(state) != len(bound.state_sizes):
        names = ", ".join(f"{name}_0" for name in bound.kind.declaration.states)
        raise RuntimeError(f"hx must be ({names}); got {len(state)} tensors")
    rows = module.num_layers * bound.directions
    for k, (each, size) in enumerate(zip(state, bound.state_sizes, strict=True)):
        name = f"hidden[{k}]" if len(state) > 1 else "hidden"
        module.check_hidden_size(each, (rows, layout.batch, size), f"Expected {name} size {{}}, got {{}}")
    raise RuntimeError(f"input {tuple(x.shape)} does not match {module}")


def states_of(hx: Any) -> tuple[Any, ...]:
    """Return the initial states as a tuple: empty for None, one element for a tensor.

    Raises:
        RuntimeError: hx is not None, a tensor or a tuple of tensors.
    """
    if hx is None:
        return ()
    if isinstance(hx, Tensor | torch.fx.Proxy):
        return (hx,)
    if not isinstance(hx, tuple | list):
        raise RuntimeError(f"hx must be a tensor, or a tuple of tensors; got {type(hx).__name__}")
    return tuple(hx)


def check_types(x: Tensor, state: tuple[Tensor, ...], dtype: torch.dtype) -> None:
    """Check that input and states have the weights' dtype and are on one device.

    Raises:
        RuntimeError, ValueError: like PyTorch.
    """
    if x.dtype != dtype:
        raise ValueError(
            f"RNN input dtype ({x.dtype}) does not match weight dtype ({dtype}). "
            f"Convert input: input.to({dtype}), or convert model: model.to({x.dtype})"
        )
    for each in state:
        if each.dtype != x.dtype or each.device != x.device:
            raise RuntimeError(
                f"Input and hidden tensors must have the same dtype and device; got input {x.dtype} on {x.device},"
                f" hidden {each.dtype} on {each.device}"
            )


def check_memory(*tensors: Tensor) -> None:
    """Check that the tensors' storages hold all their elements; PyTorch reads past a storage that was freed or resized.

    Only ordinary tensors in CPU memory are checked.

    Raises:
        RuntimeError: a storage is too small.
    """
    if torch.compiler.is_compiling() or not is_plain():
        return
    for tensor in tensors:
        if type(tensor) not in (Tensor, torch.nn.Parameter) or not tensor.is_cpu or tensor.layout is not torch.strided:
            continue
        last = sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
        needed, held = (tensor.storage_offset() + last + 1) * tensor.element_size(), tensor.untyped_storage().nbytes()
        if tensor.numel() and needed > held:
            raise RuntimeError(
                f"a tensor {tuple(tensor.shape)} needs {needed} bytes; its storage, freed or resized, has {held}"
            )


def check_packed(x: Tensor, batch_sizes: Tensor, *indices: Tensor | None) -> None:
    """Check that this could be a result of `pack_padded_sequence`.

    Args:
        x: (rows, features).
        batch_sizes: (steps,), the number of sequences at each step.
        indices: (batch,) each, or None.

    Raises:
        RuntimeError, ValueError: it is not.
    """
    if not isinstance(x, Tensor) or not isinstance(batch_sizes, Tensor):
        raise ValueError(f"a PackedSequence holds tensors; got {type(x).__name__} and {type(batch_sizes).__name__}")
    if batch_sizes.dtype != torch.int64 or batch_sizes.dim() != 1 or not batch_sizes.is_cpu or len(batch_sizes) == 0:
        raise ValueError(
            "batch_sizes of a PackedSequence must be (steps,) int64 on the CPU, one step or more; got "
            f"{tuple(batch_sizes.shape)} {batch_sizes.dtype} on {batch_sizes.device}"
        )
    check_memory(batch_sizes)
    if (batch_sizes < 0).any() or (batch_sizes.diff() > 0).any() or int(batch_sizes.sum()) != x.shape[0]:
        raise RuntimeError(
            "batch_sizes of a PackedSequence must be 0 or more, must not grow from step to step, and must add up to "
            f"the {x.shape[0]} rows of its data. Make it with pack_padded_sequence or pack_sequence."
        )
    for each in indices:
        if each is not None:
            check_memory(each)
            if each.shape != (int(batch_sizes[0]),):
                raise RuntimeError(
                    f"indices of a PackedSequence must be (batch={int(batch_sizes[0])},); got {tuple(each.shape)}"
                )
