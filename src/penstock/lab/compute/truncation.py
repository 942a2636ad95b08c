"""Truncated backpropagation: the gradient goes back only so many steps (Williams and Peng 1990)."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.lab.arrays import drawn
from penstock.lab.compute.memory import EVERY, median_curve, set_forget_bias

__all__ = ["BACK", "BIASES", "STEPS", "figure", "learning"]

STEPS = 20
BACK = (1, 2, 5, 10, 15, 18, 19, 20)
"""The numbers of steps that the gradient goes back."""
BIASES = (1.0, 3.0)
"""Of the forget gate."""


def learning(bias: float, back: int, **options: Any) -> NDArray[np.float64]:
    """Return the learning curve of an LSTM on the memory task over `STEPS` steps, with a truncated gradient."""
    prepare = partial(set_forget_bias, bias=bias)
    return median_curve("lstm", STEPS, prepare, hidden=16, rate=0.01, back=back, **options)


def figure() -> dict[str, Any]:
    """Return the learning curves (bias, back, point)."""
    curves = [[learning(bias, back) for back in BACK] for bias in BIASES]
    return {"steps": STEPS, "back": BACK, "biases": BIASES, "every": EVERY, "curves": drawn(curves)}
