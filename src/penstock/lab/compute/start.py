"""How the recurrent matrix of a simple RNN starts: uniform, orthogonal, or the identity with ReLU."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from penstock import nn
from penstock.lab.arrays import drawn
from penstock.lab.compute.memory import EVERY, median_curve

__all__ = ["DISTANCES", "STARTS", "figure", "learning", "singular_values"]

DISTANCES = (10, 20, 40, 80)
_HIDDEN, _POWERS = 32, 40


@torch.no_grad()
def _orthogonal(layer: Any) -> None:
    torch.nn.init.orthogonal_(layer.weight_hh_l0)


@torch.no_grad()
def _identity(layer: Any) -> None:
    """As Le, Jaitly and Hinton (2015), but input weights N(0, 0.1²) as our inputs are larger."""
    torch.nn.init.eye_(layer.weight_hh_l0)
    layer.weight_ih_l0.normal_(0, 0.1)
    layer.bias_ih_l0.zero_()
    layer.bias_hh_l0.zero_()


STARTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "uniform": (lambda layer: None, {}),
    "orthogonal": (_orthogonal, {}),
    "identity": (_identity, {"nonlinearity": "relu"}),
}
"""By name: what sets the initial values, and the options of the layer."""


def learning(start: str, distance: int, **options: Any) -> NDArray[np.float64]:
    """Return the learning curve of a simple RNN with this start on the memory task over `distance` steps."""
    prepare, layer = STARTS[start]
    return median_curve("rnn", distance, prepare, hidden=_HIDDEN, rate=0.003, **layer, **options)


def singular_values(start: str) -> NDArray[np.float64]:
    """Return the singular values of the recurrent matrix to the powers 1, 2, ..., in float64, (power, unit)."""
    torch.manual_seed(0)
    layer: Any = nn.RNN(2, _HIDDEN)
    STARTS[start][0](layer)
    matrix = layer.weight_hh_l0.detach().double().numpy()
    powers = [np.linalg.matrix_power(matrix, power) for power in range(1, _POWERS + 1)]
    return np.array([np.linalg.svd(power, compute_uv=False) for power in powers])


def figure() -> dict[str, Any]:
    """Return the singular values of two starts (power, unit) and the learning curves (start, distance, point)."""
    return {
        "starts": list(STARTS),
        "distances": DISTANCES,
        "every": EVERY,
        # Below 1e-16 nothing can be seen, and a logarithm needs more than 0.
        "singular": {name: drawn(singular_values(name).clip(1e-16), log=True) for name in ("uniform", "orthogonal")},
        "curves": drawn([[learning(start, distance) for distance in DISTANCES] for start in STARTS]),
    }
