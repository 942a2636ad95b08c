"""One bit, shown at the first step, to be told after the last: the latch of Bengio, Simard and Frasconi (1994).

Every step has a number from [-1, 1] and a mark. The first number is the bit, 1 or -1, and the only marked one. A
network that forgot it can do no better than predict 0, with a mean squared error of 1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penstock import nn

__all__ = ["EVERY", "UPDATES", "bits", "curve", "median_curve", "set_forget_bias"]

UPDATES, EVERY = 600, 20
_BATCH = 32
_LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM}


def bits(steps: int, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return sequences (steps, batch, 2) of numbers and marks, and the bits (batch,)."""
    x = torch.zeros(steps, batch, 2)
    x[..., 0] = torch.rand(steps, batch, generator=generator) * 2 - 1
    target = (torch.rand(batch, generator=generator) < 0.5).float() * 2 - 1
    x[0, :, 0], x[0, :, 1] = target, 1
    return x, target


def set_forget_bias(layer: Any, bias: float) -> None:
    """Set the bias of an LSTM's forget gate."""
    rows = slice(layer.hidden_size, 2 * layer.hidden_size)
    with torch.no_grad():
        layer.bias_ih_l0[rows] = bias
        layer.bias_hh_l0[rows] = 0


def curve(
    cell: str,
    steps: int,
    prepare: Callable[[Any], None],
    *,
    hidden: int,
    rate: float,
    seed: int,
    back: int | None = None,
    updates: int = UPDATES,
    **options: Any,
) -> NDArray[np.float64]:
    """Train a layer with a linear output and return the mean loss of every `EVERY` updates, (updates / EVERY,).

    Args:
        cell: "rnn" or "lstm".
        steps: the length of the sequences.
        prepare: sets the initial values of the layer.
        hidden, rate, seed: the number of units, Adam's learning rate, the seed of weights and data.
        back: the number of steps that the gradient goes back from the last; None for all. The state always comes from
            the first step.
        updates: how many, a multiple of `EVERY`.
        options: of the layer.
    """
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    layer = _LAYERS[cell](2, hidden, **options)
    prepare(layer)
    head = torch.nn.Linear(hidden, 1)
    parameters = [*layer.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=rate)
    losses = []
    for _ in range(updates):
        x, target = bits(steps, _BATCH, generator)
        before = steps - (back or steps)
        state = None
        if before:
            with torch.no_grad():
                _, state = layer(x[:before])
        y, _ = layer(x[before:], state)
        loss = (head(y[-1]).squeeze(-1) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return np.reshape(losses, (-1, EVERY)).mean(axis=1)


def median_curve(*arguments: Any, seeds: int = 3, **options: Any) -> NDArray[np.float64]:
    """Return the median of `curve` over seeds 0, 1, ... at each point."""
    return np.median([curve(*arguments, seed=seed, **options) for seed in range(seeds)], axis=0)
