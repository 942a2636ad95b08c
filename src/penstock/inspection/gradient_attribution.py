"""Attribution by gradients, with PyTorch: integrated gradients (Sundararajan et al. 2017), gradient times input.

The gradient goes through the module that training uses, so that it exists for every input, head and cell, registered
ones too; the recurrent layers run backward on the engine.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from penstock import nn
from penstock.inspection.attribution import Attribution, attribution_of
from penstock.runtime.question import Question

__all__ = ["gradient_attribution"]

TOLERANCE = 0.01
"""Of the difference that integrated gradients must add up to."""
_ROUNDING = 1e-5  # of the explained number, in float32
_FEWEST_POINTS, _MOST_POINTS = 16, 512
_STEPS = 16384  # of the network, over all points of a batch


def gradient_attribution(question: Question, method: str) -> Attribution:
    """Score each cell by the gradient of the explained number, times the cell's distance from its baseline.

    Integrated gradients average the gradient on the straight line from the baseline to the input, by Gauss-Legendre
    quadrature with 16 points, doubled to at most 512 until the scores add up; the other method takes the gradient at
    the input alone. The scores of a token are summed over its vector.

    Args:
        question: the input.
        method: "integrated_gradients" or "gradient_x_input".
    """
    module = nn.build(question.network)
    module.load_state_dict({name: torch.tensor(array) for name, array in question.tensors.items()})
    module.eval().requires_grad_(False)
    evidence = question.evidence
    both = torch.from_numpy(np.stack([evidence.values, evidence.baseline]))
    x, baseline = question.embedded(module, both)
    ends = question.scores(both.numpy())
    difference = ends[0] - ends[1]
    if method == "gradient_x_input":
        mean = _mean_gradient(question, module, x, x, points=1)
        return attribution_of(question, _by_cell(mean * (x - baseline), evidence.values), ends, method=method)
    tolerance = float(TOLERANCE * abs(difference) + _ROUNDING * np.abs(ends).sum())
    points = _FEWEST_POINTS
    while True:
        mean = _mean_gradient(question, module, x, baseline, points=points)
        values = _by_cell(mean * (x - baseline), evidence.values)
        if abs(values.sum() - difference) <= tolerance or points >= _MOST_POINTS:
            return attribution_of(question, values, ends, method=method, tolerance=tolerance)
        points *= 2


def _mean_gradient(question: Question, module: Any, x: Tensor, baseline: Tensor, *, points: int) -> Tensor:
    """Return the mean gradient on the line from `baseline` to `x`, float64, of the shape of x."""
    nodes, weights = np.polynomial.legendre.leggauss(points)  # from -1 to 1; the weights add up to 2
    total = torch.zeros(x.shape, dtype=torch.float64)
    size = max(1, _STEPS // question.steps)
    for start in range(0, points, size):
        shares = torch.from_numpy((nodes[start : start + size] + 1) / 2).to(x.dtype)
        at = baseline + shares.reshape(-1, *[1] * x.dim()) * (x - baseline)
        at.requires_grad_()
        score = question.aim.score(question.traced(module, at)).sum()
        (gradient,) = torch.autograd.grad(score, at)
        total += torch.tensordot(torch.from_numpy(weights[start : start + size] / 2), gradient.double(), 1)
    return total


def _by_cell(products: Tensor, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return a number for each cell: a token's is the sum over its vector."""
    found = products.numpy()
    return found if found.ndim == values.ndim else found.sum(axis=-1)
