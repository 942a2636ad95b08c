"""What the forget gate's bias does to a gradient and to learning."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.lab.arrays import drawn
from penstock.lab.compute.gradients import reach
from penstock.lab.compute.memory import EVERY, median_curve, set_forget_bias

__all__ = ["BIASES", "STEPS", "figure", "learning"]

BIASES = tuple(float(bias) for bias in np.arange(-2, 6.5, 0.5))
STEPS = 50


def learning(bias: float, **options: Any) -> NDArray[np.float64]:
    """Return the learning curve of an LSTM with this bias on the memory task over `STEPS` steps."""
    prepare = partial(set_forget_bias, bias=bias)
    return median_curve("lstm", STEPS, prepare, hidden=16, rate=0.01, **options)


def figure() -> dict[str, Any]:
    """Return the gradient's norms (bias, distance) and the learning curves (bias, point)."""
    return {
        "biases": BIASES,
        "steps": STEPS,
        "every": EVERY,
        "reach": drawn([reach("lstm", 0.5, bias) for bias in BIASES], log=True),
        "curves": drawn([learning(bias) for bias in BIASES]),
    }
