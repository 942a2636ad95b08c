"""How far back a recurrent layer's gradient reaches: Hochreiter 1991; Bengio, Simard and Frasconi 1994."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penstock.errors import ConfigError, ShapeError

__all__ = ["gradient_norms"]


def gradient_norms(layer: Any, x: Tensor, loss: Callable[[Tensor], Tensor]) -> NDArray[np.float64]:
    """Return the norm of the loss's gradient with respect to the state after each step.

    Element t is the norm of d loss / d state(t), the root mean square over the batch, where the state is (h, c) for an
    LSTM and h otherwise. So `norms[::-1]` is the norm by distance from the last step. The layer runs one step at a
    time, forward and backward; the parameters' gradients do not change.

    Args:
        layer: a recurrent layer of `penstock.nn` or `torch.nn`, called as `y, state = layer(x, state)`, unidirectional
            and with `batch_first=False`.
        x: (time, batch, input), at least one step.
        loss: returns a scalar for the outputs (time, batch, output).

    Returns:
        (time,).

    Raises:
        ConfigError: the layer is bidirectional or has `batch_first=True`.
        ShapeError: x isn't (time, batch, input), or the loss isn't a scalar.

    Examples:
        >>> import torch
        >>> from penstock.inspection import gradient_norms
        >>> gradient_norms(torch.nn.LSTM(3, 4), torch.ones(10, 2, 3), lambda y: y[-1].sum()).shape
        (10,)
    """
    if getattr(layer, "bidirectional", False) or getattr(layer, "batch_first", False):
        raise ConfigError("gradient_norms needs a layer with bidirectional=False and batch_first=False")
    if x.dim() != 3 or not len(x):
        raise ShapeError(f"x must be (time, batch, input) with at least one step; got {tuple(x.shape)}")
    states: list[tuple[Tensor, ...]] = []
    state = None
    for step in x.detach().split(1):
        _, state = layer(step, state)
        states.append(state if isinstance(state, tuple) else (state,))
    # The returned output is a copy of the top layer's h; the loss must use the state tensor itself.
    value = loss(torch.stack([parts[0][-1] for parts in states]))
    if value.dim():
        raise ShapeError(f"loss must give a scalar; got {tuple(value.shape)}")
    flat = [tensor for parts in states for tensor in parts]
    # The loss may not depend on the last cell state, because it sees outputs only.
    gradients = torch.autograd.grad(value, flat, allow_unused=True)
    per_step = np.array([0.0 if g is None else g.double().square().sum().item() for g in gradients])
    return np.sqrt(per_step.reshape(len(states), -1).sum(axis=1) / x.shape[1])
