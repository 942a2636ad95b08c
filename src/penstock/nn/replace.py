"""Penstock's layers in the place of PyTorch's inside a model that exists already."""

import warnings
from collections.abc import Iterator

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
_STATE = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "dropout", "training")


def replace(model: torch.nn.Module) -> torch.nn.Module:
    """Swap every recurrent layer and cell of PyTorch in `model` for Penstock's.

    Parameters are shared, not copied: an optimiser made before goes on working. Buffers, submodules, hooks and
    attributes that a layer was given go with it, and so do pruning and `torch.nn.utils.weight_norm`. What is not one of
    the classes of torch.nn itself stays as it is, since it may compute something else: a subclass, a parametrised
    layer, one whose `forward` was exchanged. A warning names those. Quantised layers are none of these: quantise a
    model before or instead, as Penstock's layers stay in float32.

    Returns:
        `model`, changed in place; or, when it is itself such a layer, the layer that takes its place.
    """
    swapped: dict[int, torch.nn.Module] = {}  # a layer that is used twice stays one layer
    left: dict[str, str] = {}
    for prefix, parent in list(model.named_modules()):
        for name, child in list(parent._modules.items()):
            if child is not None and _is_recurrent(child):
                path = f"{prefix}.{name}" if prefix else name
                parent._modules[name] = _swap(child, path, swapped, left)
    if _is_recurrent(model):
        model = _swap(model, "the model itself", swapped, left)
    if left:
        named = "; ".join(f"{path} ({reason})" for path, reason in left.items())
        warnings.warn(f"penstock.nn.replace left as they are: {named}", stacklevel=2)
    return model


def _is_recurrent(module: torch.nn.Module) -> bool:
    """Whether it is a recurrent layer or cell, and not ours already."""
    return isinstance(module, tuple(_OURS)) and not isinstance(module, tuple(_OURS.values()))


def _swap(
    layer: torch.nn.Module, path: str, swapped: dict[int, torch.nn.Module], left: dict[str, str]
) -> torch.nn.Module:
    if id(layer) not in swapped:
        reason = next(_reasons_to_leave(layer), None)
        if reason is not None:
            left.setdefault(path, reason)
            return layer
        swapped[id(layer)] = _twin(layer)
    return swapped[id(layer)]


def _reasons_to_leave(layer: torch.nn.Module) -> Iterator[str]:
    if torch.nn.utils.parametrize.is_parametrized(layer):
        yield "its weights are parametrised; replace the layer first, and parametrise it then"
    if type(layer) not in _OURS:
        yield f"{type(layer).__name__} is a subclass, which may compute something else"
        return
    plain = _plain(layer)
    given = [name for name in vars(layer) if name not in plain] + [*layer._buffers, *layer._modules]
    taken = {"forward", *vars(_made(layer)), *dir(_OURS[type(layer)])} - plain.keys()
    for name in taken.intersection(given):
        yield f"it was given an attribute {name}, which Penstock's layer has or needs itself"
    if any(getattr(hook, "with_module", False) for hook in layer._load_state_dict_pre_hooks.values()):
        yield "a hook of its load_state_dict is bound to it"


def _arguments(layer: torch.nn.Module) -> dict[str, object]:
    arguments = {name: getattr(layer, name) for name in _ARGUMENTS if hasattr(layer, name)}
    if _OURS[type(layer)] in (RNN, GRU):
        del arguments["proj_size"]  # PyTorch stores a 0 there
    if arguments.get("num_layers") == 1:
        arguments["dropout"] = 0.0  # else a single layer with dropout warns, and the user knows by now
    return arguments


def _made(layer: torch.nn.Module) -> torch.nn.Module:
    """A layer of ours as `layer` was made, whose parameters have no memory."""
    return _OURS[type(layer)](**_arguments(layer), device="meta")


def _plain(layer: torch.nn.Module) -> dict[str, object]:
    """What PyTorch's class itself puts into such a layer."""
    return vars(type(layer)(**_arguments(layer), device="meta"))


def _twin(layer: torch.nn.Module) -> torch.nn.Module:
    twin = _made(layer)
    own, plain = vars(twin), _plain(layer)
    for name, value in vars(layer).items():
        if name not in plain or "_hooks" in name or name in _STATE:
            own[name] = value
    if isinstance(twin, torch.nn.RNNBase):
        twin._init_flat_weights()
    return twin
