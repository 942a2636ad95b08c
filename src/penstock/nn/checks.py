"""What does not fit a recurrent layer, said with PyTorch's types of errors and words."""

from typing import TYPE_CHECKING, NoReturn

import torch
from torch import Tensor

from penstock.errors import ConfigError
from penstock.nn.plan import Layout

if TYPE_CHECKING:
    from penstock.nn.layer import Recurrent

__all__ = ["check_types", "refuse_projection", "refuse_shapes"]


def refuse_projection(proj_size: object) -> None:
    """RNN and GRU take the word `proj_size` only to say, as PyTorch does, that it isn't theirs."""
    if proj_size is not None:
        raise ConfigError("proj_size argument is only supported for LSTM, not RNN or GRU")


def refuse_shapes(module: "Recurrent", x: Tensor, state: tuple[Tensor, ...], layout: Layout) -> NoReturn:
    """Say which shape is wrong; one is.

    Raises:
        RuntimeError, ValueError: as PyTorch does.
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
    raise RuntimeError(f"input {tuple(x.shape)} does not fit {module}")


def check_types(x: Tensor, state: tuple[Tensor, ...], dtype: torch.dtype) -> None:
    """Do input and states have the dtype of the weights, and one device?

    Raises:
        RuntimeError, ValueError: as PyTorch does.
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
