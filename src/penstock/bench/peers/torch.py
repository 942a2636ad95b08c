"""PyTorch's own layers: inference without gradients, packed sequences for different lengths."""

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from penstock.bench.points import Point
from penstock.bench.workload import Workload

__all__ = ["about", "around", "prepare", "set_threads"]


def about() -> str:
    """Name and version."""
    return f"PyTorch {torch.__version__}"


def set_threads(threads: int) -> None:
    """Set the threads of PyTorch's operators."""
    torch.set_num_threads(threads)


def around(point: Point) -> AbstractContextManager[object]:
    """No gradients, except in training."""
    return torch.inference_mode(point.what != "train")


def prepare(workload: Workload) -> tuple[Callable[[], Any], np.ndarray | None]:
    """Return the call and its outputs."""
    return prepare_layers(workload, torch.nn)


def prepare_layers(workload: Workload, library: Any) -> tuple[Callable[[], Any], np.ndarray | None]:
    """As `prepare`, for `torch.nn` and drop-in replacements: with `lengths` if supported, else packed sequences."""
    point = workload.point
    layer = _layer(library, point)
    layer.load_state_dict(
        {
            f"{name}_l{depth}{suffix}": torch.from_numpy(array)
            for depth, directions in enumerate(workload.all_weights)
            for suffix, weights in zip(("", "_reverse"), directions, strict=False)
            for name, array in weights.items()
        }
    )
    x = torch.from_numpy(workload.x)
    lengths = None if workload.lengths is None else torch.from_numpy(workload.lengths)

    def outputs(module: Any, data: torch.Tensor, *state: Any) -> torch.Tensor:
        if lengths is None:
            return module(data, *state)[0]
        if "lengths" in inspect.signature(type(module).forward).parameters:
            return module(data, *state, lengths=lengths)[0]
        packed = module(pack_padded_sequence(data, lengths), *state)[0]
        return pad_packed_sequence(packed, total_length=point.time)[0]

    if point.what == "train":
        return _training(workload, layer, x, outputs), None
    zeros = torch.zeros(1, point.batch, point.hidden)
    state: tuple[Any, ...] = ()
    if point.what == "step":
        state = ((zeros, zeros) if point.cell == "lstm" else zeros,)

    def infer() -> torch.Tensor:
        return outputs(layer, x, *state)

    with around(point):
        return infer, infer().numpy()


def _layer(library: Any, point: Point) -> Any:
    make = getattr(library, point.cell.upper())
    return make(point.input, point.hidden, point.layers, bidirectional=point.directions == 2)


def _training(
    workload: Workload, layer: Any, x: torch.Tensor, outputs: Callable[..., torch.Tensor]
) -> Callable[[], Any]:
    """Return a call that runs forward and backward, after checking gradients against PyTorch's layer in float64.

    Raises:
        ArithmeticError: the gradients are wrong.
    """
    exact = _layer(torch.nn, workload.point).double()
    exact.load_state_dict({name: value.double() for name, value in layer.state_dict().items()})

    def train(module: Any, data: torch.Tensor, dy: torch.Tensor) -> list[torch.Tensor]:
        module.zero_grad(set_to_none=True)
        data.grad = None
        outputs(module, data).backward(dy)
        return [data.grad, *(each.grad for each in module.parameters())]

    dy, data = torch.from_numpy(workload.dy), x.clone().requires_grad_()
    wanted = train(exact, x.double().requires_grad_(), dy.double())
    worst = max(float((a - b).abs().max() / b.abs().max()) for a, b in zip(train(layer, data, dy), wanted, strict=True))
    if not worst < 1e-4:
        raise ArithmeticError(f"gradients differ by {worst:.1e} from float64")
    return lambda: train(layer, data, dy)
