"""Long short-term memory (Hochreiter and Schmidhuber 1997) with a forget gate (Gers et al. 2000).

i = sigmoid(W_ii x + b_ii + W_hi h + b_hi + p_i * c)      input gate
f = sigmoid(W_if x + b_if + W_hf h + b_hf + p_f * c)      forget gate
g = tanh(W_ig x + b_ig + W_hg h + b_hg)                   cell candidate
c' = f * c + i * g
o = sigmoid(W_io x + b_io + W_ho h + b_ho + p_o * c')     output gate
h' = o * tanh(c')

The terms p * c are peephole connections (Gers and Schmidhuber 2000, "Recurrent nets that time and count"); the output
gate reads the new cell state. With a projection (Sak, Senior and Beaufays 2014, arXiv:1402.1128),
h' = W_hr (o * tanh(c')).
"""

from collections.abc import Mapping

from penstock.cells.arithmetic import affine, sigmoid, split, tanh
from penstock.cells.declaration import ZONEOUT, Array, Cell, Option, Phase, Shapes, State


def parameter_shapes(
    input_size: int, hidden_size: int, bias: bool = True, *, peephole: bool = False, proj_size: int = 0
) -> Shapes:
    """Shape of each parameter by name, in PyTorch's order; the rows of weight_ch are the peepholes of i, f and o."""
    rows = 4 * hidden_size
    shapes: Shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, proj_size or hidden_size)}
    if bias:
        shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
    if proj_size:
        shapes["weight_hr"] = (proj_size, hidden_size)
    if peephole:
        shapes["weight_ch"] = (3, hidden_size)
    return shapes


def phases(*, peephole: bool = False, proj_size: int = 0) -> tuple[Phase, ...]:
    """One phase, whose epilogue adds the peepholes; the projection is a second phase."""
    products = (("weight_ih", "x"), ("weight_hh", "h"))
    if not proj_size:
        return (Phase(products, writes=("h", "c")),)
    return (
        Phase(products, writes=("unprojected", "c")),
        Phase((("weight_hr", "unprojected"),), writes=("h",)),
    )


def step(
    x: Array, state: State, parameters: Mapping[str, Array], *, peephole: bool = False, proj_size: int = 0
) -> State:
    """One step: x (..., input), h (..., proj_size or hidden), c (..., hidden) -> (h', c')."""
    h, c = state
    gates = affine(x, parameters["weight_ih"], parameters.get("bias_ih"))
    gates = gates + affine(h, parameters["weight_hh"], parameters.get("bias_hh"))
    i, f, g, o = split(gates, 4)
    if peephole:
        weight_ch = parameters["weight_ch"]
        i = i + weight_ch[0] * c
        f = f + weight_ch[1] * c
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    if peephole:
        o = o + weight_ch[2] * c
    h = sigmoid(o) * tanh(c)
    return (affine(h, parameters["weight_hr"], None) if proj_size else h), c


LSTM = Cell(
    name="lstm",
    source="Hochreiter and Schmidhuber 1997",
    gates=("input", "forget", "cell", "output"),
    states=("h", "c"),
    options={
        "peephole": Option(
            False,
            "LSTM only: the gates also read the cell state (Gers and Schmidhuber 2000).",
            parameter="weight_ch",
        ),
        "proj_size": Option(
            0,
            "LSTM only: project the output to this size (Sak et al. 2014); 0 for no projection.",
            parameter="weight_hr",
            below_hidden_size=True,
        ),
        "zoneout": ZONEOUT,
    },
    forms=({}, {"peephole": True}, {"proj_size": None}, {"peephole": True, "proj_size": None}),
    torch_options={"peephole": False},
    keeps="forget",
    admits="input",
    orthogonal_biases={"forget": 1.0},
    parameter_shapes=parameter_shapes,
    phases=phases,
    step=step,
)
