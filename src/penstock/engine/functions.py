"""Row-wise functions whose bits do not depend on the number of rows."""

import numpy as np

from penstock.engine._native import NativeLinear
from penstock.engine._native import sigmoid as _sigmoid
from penstock.engine._native import softmax as _softmax
from penstock.engine._native import tanh as _tanh
from penstock.engine.arrays import dense
from penstock.errors import ShapeError

__all__ = ["Linear", "sigmoid", "softmax", "tanh"]


class Linear:
    """y = x W^T + b, with one accumulator per output that starts at the bias and adds the inputs in order.

    Args:
        weight: (outputs, inputs) float32, neither of them 0; copied.
        bias: (outputs,) or None; copied.

    Raises:
        ShapeError: the weight is not such a matrix, or the bias does not match it.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import Linear
        >>> Linear(np.ones((2, 3), np.float32))(np.ones((1, 3), np.float32))
        array([[3., 3.]], dtype=float32)
    """

    def __init__(self, weight: np.ndarray, bias: np.ndarray | None = None) -> None:
        weight = dense(weight, np.float32)
        if weight.ndim != 2 or 0 in weight.shape:
            raise ShapeError(f"weight must be (outputs, inputs), 1 or more of each; got {weight.shape}.")
        if bias is not None:
            bias = dense(bias, np.float32)
            if bias.shape != weight.shape[:1]:
                raise ShapeError(f"bias must be (outputs={weight.shape[0]},); got {bias.shape}.")
        self.outputs, self.inputs = weight.shape
        self._native = NativeLinear(weight, bias)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x (rows, inputs) -> (rows, outputs), float32."""
        x = _rows(x)
        if x.shape[1] != self.inputs:
            raise ShapeError(f"x must be (rows, inputs={self.inputs}); got {x.shape}.")
        return self._native(x)


def softmax(x: np.ndarray) -> np.ndarray:
    """exp(x - max) / sum of each row; x (rows, 1 or more columns), float32.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import softmax
        >>> softmax(np.zeros((1, 4), np.float32))
        array([[0.25, 0.25, 0.25, 0.25]], dtype=float32)
    """
    x = _rows(x)
    if x.shape[1] == 0:
        raise ShapeError(f"x must be (rows, 1 or more columns); got {x.shape}.")
    return _softmax(x)


def tanh(x: np.ndarray) -> np.ndarray:
    """The engine's hyperbolic tangent of x, elementwise: float32 of any shape to the same shape.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import tanh
        >>> tanh(np.zeros((2, 3), np.float32)).sum()
        np.float32(0.0)
    """
    return _map(_tanh, x)


def sigmoid(x: np.ndarray) -> np.ndarray:
    """The engine's logistic function of x, elementwise: float32 of any shape to the same shape.

    Examples:
        >>> import numpy as np
        >>> from penstock.engine import sigmoid
        >>> sigmoid(np.zeros(2, np.float32))
        array([0.5, 0.5], dtype=float32)
    """
    return _map(_sigmoid, x)


def _map(function: object, x: np.ndarray) -> np.ndarray:
    x = dense(x, np.float32)
    out = np.empty_like(x)
    function(x, out)  # type: ignore[operator]
    return out


def _rows(x: np.ndarray) -> np.ndarray:
    x = dense(x, np.float32)
    if x.ndim != 2:
        raise ShapeError(f"x must be (rows, columns); got {x.shape}.")
    return x
