"""Functions of single numbers, or over the features, as an operation of a `Graph`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from penstock.errors import ConfigError
from penstock.network.checks import check_choice
from penstock.network.operation import Operation, Value
from penstock.network.spelling import Spelled, check_names

__all__ = ["FUNCTIONS", "Pointwise"]

FUNCTIONS: dict[str, dict[str, float]] = {
    "abs": {},
    "clip": {"low": 0.0, "high": 1.0},
    "elu": {"alpha": 1.0},
    "exp": {},
    "gelu": {},
    "gelu_tanh": {},
    "hard_sigmoid": {"slope": 1 / 6, "offset": 0.5},
    "leaky_relu": {"slope": 0.01},
    "log": {},
    "log_softmax": {},
    "relu": {},
    "selu": {},
    "sigmoid": {},
    "silu": {},
    "softmax": {},
    "softplus": {},
    "softsign": {},
    "sqrt": {},
    "tanh": {},
}
"""The functions of `Pointwise`, each with its constants and their defaults.

hard_sigmoid is clip(slope * x + offset, 0, 1); gelu uses the error function, gelu_tanh its approximation by tanh.
softmax and log_softmax run over the features.
"""


@dataclass(frozen=True)
class Pointwise(Spelled, Operation):
    """A function of `FUNCTIONS` for each number, or over the features.

    Args:
        function: its name.
        constants: its constants; missing ones get their defaults.
    """

    kind: ClassVar[str] = "pointwise"
    function: str
    constants: tuple[tuple[str, float], ...]

    def __init__(self, function: str, **constants: float) -> None:
        object.__setattr__(self, "function", function)
        check_choice(self, "function", tuple(FUNCTIONS))
        known = FUNCTIONS[function]
        check_names(f"pointwise {function}", constants, required=set(), known=set(known))
        completed = tuple((name, float(constants.get(name, default))) for name, default in known.items())
        object.__setattr__(self, "constants", completed)

    def result(self, *inputs: Value) -> Value:
        return self._one(inputs)

    def arguments(self) -> dict[str, Any]:
        return {"function": self.function, **dict(self.constants)}

    @classmethod
    def from_arguments(cls, arguments: Any) -> "Pointwise":
        if not isinstance(arguments.get("function"), str):
            raise ConfigError(f"pointwise: function must be one of {', '.join(FUNCTIONS)}")
        return cls(**arguments)

    def identity(self) -> dict[str, Any]:
        return self.arguments()
