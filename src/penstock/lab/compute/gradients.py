"""How the gradient changes with distance, before any training, for three cells and many starts."""

import math
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penstock import nn
from penstock.inspection import gradient_norms
from penstock.lab.arrays import drawn

__all__ = ["BIASES", "SCALES", "figure", "reach"]

SCALES = (0.25, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
"""Of the recurrent weights: the spectral radius of each gate's matrix is about this."""
BIASES = (0.0, 1.0, 2.0, 3.0, 5.0)
"""Of the gate that keeps the state."""
_STEPS, _HIDDEN, _INPUT, _BATCH, _SEEDS = 100, 32, 4, 8, 4
_LEAST = 1e-30  # smaller ones underflow in 32-bit floats
_LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
_KEEPS = {"lstm": 1, "gru": 1}  # the place of the forget and the update gate among the gates


def reach(cell: str, scale: float, bias: float = 0.0) -> NDArray[np.float64]:
    """Return the gradient's norm by distance from the last step, (steps,), relative to that at distance 0.

    At least 1e-30. The geometric mean over random layers: recurrent weights N(0, scale²/hidden), input weights as
    PyTorch draws them, inputs N(0, 0.3²), biases 0 but for that of the gate that keeps the state. The loss is a random
    direction of the last output.
    """
    logs = []
    for seed in range(_SEEDS):
        torch.manual_seed(seed)
        layer = _LAYERS[cell](_INPUT, _HIDDEN)
        with torch.no_grad():
            layer.weight_hh_l0.normal_(0, scale / math.sqrt(_HIDDEN))
            layer.bias_ih_l0.zero_()
            layer.bias_hh_l0.zero_()
            if cell in _KEEPS:
                layer.bias_ih_l0[_KEEPS[cell] * _HIDDEN : (_KEEPS[cell] + 1) * _HIDDEN] = bias
        x = torch.randn(_STEPS, _BATCH, _INPUT) * 0.3
        norms = gradient_norms(layer, x, partial(_along, torch.randn(_HIDDEN)))[::-1]
        logs.append(np.log((norms / norms[0]).clip(_LEAST)))
    return np.exp(np.mean(logs, axis=0))


def figure() -> dict[str, Any]:
    """Return the RNN's norms (scale, distance), the gated cells' (scale, bias, distance)."""
    gated = {
        cell: drawn([[reach(cell, scale, bias) for bias in BIASES] for scale in SCALES], log=True) for cell in _KEEPS
    }
    return {
        "scales": SCALES,
        "biases": BIASES,
        "rnn": drawn([reach("rnn", scale) for scale in SCALES], log=True),
    } | gated


def _along(direction: Tensor, y: Tensor) -> Tensor:
    return (y[-1] @ direction).mean()
