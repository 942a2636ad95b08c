"""Penstock's layers in the place of PyTorch's inside a model that exists already."""

import torch

from penstock.nn.gru import GRU, GRUCell
from penstock.nn.lstm import LSTM, LSTMCell
from penstock.nn.rnn import RNN, RNNCell

__all__ = ["replace"]

_OURS: dict[type[torch.nn.Module], type[torch.nn.Module]] = {
    torch.nn.RNN: RNN,
    torch.nn.LSTM: LSTM,
    torch.nn.GRU: GRU,
    torch.nn.RNNCell: RNNCell,
    torch.nn.LSTMCell: LSTMCell,
    torch.nn.GRUCell: GRUCell,
}
_ARGUMENTS = (
    "input_size", "hidden_size", "num_layers", "nonlinearity", "bias", "batch_first", "dropout", "bidirectional",
    "proj_size",
)  # fmt: skip


def replace(model: torch.nn.Module) -> torch.nn.Module:
    """Swap every recurrent layer and cell of PyTorch in `model` for Penstock's.

    Parameters are shared, not copied: an optimiser made before goes on working, and so do names, hooks and
    `state_dict`. Only the classes of torch.nn themselves are swapped; subclasses, and layers whose weights are
    parametrised or pruned, stay as they are.

    Returns:
        `model`, changed in place; or, when it is itself such a layer, the layer that takes its place.
    """
    swapped: dict[int, torch.nn.Module] = {}  # a layer that is used twice stays one layer
    for parent in list(model.modules()):
        for name, child in list(parent._modules.items()):
            if child is not None and type(child) in _OURS and _is_whole(child):
                if id(child) not in swapped:
                    swapped[id(child)] = _twin(child)
                setattr(parent, name, swapped[id(child)])
    return _twin(model) if type(model) in _OURS and _is_whole(model) else model


def _is_whole(layer: torch.nn.Module) -> bool:
    """Whether the weights are plain parameters, so that sharing these shares everything."""
    names = getattr(layer, "_flat_weights_names", ("weight_ih", "weight_hh"))
    return all(name in layer._parameters for name in names)


def _twin(layer: torch.nn.Module) -> torch.nn.Module:
    ours = _OURS[type(layer)]
    arguments = {name: getattr(layer, name) for name in _ARGUMENTS if hasattr(layer, name)}
    if ours in (RNN, GRU):
        del arguments["proj_size"]  # PyTorch stores a 0 there
    if arguments.get("num_layers") == 1:
        arguments["dropout"] = 0.0
    twin = ours(**arguments, device="meta")
    for name, parameter in layer._parameters.items():
        setattr(twin, name, parameter)
    if "dropout" in arguments:
        twin.dropout = layer.dropout  # not above: a single layer with dropout warns, and the user knows by now
    for name, value in vars(layer).items():
        if "_hooks" in name:
            vars(twin)[name] = value
    return twin.train(layer.training)
