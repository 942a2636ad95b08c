"""Gated recurrent unit, in both published forms (Cho et al. 2014, arXiv:1406.1078).

r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)      reset gate
z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)      update gate
n = tanh(W_in x + b_in + r * (W_hn h + b_hn))   candidate, reset after the product (cuDNN, PyTorch; version 1)
n = tanh(W_in x + b_in + W_hn (r * h) + b_hn)   candidate, reset before the product (version 3)
h' = (1 - z) * n + z * h
"""

from collections.abc import Mapping

from penstock.cells.arithmetic import affine, sigmoid, split, tanh
from penstock.cells.declaration import ZONEOUT, Array, Cell, Option, Phase, Shapes, State


def parameter_shapes(input_size: int, hidden_size: int, bias: bool = True, *, reset_after: bool = True) -> Shapes:
    """Shape of each parameter by name, in PyTorch's order; the same for both forms."""
    rows = 3 * hidden_size
    shapes: Shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
    return shapes | ({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {})


def phases(*, reset_after: bool = True) -> tuple[Phase, ...]:
    """One phase if reset is applied after the product; two if before, as the candidate's product then needs r."""
    if reset_after:
        return (Phase(products=(("weight_ih", "x"), ("weight_hh", "h")), writes=("h",)),)
    return (
        Phase(
            products=(("weight_ih[reset, update]", "x"), ("weight_hh[reset, update]", "h")),
            writes=("reset_h", "update"),
        ),
        Phase(products=(("weight_ih[candidate]", "x"), ("weight_hh[candidate]", "reset_h")), writes=("h",)),
    )


def step(x: Array, state: State, parameters: Mapping[str, Array], *, reset_after: bool = True) -> State:
    """One step: x (..., input), state (h,) with h (..., hidden) -> (h',)."""
    (h,) = state
    weight_hh, bias_hh = parameters["weight_hh"], parameters.get("bias_hh")
    from_input = affine(x, parameters["weight_ih"], parameters.get("bias_ih"))
    input_r, input_z, input_n = split(from_input, 3)
    if reset_after:
        state_r, state_z, state_n = split(affine(h, weight_hh, bias_hh), 3)
        r, z = sigmoid(input_r + state_r), sigmoid(input_z + state_z)
        n = tanh(input_n + r * state_n)
    else:
        gates = 2 * h.shape[-1]
        bias_gates, bias_n = (None, None) if bias_hh is None else (bias_hh[:gates], bias_hh[gates:])
        state_r, state_z = split(affine(h, weight_hh[:gates, :], bias_gates), 2)
        r, z = sigmoid(input_r + state_r), sigmoid(input_z + state_z)
        n = tanh(input_n + affine(r * h, weight_hh[gates:, :], bias_n))
    return ((1 - z) * n + z * h,)


GRU = Cell(
    name="gru",
    source="Cho et al. 2014",
    gates=("reset", "update", "candidate"),
    states=("h",),
    options={
        "reset_after": Option(True, "GRU only: apply the reset gate after the product, as in cuDNN and PyTorch."),
        "zoneout": ZONEOUT,
    },
    forms=({"reset_after": True}, {"reset_after": False}),
    torch_options={"reset_after": True},
    keeps="update",
    parameter_shapes=parameter_shapes,
    phases=phases,
    step=step,
)
