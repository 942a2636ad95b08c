"""The wall in the loss of a one-unit RNN, and descent with and without clipping (Pascanu, Mikolov and Bengio 2013)."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penstock import nn
from penstock.lab.arrays import drawn, exact

__all__ = ["THRESHOLDS", "WEIGHTS", "descent", "figure", "loss"]

THRESHOLDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 16.0, math.inf)
"""The largest norm that a gradient may have; infinity for no clipping."""
WEIGHTS, BIASES = np.linspace(0.4, 2.2, 73), np.linspace(-0.6, 0.6, 49)
_STEPS, _FIRST, _TARGET = 50, -0.5, 0.3
_START, _RATE, _UPDATES = (1.31, 0.23), 0.05, 40


def loss(weight: float, bias: float) -> tuple[float, float, float]:
    """Return (h - 0.3)² of h after 50 steps without input from h = -0.5, and its derivatives by weight and bias."""
    layer: Any = nn.RNN(1, 1, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_hh_l0.fill_(weight)
        layer.bias_hh_l0.fill_(bias)
        layer.bias_ih_l0.zero_()
    _, h = layer(torch.zeros(_STEPS, 1, 1, dtype=torch.float64), torch.full((1, 1, 1), _FIRST, dtype=torch.float64))
    value = (h - _TARGET).square().sum()
    by_weight, by_bias = torch.autograd.grad(value, [layer.weight_hh_l0, layer.bias_hh_l0])
    return _number(value), _number(by_weight), _number(by_bias)


def descent(threshold: float) -> NDArray[np.float64]:
    """Return weight, bias, loss and the gradient's norm before clipping at each update, (updates, 4)."""
    weight, bias = _START
    path = []
    for _ in range(_UPDATES):
        value, by_weight, by_bias = loss(weight, bias)
        norm = math.hypot(by_weight, by_bias)
        path.append((weight, bias, value, norm))
        step = _RATE * min(1.0, threshold / norm)
        weight, bias = weight - step * by_weight, bias - step * by_bias
    return np.array(path)


def figure() -> dict[str, Any]:
    """Return the loss (bias, weight), and the paths (threshold, update, 4)."""
    return {
        "weights": [WEIGHTS[0], WEIGHTS[-1]],
        "biases": [BIASES[0], BIASES[-1]],
        "thresholds": [threshold if math.isfinite(threshold) else None for threshold in THRESHOLDS],
        "loss": drawn([[loss(weight, bias)[0] for weight in WEIGHTS] for bias in BIASES]),
        "paths": exact([descent(threshold) for threshold in THRESHOLDS]),
    }


def _number(tensor: Tensor) -> float:
    return float(tensor.detach().sum())
