"""One layer on the engine, in the form that a call needs: without a graph, with a graph, or compiled."""

from typing import Any

import torch
from torch import Tensor

from penstock.cells import Draw
from penstock.nn import autograd, operator
from penstock.nn.autograd import Bound
from penstock.nn.checks import check_memory
from penstock.nn.layer_spec import BATCH_FIRST, TIME_MAJOR, Layout
from penstock.nn.paths import is_plain
from penstock.nn.tensors import native_tensors
from penstock.nn.threads import engine_threads

__all__ = ["layer", "quick_stack", "quick_step", "step"]

Bounds = tuple[Bound, ...]
Parameters = dict[str, Any]
Names = tuple[tuple[str, ...], ...]


def quick_stack(
    bounds: Bounds, x: Tensor, state: tuple[Tensor, ...], parameters: Parameters, names: Names, batch_first: bool
) -> tuple[Tensor, Any] | None:
    """Run a call directly on the engine if all tensors allow it; otherwise return None.

    x is (time, batch, input) or (batch, time, input), without lengths, dropout or masks of zoneout; `names` are the
    names of each layer's weights in a module's `_parameters`. Returns y and the final state or states. The engine
    checks the arguments, which is faster than checking them in Python.
    """
    if torch.compiler.is_compiling() or not is_plain():
        return None
    if not torch.is_grad_enabled():
        return native_tensors.dense(bounds, x, state, parameters, names, batch_first, engine_threads())
    if len(bounds) > 1 or not native_tensors.fits(bounds, x, state, parameters, names, batch_first):
        return None
    weights = [parameters[name] for name in names[0]]
    if not _any_requires_grad(*weights):
        return None
    first, second = x.shape[:2]
    layout = Layout(BATCH_FIRST, second, first) if batch_first else Layout(TIME_MAJOR, first, second)
    y, *final = autograd.Sweep.apply(bounds[0], layout, None, len(state), x, *state, *weights)
    return y, final[0] if len(final) == 1 else tuple(final)


def quick_step(
    bounds: Bounds, x: Tensor, state: tuple[Tensor, ...], parameters: Parameters, names: Names
) -> tuple[Tensor, ...] | None:
    """The same for one step of one layer: x (batch, input) -> new states."""
    if torch.compiler.is_compiling() or torch.is_grad_enabled() or not is_plain():
        return None
    return native_tensors.step(bounds, x, state, parameters, names, engine_threads())


def layer(
    bound: Bound,
    layout: Layout,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: list[Tensor],
    draw: Draw | None = None,
) -> tuple[Tensor, ...]:
    """Run one layer in one or two directions; arguments and results as in `reference.layer`, float32 on the CPU."""
    x, state, weights = _dense(x), tuple([_dense(each) for each in state]), [_dense(each) for each in weights]
    needs_graph = torch.is_grad_enabled() and _any_requires_grad(x, *state, *weights)
    if torch.compiler.is_compiling():
        return operator.sweep(bound.spec, layout, x, state, weights, draw, needs_graph)
    if needs_graph:
        return autograd.Sweep.apply(bound, layout, draw, len(state), x, *state, *weights)
    return autograd.run(bound, layout, x, state, weights, training=False, draw=draw)


def step(
    bound: Bound, x: Tensor, state: tuple[Tensor, ...], weights: list[Tensor], draw: Draw | None = None
) -> tuple[Tensor, ...]:
    """Run one step: x (batch, input), one state (batch, size) each -> new states."""
    over_time = Layout(TIME_MAJOR, 1, len(x))
    batched = tuple([each.unsqueeze(0) for each in state])
    _, *final = layer(bound, over_time, x.unsqueeze(0), batched, weights, draw)
    return tuple([each.squeeze(0) for each in final])


def _any_requires_grad(*tensors: Tensor) -> bool:
    return any(each.requires_grad for each in tensors)


def _dense(tensor: Tensor) -> Tensor:
    """Return the tensor contiguous and aligned; tensors from torch.frombuffer need not be aligned."""
    if torch.compiler.is_compiling():
        return tensor.contiguous()
    if tensor.is_contiguous() and tensor.data_ptr() % tensor.element_size() == 0:
        return tensor
    check_memory(tensor)
    return tensor.clone(memory_format=torch.contiguous_format)
