"""Replacing PyTorch's layers by Penstock's in an existing model, and the other way round."""

import warnings
from collections.abc import Callable, Iterator, Mapping

import torch

from penstock.errors import ConfigError
from penstock.nn.cell import RecurrentCell
from penstock.nn.gru import GRU, GRUCell
from penstock.nn.layer import RecurrentLayers
from penstock.nn.layer_spec import LayerSpec
from penstock.nn.lstm import LSTM, LSTMCell
from penstock.nn.recorded import extras
from penstock.nn.rnn import RNN, RNNCell

__all__ = ["replace", "to_torch"]

Module = torch.nn.Module

_TO_PENSTOCK: dict[type[Module], type[Module]] = {
    torch.nn.RNN: RNN,
    torch.nn.LSTM: LSTM,
    torch.nn.GRU: GRU,
    torch.nn.RNNCell: RNNCell,
    torch.nn.LSTMCell: LSTMCell,
    torch.nn.GRUCell: GRUCell,
}
_TO_TORCH = {ours: torchs for torchs, ours in _TO_PENSTOCK.items()}
_ARGUMENTS = (
    "input_size", "hidden_size", "num_layers", "nonlinearity", "bias", "batch_first", "dropout", "bidirectional",
    "proj_size",
)  # fmt: skip
_STATE = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "dropout", "training")


def replace(model: Module) -> Module:
    """Replace every recurrent layer and cell of PyTorch in `model` by Penstock's.

    Parameters are shared, not copied, so an existing optimiser keeps working. Buffers, submodules, hooks and attributes
    that were added to a layer move with it, also those of pruning and `torch.nn.utils.weight_norm`. Layers that may
    compute something else are kept, and a warning names them: subclasses, parametrised layers, and layers whose
    `forward` was replaced.

    Penstock's layers compute in float32: `torch.ao.quantization.quantize_dynamic` looks for PyTorch's classes and
    leaves these as they are, without a message. Quantise `to_torch(copy.deepcopy(model))` instead.

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
    kept: dict[str, str] = {}

    def convert(layer: Module, path: str) -> Module:
        reason = next(_reasons_to_keep(layer, _TO_PENSTOCK), None)
        if reason is None:
            return _converted(layer, _TO_PENSTOCK[type(layer)])
        kept[path] = reason
        return layer

    model = _convert_all(model, _is_torchs, convert)
    if kept:
        warnings.warn(f"penstock.nn.replace kept these layers of PyTorch: {_listed(kept)}", stacklevel=2)
    return model


def to_torch(model: Module) -> Module:
    """Replace every layer and cell of Penstock in `model` by PyTorch's: the inverse of `replace`.

    For tools that only know PyTorch's classes: `torch.jit.script`, dynamic quantisation, or an exported program that
    has to run without Penstock. Parameters are shared, and what was added to a layer moves with it, as in `replace`.
    Pass a copy if `model` should keep its layers.

    Args:
        model: any module; all of its submodules are searched.

    Returns:
        `model`, changed in place; if it is itself such a layer, the new layer.

    Raises:
        ConfigError: PyTorch has no such layer (with peepholes, `reset_after=False`, or a cell of your own), or a layer
            is a subclass or parametrised. The message names them all, and `model` is unchanged.

    Examples:
        >>> import copy, torch
        >>> from penstock import nn
        >>> model = torch.nn.Sequential(nn.GRU(8, 16))
        >>> nn.to_torch(copy.deepcopy(model))[0].__module__
        'torch.nn.modules.rnn'
    """
    problems = {
        path or "the model itself": reason
        for path, layer in model.named_modules()
        if _is_penstocks(layer) and (reason := next(_reasons_against(layer), None)) is not None
    }
    if problems:
        raise ConfigError(f"penstock.nn.to_torch can't convert {_listed(problems)}.")
    return _convert_all(model, _is_penstocks, lambda layer, path: _converted(layer, _TO_TORCH[type(layer)]))


def _listed(reasons: dict[str, str]) -> str:
    return "; ".join(f"{path} ({reason})" for path, reason in reasons.items())


def _convert_all(model: Module, matches: Callable[[Module], bool], convert: Callable[[Module, str], Module]) -> Module:
    """Put convert(layer, path) in the place of each layer that matches; a layer that is used twice stays shared."""
    converted: dict[int, Module] = {}

    def once(layer: Module, path: str) -> Module:
        if id(layer) not in converted:
            converted[id(layer)] = convert(layer, path)
        return converted[id(layer)]

    for prefix, parent in list(model.named_modules()):
        for name, child in list(parent._modules.items()):
            if child is not None and matches(child):
                parent._modules[name] = once(child, f"{prefix}.{name}" if prefix else name)
    return once(model, "the model itself") if matches(model) else model


def _is_torchs(module: Module) -> bool:
    """Whether it is a recurrent layer or cell of PyTorch, not yet replaced."""
    return isinstance(module, tuple(_TO_PENSTOCK)) and not _is_penstocks(module)


def _is_penstocks(module: Module) -> bool:
    return isinstance(module, RecurrentLayers | RecurrentCell)


def _reasons_against(layer: Module) -> Iterator[str]:
    """Yield why a layer of Penstock's can't become one of PyTorch's."""
    kind: LayerSpec = vars(layer)["_bound"].kind if isinstance(layer, RecurrentCell) else vars(layer)["_kinds"][0]
    if not kind.is_torch:
        options = extras(kind, "torch", None).removeprefix(", ")
        yield f"PyTorch has no {type(layer).__name__}" + (f" with {options}" if options else "")
    yield from _reasons_to_keep(layer, _TO_TORCH)


def _reasons_to_keep(layer: Module, targets: Mapping[type[Module], type[Module]]) -> Iterator[str]:
    if torch.nn.utils.parametrize.is_parametrized(layer):
        yield "its weights are parametrised; replace the layer first, then parametrise it"
    if type(layer) not in targets:
        yield f"{type(layer).__name__} is a subclass, which may compute something else"
        return
    target, standard = targets[type(layer)], _standard_attributes(layer)
    added = [name for name in vars(layer) if name not in standard] + [*layer._buffers, *layer._modules]
    reserved = {"forward", *vars(_make(layer, target)), *dir(target)} - standard.keys()
    for name in reserved.intersection(added):
        yield f"it has an additional attribute {name}, which the other layer uses itself"
    if any(getattr(hook, "with_module", False) for hook in layer._load_state_dict_pre_hooks.values()):
        yield "a load_state_dict hook is bound to it"


def _arguments(layer: Module) -> dict[str, object]:
    arguments = {name: getattr(layer, name) for name in _ARGUMENTS if hasattr(layer, name)}
    if not isinstance(layer, torch.nn.LSTM | LSTM):
        arguments.pop("proj_size", None)  # PyTorch stores 0 for them
    if arguments.get("num_layers") == 1:
        arguments["dropout"] = 0.0  # avoids a second warning about dropout on a single layer
    return arguments


def _make(layer: Module, target: type[Module]) -> Module:
    """Make a layer of the class `target` with the arguments of `layer`, with parameters that have no memory."""
    return target(**_arguments(layer), device="meta")


def _standard_attributes(layer: Module) -> dict[str, object]:
    """Return the attributes that the class of `layer` sets on such a layer."""
    return vars(_make(layer, type(layer)))


def _converted(layer: Module, target: type[Module]) -> Module:
    converted = _make(layer, target)
    attributes, standard = vars(converted), _standard_attributes(layer)
    for name, value in vars(layer).items():
        if name not in standard or "_hooks" in name or name in _STATE:
            attributes[name] = value
    if isinstance(converted, torch.nn.RNNBase):
        converted._init_flat_weights()
    return converted
