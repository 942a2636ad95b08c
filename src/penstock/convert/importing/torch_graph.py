"""PyTorch's modules and exported programs as graphs: torch.fx's nodes, one after the other."""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.checking import Oracle
from penstock.convert.importing.torch_operations import FUNCTIONS, batch_norm, recurrent
from penstock.convert.importing.torch_values import Flow, Opaque, Reading, States, array
from penstock.errors import ConfigError, InputError
from penstock.network import Graph, GraphBuilder
from penstock.runtime.parameters import infer

__all__ = ["TorchGraph", "graph_of_module", "graph_of_program"]


@dataclass(frozen=True)
class TorchGraph:
    """A graph made of a module, and the module's own run."""

    graph: Graph
    tensors: dict[str, NDArray[np.float32]]
    notes: list[str]
    oracle: Oracle
    lengths: dict[str, int | None]


def graph_of_module(module: Any, sizes: Mapping[str, int]) -> TorchGraph:
    """Trace a module by torch.fx and make its graph.

    Raises:
        ConfigError: the module can't be traced, or something in it can't come in; the message names it.
    """
    import torch

    tracer = _tracer()
    root = torch.nn.Sequential(module) if tracer.is_leaf_module(module, "") else module
    training = {child: child.training for child in root.modules()}
    try:
        root.eval()
        try:
            traced = tracer.trace(root)
        except Exception as error:  # whatever a module's own code raises on torch.fx's proxies
            reason = str(error).strip().splitlines()
            raise ConfigError(
                f"{type(module).__name__} can't be traced by torch.fx: {reason[0] if reason else error!r:.200}. "
                "Give a program of torch.export, or the state_dict() of its recurrent part."
            ) from error
        modules = dict(root.named_modules())
        return _of_either_order(traced, modules, root, sizes)
    finally:
        for child, mode in training.items():
            child.training = mode


def graph_of_program(program: Any) -> TorchGraph:
    """Make the graph of an ExportedProgram; ConfigError if something in it can't come in."""
    signature = program.graph_signature
    state = {**program.state_dict, **program.constants}
    known = {
        name: array(state[target])
        for name, target in {
            **signature.inputs_to_parameters,
            **signature.inputs_to_buffers,
            **signature.inputs_to_lifted_tensor_constants,
        }.items()
        if target in state
    }
    shapes = {
        node.name: (tuple(node.meta["val"].shape), node.meta["val"].dtype.is_floating_point)
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name not in known and hasattr(node.meta.get("val"), "shape")
    }
    sizes = {name: int(shape[-1]) for name, (shape, real) in shapes.items() if real and len(shape) == 3}
    return _of_either_order(program.graph, {}, program.module(), sizes, known, {n: s for n, (s, _) in shapes.items()})


def _tracer() -> Any:
    import torch

    class Tracer(torch.fx.Tracer):
        """Keeps PyTorch's and Penstock's layers whole."""

        def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
            layer = type(m).__module__.startswith(("torch.nn", "penstock.nn"))
            return layer and not isinstance(m, torch.nn.Sequential | torch.nn.ModuleList)

    return Tracer(autowrap_modules=(math, torch.nn.utils.rnn))  # type: ignore[arg-type]


def _of_either_order(
    graph: Any,
    modules: Mapping[str, Any],
    root: Any,
    sizes: Mapping[str, int],
    known: Mapping[str, Any] | None = None,
    shapes: Mapping[str, Any] | None = None,
) -> TorchGraph:
    """Read the graph with inputs whose batch axis is first, or else with time first; what fits is the right one."""
    errors = []
    for batch_first in _orders(modules):
        reading = Reading(GraphBuilder({}), batch_first, sizes)
        try:
            outputs = _read(reading, graph, modules, known or {}, root)
            return _finished(reading, graph, root, outputs, shapes or {})
        except InputError as error:
            errors.append(error)
    raise errors[0]


def _orders(modules: Mapping[str, Any]) -> list[bool]:
    first = next((module.batch_first for module in modules.values() if hasattr(module, "batch_first")), True)
    return [first, not first]


def _read(r: Reading, graph: Any, modules: Mapping[str, Any], known: Mapping[str, Any], root: Any) -> Any:
    """Run over the nodes; return what the graph returns."""
    values: dict[Any, Any] = {}

    def value(part: Any) -> Any:
        import torch

        return torch.fx.node.map_arg(part, lambda node: values[node])

    for node in graph.nodes:
        r.layer = str(node.target) if node.op == "call_module" else node.name
        args, options = value(node.args), value(node.kwargs)
        if node.op == "placeholder":
            values[node] = known[node.name] if node.name in known else r.input(str(node.target))
        elif node.op == "get_attr":
            values[node] = array(_attribute(root, str(node.target)))
        elif node.op == "call_module":
            values[node] = _module(r, modules[str(node.target)], *args, **options)
        elif node.op == "output":
            return args[0]
        else:
            values[node] = _function(r, node, args, options)
    raise ConfigError("the module returns nothing")


def _attribute(root: Any, path: str) -> Any:
    for part in path.split("."):
        root = getattr(root, part)
    return root


def _function(r: Reading, node: Any, args: Any, options: Any) -> Any:
    name = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    exported = hasattr(node.target, "_schema")
    if exported:  # aten's: lstm.input
        name = node.target._schema.name.partition("::")[2]
        options = {key: part for key, part in options.items() if key not in ("dtype", "device", "pin_memory", "layout")}
    if name not in FUNCTIONS or (name == "batch_norm" and not exported):  # whose order of arguments differs
        raise r.refused(f"the function {name!r:.60}", "use the layers of torch.nn, or import a part of the model")
    first = next(iter(args), None)
    if isinstance(first, Opaque) and name not in ("lstm", "gru"):
        return Opaque()
    try:
        return FUNCTIONS[name](r, *args, **options)
    except InputError:
        raise
    except (TypeError, ValueError, IndexError, AttributeError, KeyError) as error:
        raise r.refused(f"the function {name!r} with these arguments ({error})") from error


_NOTHING = ("AlphaDropout", "Dropout", "Dropout1d", "FeatureAlphaDropout", "Identity")
_ACTIVATIONS = {
    "ELU": ("elu", ("alpha",)),
    "GELU": ("gelu", ("approximate",)),
    "Hardsigmoid": ("hardsigmoid", ()),
    "Hardtanh": ("hardtanh", ("min_val", "max_val")),
    "LeakyReLU": ("leaky_relu", ("negative_slope",)),
    "LogSoftmax": ("log_softmax", ("dim",)),
    "ReLU": ("relu", ()),
    "ReLU6": ("relu6", ()),
    "SELU": ("selu", ()),
    "SiLU": ("silu", ()),
    "Sigmoid": ("sigmoid", ()),
    "Softmax": ("softmax", ("dim",)),
    "Softplus": ("softplus", ("beta",)),
    "Softsign": ("softsign", ()),
    "Tanh": ("tanh", ()),
    "AdaptiveAvgPool1d": ("adaptive_avg_pool1d", ()),
    "AdaptiveMaxPool1d": ("adaptive_max_pool1d", ()),
}
_NEAREST = {
    "Conv1d": "import the recurrent part alone: its state_dict(), with prefix=",
    "LSTMCell": "LSTM is the layer that runs over the steps; a cell's state_dict() comes in by itself",
    "MultiheadAttention": "import the part before it",
    "TransformerEncoder": "recurrent networks come in",
}


def _module(r: Reading, module: Any, *args: Any, **options: Any) -> Any:
    """Add a layer of torch.nn or penstock.nn."""
    import torch

    kind = type(module).__name__
    x: Any = args[0] if args else next(iter(options.values()), None)
    if isinstance(module, torch.nn.RNNBase):
        return _recurrent(r, module, x, args[1] if len(args) > 1 else options.get("hx"))
    if kind in _NOTHING:
        return x
    if kind in _ACTIVATIONS:
        name, names = _ACTIVATIONS[kind]
        more = (module.output_size,) if name.startswith("adaptive") else ()
        return FUNCTIONS[name](r, x, *more, *(getattr(module, each) for each in names))
    parameters = {name: array(tensor) for name, tensor in module.state_dict().items()}
    weight, bias = parameters.get("weight"), parameters.get("bias")
    if kind == "Linear":
        return FUNCTIONS["linear"](r, x, weight, bias)
    if kind == "Embedding" and module.max_norm is None:
        return FUNCTIONS["embedding"](r, x, weight)
    if kind == "LayerNorm":
        return FUNCTIONS["layer_norm"](r, x, module.normalized_shape, weight, bias, module.eps)
    if kind == "BatchNorm1d":
        statistics: Any = parameters.get("running_mean"), parameters.get("running_var")
        return batch_norm(r, x, weight, bias, *statistics, False, 0.0, module.eps)
    if kind == "Flatten":
        return FUNCTIONS["flatten"](r, x)
    known = ", ".join(sorted({"BatchNorm1d", "Embedding", "GRU", "LSTM", "LayerNorm", "Linear", "RNN", *_ACTIVATIONS}))
    raise r.refused(f"the layer {kind}", _NEAREST.get(kind, f"layers that come in: {known}"))


def _recurrent(r: Reading, module: Any, x: Any, hx: Any) -> Any:
    cell = getattr(module, "cell", None) or {"RNN_TANH": "rnn", "RNN_RELU": "rnn"}.get(module.mode, module.mode.lower())
    kinds = getattr(module, "_kinds", None)
    options = dict(kinds[0].option_items) if kinds else {}
    if module.mode == "RNN_RELU":
        options["nonlinearity"] = "relu"
    tensors = {name: array(tensor) for name, tensor in module.named_parameters()}
    if any("parametrizations" in name or name.endswith(("_orig", "_g", "_v")) for name in tensors):
        raise r.refused("a layer with parametrized weights", "remove the parametrization first")
    return recurrent(r, x, hx, infer(tensors, cell, options), tensors, batch_first=module.batch_first)


def _leaves(part: Any, path: str = "output") -> Iterator[tuple[str, Any]]:
    """The tensors of a nested result, each with a name."""
    if isinstance(part, Mapping):
        for key, inner in part.items():
            yield from _leaves(inner, str(key))
    elif isinstance(part, tuple | list):
        for number, inner in enumerate(part):
            yield from _leaves(inner, f"{path}_{number}" if number else path)
    else:
        yield path, part


def _finished(r: Reading, graph: Any, root: Any, outputs: Any, shapes: Mapping[str, Any]) -> TorchGraph:
    r.layer = ""
    chosen, places = list[str](), dict[str, tuple[int, str]]()
    for number, (name, leaf) in enumerate(_leaves(outputs)):
        if isinstance(leaf, Flow) and leaf.name and leaf.name not in r.builder.inputs and leaf.name not in chosen:
            new = r.builder.free(name)
            r.builder.rename(leaf.name, new)
            chosen.append(new)
            places[new] = (number, leaf.axes)
        elif isinstance(leaf, States | Opaque):
            r.notes.append(f"output {number} (final states, or sizes) is not imported")
        elif leaf is not None:
            raise r.refused(f"output {number}", "an output must be a value of the network, each once")
    if not chosen:
        raise r.refused("a module without outputs of a recurrent network")
    described, tensors = r.builder.build(*chosen)
    axis = 1 if r.batch_first else 0
    lengths = {name: _fixed(shapes.get(name), axis) for name in described.inputs}
    return TorchGraph(described, tensors, r.notes, _oracle(r, graph, root, places, shapes), lengths)


def _fixed(shape: Any, axis: int) -> int | None:
    return int(shape[axis]) if shape is not None and len(shape) > axis and isinstance(shape[axis], int) else None


def _oracle(
    r: Reading, graph: Any, root: Any, places: Mapping[str, tuple[int, str]], shapes: Mapping[str, Any]
) -> Oracle:
    import torch

    placeholders = [node for node in graph.nodes if node.op == "placeholder"]
    batch_axis = 0 if r.batch_first else 1

    def argument(node: Any, item: Mapping[str, Any]) -> Any:
        name = str(node.target)
        if name not in item:
            return torch.tensor([len(next(iter(item.values())))])  # what is no input of the graph is lengths
        tensor = torch.tensor(item[name]).unsqueeze(batch_axis)
        count = _fixed(shapes.get(name), batch_axis) or 1
        return tensor.repeat([count if axis == batch_axis else 1 for axis in range(tensor.ndim)])

    asked = [node for node in placeholders if not node.name.startswith(("p_", "b_", "c_")) or not shapes]
    asked = [node for node in asked if str(node.target) in r.builder.inputs or not node.args]

    def run(item: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        with torch.no_grad():
            found = root(*(argument(node, item) for node in asked))
        leaves = [leaf for _, leaf in _leaves(found)]
        return {name: _one(leaves[number], axes) for name, (number, axes) in places.items()}

    return Oracle(f"PyTorch {torch.__version__}", _in_evaluation(root, run))


def _one(tensor: Any, axes: str) -> NDArray[Any]:
    """The first sequence of a batch, as (time, features) or (features,)."""
    array = tensor.select(axes.index("b"), 0).numpy()
    rest = axes.replace("b", "")
    array = np.squeeze(array, tuple(place for place, axis in enumerate(rest) if axis == "1"))
    return array.T if rest.replace("1", "") == "ft" else array


def _in_evaluation(root: Any, run: Callable[..., Any]) -> Callable[..., Any]:
    """Run with the module as in evaluation, and leave its mode as it was."""
    if not inspect.ismethod(getattr(root, "eval", None)) or hasattr(root, "graph"):
        return run

    def wrapped(item: Mapping[str, NDArray[Any]]) -> Any:
        training = {child: child.training for child in root.modules()}
        root.eval()
        try:
            return run(item)
        finally:
            for child, mode in training.items():
                child.training = mode

    return wrapped
