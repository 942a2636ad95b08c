"""Named initialisation schemes for the parameters of recurrent layers and cells."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import init

from penstock.cells import Cell
from penstock.checks import check_one_of
from penstock.errors import ConfigError

__all__ = ["INITIAL_VALUES", "check", "fill"]

INITIAL_VALUES = ("torch", "orthogonal", "forget_bias", "chrono")


def check(name: str, max_time: int | None, cell: Cell, bias: bool) -> None:
    """Check that `init=` and `max_time=` are valid for this cell.

    Raises:
        ConfigError: they are not.
    """
    check_one_of("init", name, INITIAL_VALUES)
    if name in ("forget_bias", "chrono") and cell.keeps is None:
        raise ConfigError(f"init={name!r} sets the bias of a gate, and {cell.name} has none; use 'orthogonal'.")
    if name in ("forget_bias", "chrono") and not bias:
        raise ConfigError(f"init={name!r} sets a bias, but bias=False; use bias=True.")
    if name == "chrono" and (max_time is None or max_time < 3):
        raise ConfigError(f"init='chrono' needs max_time, the longest dependency in steps, at least 3; got {max_time}.")
    if name != "chrono" and max_time is not None:
        raise ConfigError(f"max_time={max_time} applies only to init='chrono'; got init={name!r}.")


@torch.no_grad()
def fill(
    name: str, max_time: int | None, cell: Cell, hidden_size: int, parameters: Iterable[tuple[str, Tensor]]
) -> None:
    """Overwrite parameters, which hold PyTorch's initial values, by the scheme `name`.

    - "torch": U(-1/sqrt(hidden), 1/sqrt(hidden)) everywhere: no change.
    - "orthogonal": each gate's recurrent matrix orthogonal (Saxe et al. 2014), its input matrix Glorot-uniform,
      biases and peepholes 0, except biases in the cell's `orthogonal_biases`: 1 for the LSTM's forget gate.
    - "forget_bias": 1 for the gate that keeps the state: LSTM's forget, GRU's update (Jozefowicz et al. 2015).
    - "chrono": that gate's bias log(U(1, max_time - 1)), and minus that for the gate that admits new input, so that
      units forget at all time scales up to max_time (Tallec and Ollivier 2018, arXiv:1804.11188).

    Args:
        name, max_time: checked by `check`.
        hidden_size: the number of rows per gate.
        parameters: (name, tensor); names begin with weight_ih, weight_hh, weight_hr, weight_ch, bias_ih, bias_hh.
    """
    for parameter, tensor in parameters:
        if name == "orthogonal":
            _orthogonal(parameter, cell, hidden_size, tensor)
        elif name in ("forget_bias", "chrono") and parameter.startswith("bias_"):
            keeps = tensor.new_zeros(hidden_size)
            if parameter.startswith("bias_ih"):  # both biases are added, so bias_hh stays 0
                keeps = keeps + 1 if name == "forget_bias" else keeps.uniform_(1, (max_time or 0) - 1).log_()
            _set(cell, cell.keeps, hidden_size, tensor, keeps)
            if name == "chrono":
                _set(cell, cell.admits, hidden_size, tensor, -keeps)


def _set(cell: Cell, gate: str | None, hidden_size: int, bias: Tensor, values: Tensor | float) -> None:
    if gate is not None:
        k = cell.gates.index(gate)
        bias[k * hidden_size : (k + 1) * hidden_size] = values


def _orthogonal(parameter: str, cell: Cell, hidden_size: int, tensor: Tensor) -> None:
    if parameter.startswith("weight_hr"):
        init.orthogonal_(tensor)
    elif parameter.startswith(("weight_ih", "weight_hh")):
        for gate in tensor.split(hidden_size):
            (init.orthogonal_ if parameter.startswith("weight_hh") else init.xavier_uniform_)(gate)
    elif parameter.startswith(("bias_", "weight_ch")):
        tensor.zero_()
    if parameter.startswith("bias_ih"):
        for gate, value in cell.orthogonal_biases.items():
            _set(cell, gate, hidden_size, tensor, value)
