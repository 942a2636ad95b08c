"""Import of PyTorch's models."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from penstock.convert.importing.checking import Oracle, Source, imported
from penstock.convert.importing.torch_file import read_torch_file
from penstock.convert.importing.torch_state import graph_of_state
from penstock.errors import ConfigError
from penstock.runtime import GraphModel

__all__ = ["from_torch"]


def from_torch(
    source: Any,
    *,
    prefix: str | None = None,
    pool: str | None = None,
    sizes: Mapping[str, int] | None = None,
    check: bool | Iterable[Any] = True,
    **options: Any,
) -> GraphModel:
    """Import a model of PyTorch with recurrent layers.

    A module or an exported program comes in with all its layers; of a state_dict, which holds no code, what its names
    and shapes make certain: an embedding, recurrent layers, a linear layer.

    Args:
        source: a module of torch.nn or penstock.nn; an ExportedProgram; a state_dict; or a file: .safetensors, what
            `torch.save` wrote, TorchScript, or .pt2. Files are opened without running code in them.
        prefix: of a state_dict, the recurrent layers with this before `weight_ih_l0`, alone.
        pool: of a state_dict with a linear layer, what it reads of each sequence: "last", "mean" or "max"; None for
            every step.
        sizes: the number of features of a module's inputs by name, where no layer shows it.
        check: compare the outputs with PyTorch's own, where it is installed; inputs as for `predict` are compared too.
        options: of a state_dict, options of the cell that no tensor shows: `nonlinearity="relu"`, `reset_after=False`.

    Returns:
        The model; `metrics["import"]` says what was checked.

    Raises:
        BundleError: the file can't be read.
        ConfigError: something can't come in (the message names it), or the outputs differ from PyTorch's own.

    Examples:
        >>> import torch
        >>> from penstock import convert
        >>> model = convert.from_torch(torch.nn.Sequential(torch.nn.Embedding(9, 4), torch.nn.GRU(4, 8)))
        >>> model.network.inputs["input"].ids
        True
    """
    name = Path(source).name if isinstance(source, str | Path) else type(source).__name__
    if isinstance(source, str | Path):
        source = read_torch_file(Path(source))
    if _is_scripted(source):
        source = source.state_dict()
    if isinstance(source, Mapping):
        graph, tensors, notes, oracle = graph_of_state(source, prefix, pool, options)
        return _finished(graph, tensors, Source("torch", name, notes), oracle, check)
    if prefix is not None or pool is not None or options:
        raise ConfigError(f"prefix=, pool= and options of the cell are for a state_dict; got {name}")
    from penstock.convert.importing.torch_graph import graph_of_module, graph_of_program

    if hasattr(source, "graph_signature"):
        found = graph_of_program(source)
    elif hasattr(source, "named_modules"):
        found = graph_of_module(source, sizes or {})
    else:
        raise ConfigError(f"source must be a module, an exported program, a state_dict or a path; got {name}")
    about = Source("torch", name, found.notes, found.lengths)
    return _finished(found.graph, found.tensors, about, found.oracle, check)


def _finished(
    graph: Any, tensors: Any, source: Source, oracle: Oracle | str, check: bool | Iterable[Any]
) -> GraphModel:
    given = None if isinstance(check, bool) else check
    return imported(graph, tensors, source, "check=False" if check is False else oracle, given)


def _is_scripted(source: Any) -> bool:
    return any(base.__name__ == "ScriptModule" for base in type(source).__mro__)
