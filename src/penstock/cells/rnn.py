"""Elman's simple recurrent network, tanh or relu (Elman 1990, "Finding structure in time").

h' = f(W_ih x + b_ih + W_hh h + b_hh)
"""

from collections.abc import Mapping

from penstock.cells.arithmetic import ACTIVATIONS, affine
from penstock.cells.declaration import ZONEOUT, Array, Cell, Option, Phase, Shapes, State


def parameter_shapes(input_size: int, hidden_size: int, bias: bool = True, *, nonlinearity: str = "tanh") -> Shapes:
    """Shape of each parameter by name, in PyTorch's order."""
    shapes: Shapes = {"weight_ih": (hidden_size, input_size), "weight_hh": (hidden_size, hidden_size)}
    return shapes | ({"bias_ih": (hidden_size,), "bias_hh": (hidden_size,)} if bias else {})


def phases(*, nonlinearity: str = "tanh") -> tuple[Phase, ...]:
    """One phase: the two products are added into one sum."""
    return (Phase(products=(("weight_ih", "x"), ("weight_hh", "h")), writes=("h",)),)


def step(x: Array, state: State, parameters: Mapping[str, Array], *, nonlinearity: str = "tanh") -> State:
    """One step: x (..., input), state (h,) with h (..., hidden) -> (h',)."""
    (h,) = state
    from_input = affine(x, parameters["weight_ih"], parameters.get("bias_ih"))
    from_state = affine(h, parameters["weight_hh"], parameters.get("bias_hh"))
    return (ACTIVATIONS[nonlinearity](from_input + from_state),)


RNN = Cell(
    name="rnn",
    source="Elman 1990",
    gates=("hidden",),
    states=("h",),
    options={
        "nonlinearity": Option("tanh", 'RNN only: the activation, "tanh" or "relu".', choices=tuple(ACTIVATIONS)),
        "zoneout": ZONEOUT,
    },
    forms=({"nonlinearity": "tanh"}, {"nonlinearity": "relu"}),
    torch_options={},
    parameter_shapes=parameter_shapes,
    phases=phases,
    step=step,
)
