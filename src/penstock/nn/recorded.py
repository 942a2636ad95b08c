"""What PyTorch's recorders get of a layer: a node in torch.fx, PyTorch's operation in a trace, or an error with a way.

torch.compile and torch.export see `operator`; the ONNX exporter that builds on torch.export sees `onnx_node`.
"""

from typing import TYPE_CHECKING, Any, NoReturn

import torch
from torch.fx import Proxy

from penstock.errors import ConfigError
from penstock.nn.layer_spec import LayerSpec

if TYPE_CHECKING:
    from penstock.nn.layer import RecurrentLayers

__all__ = ["extras", "leaf", "refuse_script", "trace"]


def leaf(module: torch.nn.Module, input: Proxy, *more: Any) -> Any:
    """Record the call as one node of torch.fx's graph, as its tracer does for torch.nn's own layers.

    Raises:
        ConfigError: the module itself is traced, or it has hooks, which would run twice.
    """
    name = type(module).__name__
    path = input.tracer.path_of_module(module)  # type: ignore[attr-defined]  # of the one tracer that calls modules
    if not path:
        raise ConfigError(
            f"torch.fx.symbolic_trace records penstock.nn.{name} as one node of a model: trace a model that has it."
        )
    if module._forward_hooks or module._forward_pre_hooks:
        raise ConfigError(
            f"torch.fx.symbolic_trace would run the hooks of penstock.nn.{name} ({path}) twice. Remove them, or use a "
            "torch.fx.Tracer whose is_leaf_module is true for it."
        )
    arguments = [input, *more]
    while arguments[-1] is None:
        arguments.pop()
    return input.tracer.create_proxy("call_module", path, tuple(arguments), {})


def trace(module: "RecurrentLayers", input: Any, hx: Any, lengths: Any) -> tuple[Any, Any]:
    """Record PyTorch's own layer as a single operation; our equations would fix the number of steps."""
    if lengths is not None or not module._kinds[0].is_torch:
        options = extras(module._kinds[0], "torch", None)
        what = "lengths=" if lengths is not None else f"a {type(module).__name__}{options}"
        raise ConfigError(
            f"torch.jit.trace can't record {what}: the trace would fix the number of steps. Use torch.export, "
            "torch.compile or torch.onnx.export(..., dynamo=True), or pack_padded_sequence in place of lengths."
        )
    return module.torch_forward(input, hx)


def refuse_script(module: torch.nn.Module) -> NoReturn:
    """Raise: torch.jit.script compiles Python code, and the engine is compiled already."""
    raise ConfigError(
        f"torch.jit.script can't compile penstock.nn.{type(module).__name__}. Use torch.jit.trace, torch.export or "
        "torch.compile, or script a copy with PyTorch's layers: penstock.nn.to_torch(copy.deepcopy(model))."
    )


def extras(kind: LayerSpec, init: str, max_time: int | None) -> str:
    """Return, for `repr`, arguments that PyTorch's layers do not have and that differ from their defaults."""
    declared, torch_options = kind.declaration.options, kind.declaration.torch_options
    beyond = {
        name: value
        for name, value in kind.options.items()
        if torch_options is None or name in torch_options or declared[name].between_steps
    }
    text = "".join(f", {name}={value!r}" for name, value in beyond.items() if value != declared[name].default)
    text += f", init={init!r}" if init != "torch" else ""
    return text + (f", max_time={max_time}" if max_time is not None else "")
