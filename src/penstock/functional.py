"""The equations of the cells, one step each, on NumPy arrays or PyTorch tensors; docs/cells derives them.

x is (..., input) with any leading batch axes, h (..., hidden) with the same axes; weights are as in `torch.nn`, with
gates stacked along the rows. All arguments are arrays of one library and one floating-point type.
"""

from typing import Any

from penstock.cells import find
from penstock.cells.declaration import Array, State
from penstock.cells.shapes import check_input, check_parameters, check_state

__all__ = ["gru_cell", "lstm_cell", "rnn_cell"]


def rnn_cell(
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    *,
    nonlinearity: str = "tanh",
) -> Array:
    """One step of an Elman network: h' = f(w_ih x + b_ih + w_hh h + b_hh) (Elman 1990).

    Args:
        w_ih, w_hh: (hidden, input) and (hidden, hidden).
        b_ih, b_hh: (hidden,), or None for none.
        nonlinearity: "tanh" or "relu".

    Returns:
        h' (..., hidden).

    Raises:
        ShapeError, DtypeError, ConfigError: an argument has the wrong shape or type, or an option is invalid.

    Examples:
        >>> import numpy as np
        >>> from penstock.functional import rnn_cell
        >>> rnn_cell(np.ones((2, 3)), np.zeros((2, 4)), np.zeros((4, 3)), np.zeros((4, 4)), np.full(4, 0.5)).shape
        (2, 4)
    """
    parameters = _present(weight_ih=w_ih, weight_hh=w_hh, bias_ih=b_ih, bias_hh=b_hh)
    return _step("rnn", x, (h,), parameters, nonlinearity=nonlinearity)[0]


def lstm_cell(
    x: Array,
    state: tuple[Array, Array],
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    *,
    peephole: Array | None = None,
    projection: Array | None = None,
) -> tuple[Array, Array]:
    """One step of long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000).

    Args:
        state: (h, c), h (..., hidden) or with projection (..., proj), c (..., hidden).
        w_ih, w_hh: (4 * hidden, input) and (4 * hidden, hidden or proj); gates input, forget, cell, output.
        b_ih, b_hh: (4 * hidden,), or None for none.
        peephole: (3, hidden), rows for the input, forget and output gate (Gers and Schmidhuber 2000).
        projection: (proj, hidden): h' is this matrix times the usual output (Sak, Senior and Beaufays 2014).

    Returns:
        (h', c') in the shapes of `state`.

    Raises:
        ShapeError, DtypeError, ConfigError: an argument has the wrong shape or type, or an option is invalid.

    Examples:
        >>> import numpy as np
        >>> from penstock.functional import lstm_cell
        >>> state = np.zeros((2, 4)), np.zeros((2, 4))
        >>> h, c = lstm_cell(np.ones((2, 3)), state, np.ones((16, 3)), np.zeros((16, 4)))
        >>> h.shape, c.shape
        ((2, 4), (2, 4))
    """
    parameters = _present(
        weight_ih=w_ih, weight_hh=w_hh, bias_ih=b_ih, bias_hh=b_hh, weight_hr=projection, weight_ch=peephole
    )
    h, c = _step("lstm", x, tuple(state), parameters)
    return h, c


def gru_cell(
    x: Array,
    h: Array,
    w_ih: Array,
    w_hh: Array,
    b_ih: Array | None = None,
    b_hh: Array | None = None,
    *,
    reset_after: bool = True,
) -> Array:
    """One step of a gated recurrent unit (Cho et al. 2014): h' = (1 - z) n + z h.

    Args:
        w_ih, w_hh: (3 * hidden, input) and (3 * hidden, hidden); gates reset, update, candidate.
        b_ih, b_hh: (3 * hidden,), or None for none.
        reset_after: True, as in PyTorch, n = tanh(w_in x + b_in + r (w_hn h + b_hn)); False, as in the
            paper's third version, n = tanh(w_in x + b_in + w_hn (r h) + b_hn).

    Returns:
        h' (..., hidden).

    Raises:
        ShapeError, DtypeError, ConfigError: an argument has the wrong shape or type, or an option is invalid.

    Examples:
        >>> import numpy as np
        >>> from penstock.functional import gru_cell
        >>> gru_cell(np.ones((2, 3)), np.zeros((2, 4)), np.ones((12, 3)), np.zeros((12, 4))).shape
        (2, 4)
    """
    parameters = _present(weight_ih=w_ih, weight_hh=w_hh, bias_ih=b_ih, bias_hh=b_hh)
    return _step("gru", x, (h,), parameters, reset_after=reset_after)[0]


def _present(**parameters: Array | None) -> dict[str, Array]:
    return {name: array for name, array in parameters.items() if array is not None}


def _step(name: str, x: Array, state: State, parameters: dict[str, Array], **options: Any) -> State:
    cell = find(name)
    options = cell.complete(cell.shown(parameters) | options)
    input_size, hidden_size = check_parameters(cell, parameters, **options)
    check_state(cell, state, check_input(x, input_size), cell.state_sizes(hidden_size, **options))
    return cell.step(x, state, parameters, **options)
