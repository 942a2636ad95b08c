"""One layer as one node of ONNX (LSTM, GRU or RNN, version 14), for torch.onnx.export(..., dynamo=True).

ONNX's nodes have all that the cells here have except the projection: peepholes, a reset gate before the product, and
lengths with the same meaning. They take time as the first axis, the weights of both directions in one tensor, and the
gates in another order (https://onnx.ai/onnx/operators/onnx__LSTM.html, ..._GRU.html, ..._RNN.html).
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from penstock.errors import ConfigError
from penstock.nn import reference
from penstock.nn.layer_spec import BATCH_FIRST, LayerSpec, Layout

__all__ = ["layer"]

_GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
"""Our gates in ONNX's order: input, output, forget, cell; update, reset, hidden."""
_PEEPHOLES = (0, 2, 1)
_OPSET = 14


def layer(
    kind: LayerSpec, layout: Layout, x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """Record one layer in its one or two directions; arguments and results as in `reference.layer`.

    Layers without a node in ONNX (with a projection or zoneout, or of a cell of your own) are recorded step by step,
    which fixes the number of steps.

    Raises:
        ConfigError: such a layer with a dynamic number of steps, or PyTorch before 2.8, which can't record such nodes.
    """
    beyond = [name for name in ("proj_size", "zoneout") if kind.options.get(name)]
    if kind.cell not in _GATES or beyond:
        if isinstance(layout.steps, torch.SymInt):
            what = f"the cell {kind.cell}"
            if kind.cell in _GATES:
                what = f"{'a' if kind.cell == 'gru' else 'an'} {kind.cell.upper()} with {beyond[0]}"
            raise ConfigError(f"ONNX has no node for {what}. Export it with a fixed number of steps.")
        return reference.layer(kind, layout, x, state, weights)
    write = _writer()
    names = list(kind.parameter_shapes)
    parameters = {
        name: torch.stack([weights[k].detach() for k in range(place, len(weights), len(names))])
        for place, name in enumerate(names)
    }
    w, r = (_ordered(parameters[name], _GATES[kind.cell]) for name in ("weight_ih", "weight_hh"))
    bias = None
    if kind.bias:
        bias = torch.cat([_ordered(parameters[name], _GATES[kind.cell]) for name in ("bias_ih", "bias_hh")], 1)
    lengths = None if layout.lengths is None else layout.lengths.to(torch.int32)
    inputs = [x.transpose(0, 1) if layout.order == BATCH_FIRST else x, w, r, bias, lengths, *(state or [None])]
    if kind.options.get("peephole"):
        inputs += [None] * (7 - len(inputs)) + [_ordered(parameters["weight_ch"].flatten(1), _PEEPHOLES)]
    shapes: list[tuple[int, ...]] = [(layout.steps, kind.directions, layout.batch, kind.hidden_size)]
    shapes += [(kind.directions, layout.batch, size) for size in kind.state_sizes]
    y, *final = write(
        kind.cell.upper(), inputs, _attributes(kind), dtypes=[x.dtype] * len(shapes), shapes=shapes, version=_OPSET
    )
    if lengths is not None and state:  # ONNX says nothing of the final states of an empty sequence
        final = [torch.where(lengths[:, None] > 0, each, start) for each, start in zip(final, state, strict=True)]
    y = y.transpose(1, 2).flatten(2)
    return y.transpose(0, 1) if layout.order == BATCH_FIRST else y, *final


def _writer() -> Callable[..., Sequence[Tensor]]:
    try:
        from torch.onnx.ops import symbolic_multi_out
    except ImportError as error:
        raise ConfigError(
            f"torch.onnx.export(..., dynamo=True) needs PyTorch 2.8 for recurrent layers; this is {torch.__version__}."
            " Upgrade, or use dynamo=False."
        ) from error
    return symbolic_multi_out


def _ordered(parameter: Tensor, order: tuple[int, ...]) -> Tensor:
    """Return blocks of rows (directions, blocks * size, ...) in another order."""
    size = parameter.shape[1] // len(order)
    return parameter.index_select(1, torch.tensor([block * size + row for block in order for row in range(size)]))


def _attributes(kind: LayerSpec) -> dict[str, Any]:
    direction = "bidirectional" if kind.bidirectional else "forward"
    attributes: dict[str, Any] = {"hidden_size": kind.hidden_size, "direction": direction}
    if kind.cell == "gru":
        attributes["linear_before_reset"] = int(kind.options["reset_after"])
    if kind.cell == "rnn":
        attributes["activations"] = [kind.options["nonlinearity"].capitalize()] * kind.directions
    return attributes
