"""A state_dict without its code as a graph: an embedding, recurrent layers, a linear layer, where that is certain."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.cells import CELLS
from penstock.convert.importing.checking import Oracle
from penstock.errors import ConfigError
from penstock.network import Dense, Graph, GraphBuilder, Lookup, Pool, Recurrent, RecurrentLayers, Value
from penstock.runtime.parameters import in_stack, infer, is_parameter, real

__all__ = ["graph_of_state"]

Arrays = dict[str, NDArray[np.float32]]
_FIRST = ("weight_ih_l0", "weight_ih")


def graph_of_state(
    state: Mapping[str, Any], prefix: str | None, pool: str | None, options: Mapping[str, Any]
) -> tuple[Graph, Arrays, list[str], Oracle | str]:
    """Make a graph of the tensors by their names; return it with its tensors, notes and an oracle.

    Args:
        state: tensors or arrays by name; or a checkpoint that holds such a mapping.
        prefix: the part before `weight_ih_l0`: these recurrent layers alone. None: everything, if it is certain.
        pool: "last", "mean" or "max" between the recurrent and the linear layer; None for a row for each step.
        options: of the cell, which no tensor shows.

    Raises:
        ConfigError: there is no recurrent layer, or what the other tensors do is uncertain.
    """
    arrays = _arrays(state)
    prefixes = {name.removesuffix(first): None for name in arrays for first in _FIRST if name.endswith(first)}
    chosen = _chosen(list(prefixes), prefix)
    own = {name.removeprefix(chosen): name for name in arrays if name.startswith(chosen)}
    layers = {in_stack(name): real(arrays[full], full) for name, full in own.items() if is_parameter(name)}
    spec = infer(layers, _cell(layers), dict(options))
    taken = {own[name] for name in own if is_parameter(name)}
    left = [] if prefix is not None else [name for name in arrays if name not in taken]
    table, linear = _around(arrays, left, spec, list(prefixes), chosen)
    graph, tensors = _built(arrays, layers, spec, table, linear, pool)
    notes = [] if linear is None or pool else [f"{linear} is applied to each step: pool= takes one row for a sequence"]
    return graph, tensors, notes, _oracle(arrays, layers, spec, table, linear, pool)


def _arrays(state: Mapping[str, Any]) -> dict[str, Any]:
    """The tensors of a state_dict; of a checkpoint, those of the only mapping that holds recurrent layers."""
    if not any(str(name).endswith(_FIRST) for name in state):
        inner = [part for part in state.values() if isinstance(part, Mapping)]
        fitting = [part for part in inner if any(str(name).endswith(_FIRST) for name in part)]
        if len(fitting) == 1:
            state = fitting[0]
    return {str(name): _numbers(part) for name, part in state.items() if hasattr(part, "shape")}


def _numbers(tensor: Any) -> Any:
    return tensor.detach().float().cpu().numpy() if hasattr(tensor, "detach") else tensor


def _chosen(prefixes: list[str], prefix: str | None) -> str:
    listed = ", ".join(map(repr, prefixes))
    if not prefixes:
        raise ConfigError("the tensors hold no recurrent layer: no name ends in weight_ih_l0 or weight_ih")
    if prefix is None:
        if len(prefixes) > 1:
            raise ConfigError(f"there are several recurrent parts: {listed}. Choose one by prefix=.")
        return prefixes[0]
    for spelled in (prefix, f"{prefix}."):
        if spelled in prefixes:
            return spelled
    raise ConfigError(f"there is no recurrent layer under the prefix {prefix!r}. Prefixes found: {listed}.")


def _cell(layers: Mapping[str, NDArray[Any]]) -> str:
    """The cell, by the number of its gates."""
    if not {"weight_ih_l0", "weight_hh_l0"} <= set(layers):
        raise ConfigError(f"weight_ih_l0 and weight_hh_l0 must both be there; got {', '.join(layers)}")
    hidden = layers["weight_hr_l0" if "weight_hr_l0" in layers else "weight_hh_l0"].shape[-1]
    gates = len(layers["weight_hh_l0"]) / hidden
    found = [name for name in ("lstm", "gru", "rnn") if len(CELLS[name].gates) == gates]
    if not found:
        raise ConfigError(f"weight_hh_l0 has {gates:g} gates of {hidden} units; an LSTM has 4, a GRU 3, an RNN 1")
    return found[0]


def _around(
    arrays: Mapping[str, Any], left: list[str], spec: Recurrent, prefixes: list[str], chosen: str
) -> tuple[str | None, str | None]:
    """Name the embedding before and the linear layer after; ConfigError if anything else is there."""
    groups = list(dict.fromkeys(name.rpartition(".")[0] for name in left))
    tables = [name for name in groups if _shape(arrays, name)[1:] == (spec.input_size,) and not _has_bias(arrays, name)]
    linears = [name for name in groups if _shape(arrays, name)[1:] == (spec.output_size,) and _has_bias(arrays, name)]
    others = [name for name in left if name.rpartition(".")[0] not in {*tables, *linears}]
    if others or len(tables) > 1 or len(linears) > 1:
        shapes = [f"{name} {tuple(arrays[name].shape)}" for name in (others or left)]
        raise ConfigError(
            f"without the module's code it is uncertain what these do: {_some(shapes)}. Give the module itself, a "
            f"program of torch.export, or prefix={chosen.removesuffix('.')!r} for the recurrent layers alone."
        )
    return next(iter(tables), None), next(iter(linears), None)


def _shape(arrays: Mapping[str, Any], layer: str) -> tuple[int, ...]:
    weight = arrays.get(f"{layer}.weight")
    return () if weight is None or len(weight.shape) != 2 else tuple(weight.shape)


def _has_bias(arrays: Mapping[str, Any], layer: str) -> bool:
    return f"{layer}.bias" in arrays


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _built(
    arrays: Mapping[str, Any], layers: Arrays, spec: Recurrent, table: str | None, linear: str | None, pool: str | None
) -> tuple[Graph, Arrays]:
    if table is None:
        builder, x = GraphBuilder({"x": Value(spec.input_size)}), "x"
    else:
        size = _shape(arrays, table)[0]
        builder = GraphBuilder({"ids": Value(size, ids=True)})
        x = builder.add(Lookup(size, spec.input_size), "ids", name=table, weight=arrays[f"{table}.weight"])
    y = builder.add(RecurrentLayers(spec), x, name="outputs", **layers)
    if pool is not None:
        y = builder.add(Pool(pool), y, name="pooled")  # type: ignore[arg-type]
    if linear is not None:
        weight, bias = arrays[f"{linear}.weight"], arrays[f"{linear}.bias"]
        y = builder.add(Dense(weight.shape[1], weight.shape[0]), y, name=linear, weight=weight, bias=bias)
    return builder.build(y)


def _oracle(
    arrays: Mapping[str, Any], layers: Arrays, spec: Recurrent, table: str | None, linear: str | None, pool: str | None
) -> Oracle | str:
    """PyTorch's own layers with these tensors."""
    if importlib.util.find_spec("torch") is None:
        return "PyTorch is not installed"
    allowed = spec.declaration.torch_options
    if allowed is None or any(spec.options.get(name) != value for name, value in allowed.items()):
        return f"PyTorch has no {spec.cell} with {dict(spec.options)}"
    import torch

    more = {"nonlinearity": spec.options["nonlinearity"]} if spec.cell == "rnn" else {}
    more |= {"proj_size": spec.options["proj_size"]} if spec.options.get("proj_size") else {}
    layer = getattr(torch.nn, spec.cell.upper())(
        spec.input_size, spec.hidden_size, spec.num_layers, bias=spec.bias, bidirectional=spec.bidirectional, **more
    )
    layer.load_state_dict({name: torch.tensor(array) for name, array in layers.items()})

    def run(item: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        with torch.no_grad():
            return dict(_run(item))

    def _run(item: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
        (given,) = item.values()
        x = torch.tensor(given if table is None else np.asarray(arrays[f"{table}.weight"])[given])
        y = layer(x)[0]
        y = {"last": lambda: y[-1], "mean": lambda: y.mean(0), "max": lambda: y.amax(0), None: lambda: y}[pool]()
        if linear is not None:
            weight, bias = (torch.tensor(np.asarray(arrays[f"{linear}.{name}"])) for name in ("weight", "bias"))
            y = torch.nn.functional.linear(y, weight, bias)
        yield linear or ("outputs" if pool is None else "pooled"), y.numpy()

    return Oracle(f"PyTorch {torch.__version__}", run)
