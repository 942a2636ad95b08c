"""Replacing PyTorch's layers by Penstock's in an existing model."""

import warnings
from collections.abc import Iterator

import torch

from penstock.nn.gru import GRU, GRUCell
from penstock.nn.lstm import LSTM, LSTMCell
from penstock.nn.rnn import RNN, RNNCell

__all__ = ["replace"]

_REPLACEMENTS: dict[type[torch.nn.Module], type[torch.nn.Module]] = {
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
    """Replace every recurrent layer and cell of PyTorch in `model` by Penstock's.

    Parameters are shared, not copied, so an existing optimiser keeps working. Buffers, submodules, hooks and attributes
    that were added to a layer move with it, also those of pruning and `torch.nn.utils.weight_norm`. Layers that may
    compute something else are kept, and a warning names them: subclasses, parametrised layers, and layers whose
    `forward` was replaced. Quantised layers are kept too: Penstock's layers compute in float32.

    Args:
        model: any module; all of its submodules are searched.

    Returns:
        `model`, changed in place; if it is itself such a layer, the new layer.

    Examples:
        >>> import torch
        >>> from penstock import nn
        >>> model = nn.replace(torch.nn.Sequential(torch.nn.GRU(3, 4)))
        >>> type(model[0]) is nn.GRU
        True
    """
    swapped: dict[int, torch.nn.Module] = {}  # a layer that is used twice stays shared
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
        warnings.warn(f"penstock.nn.replace kept these layers of PyTorch: {named}", stacklevel=2)
    return model


def _is_recurrent(module: torch.nn.Module) -> bool:
    """Whether it is a recurrent layer or cell of PyTorch, not yet replaced."""
    return isinstance(module, tuple(_REPLACEMENTS)) and not isinstance(module, tuple(_REPLACEMENTS.values()))


def _swap(
    layer: torch.nn.Module, path: str, swapped: dict[int, torch.nn.Module], left: dict[str, str]
) -> torch.nn.Module:
    if id(layer) not in swapped:
        reason = next(_reasons_to_leave(layer), None)
        if reason is not None:
            left.setdefault(path, reason)
            return layer
        swapped[id(layer)] = _converted(layer)
    return swapped[id(layer)]


def _reasons_to_leave(layer: torch.nn.Module) -> Iterator[str]:
    if torch.nn.utils.parametrize.is_parametrized(layer):
        yield "its weights are parametrised; replace the layer first, then parametrise it"
    if type(layer) not in _REPLACEMENTS:
        yield f"{type(layer).__name__} is a subclass, which may compute something else"
        return
    standard = _standard_attributes(layer)
    added = [name for name in vars(layer) if name not in standard] + [*layer._buffers, *layer._modules]
    reserved = {"forward", *vars(_replacement(layer)), *dir(_REPLACEMENTS[type(layer)])} - standard.keys()
    for name in reserved.intersection(added):
        yield f"it has an additional attribute {name}, which Penstock's layer uses itself"
    if any(getattr(hook, "with_module", False) for hook in layer._load_state_dict_pre_hooks.values()):
        yield "a load_state_dict hook is bound to it"


def _arguments(layer: torch.nn.Module) -> dict[str, object]:
    arguments = {name: getattr(layer, name) for name in _ARGUMENTS if hasattr(layer, name)}
    if _REPLACEMENTS[type(layer)] in (RNN, GRU):
        del arguments["proj_size"]  # PyTorch stores 0 for them
    if arguments.get("num_layers") == 1:
        arguments["dropout"] = 0.0  # avoids a second warning about dropout on a single layer
    return arguments


def _replacement(layer: torch.nn.Module) -> torch.nn.Module:
    """Make Penstock's layer with the arguments of `layer`, with parameters that have no memory."""
    return _REPLACEMENTS[type(layer)](**_arguments(layer), device="meta")


def _standard_attributes(layer: torch.nn.Module) -> dict[str, object]:
    """Return the attributes that PyTorch's class itself sets on such a layer."""
    return vars(type(layer)(**_arguments(layer), device="meta"))


def _converted(layer: torch.nn.Module) -> torch.nn.Module:
    converted = _replacement(layer)
    attributes, standard = vars(converted), _standard_attributes(layer)
    for name, value in vars(layer).items():
        if name not in standard or "_hooks" in name or name in _STATE:
            attributes[name] = value
    if isinstance(converted, torch.nn.RNNBase):
        converted._init_flat_weights()
    return converted
