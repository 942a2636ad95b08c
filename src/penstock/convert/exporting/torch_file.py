"""Export to PyTorch: one file of source that needs no Penstock, and its weights."""

import importlib.util
import os
import secrets
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

from penstock.convert.exporting.files import Written, check_free, write
from penstock.convert.exporting.onnx_file import Sequences, network_of
from penstock.convert.exporting.onnx_model import Form
from penstock.convert.exporting.onnx_window import Window
from penstock.convert.exporting.runtimes import Arrays
from penstock.convert.exporting.torch_source import torch_source
from penstock.convert.exporting.torch_window import torch_window
from penstock.convert.exporting.verification import check
from penstock.errors import ConfigError, MissingExtraError
from penstock.runtime.model import Model

__all__ = ["to_torch"]


def to_torch(model: Model, path: str | os.PathLike[str], *, overwrite: bool = False) -> Written:
    """Write a model's network as a Python file with a `torch.nn.Module`, and its weights beside it.

    The file holds readable source on PyTorch's own modules and needs nothing of Penstock; `load()` in it returns the
    module with its weights. Its `forward` takes the inputs of `network.lowering.graph_of`, (batch, time, size) or ids
    (batch, time), and `lengths`; of a forecaster with a look-back `values`, (batch, context, targets), and what else it
    reads. `torch.export` keeps the sizes of batch and time free.

    Args:
        model: what `penstock.load` returns.
        path: the file, NAME.py; the weights go to NAME.safetensors.
        overwrite: replace files that exist.

    Returns:
        The files, and the largest difference from the model.

    Raises:
        ConfigError: a cell is not of PyTorch or Penstock, a file exists, the name does not end in .py, or the module
            differs from the model by more than 1e-5 of an output's scale.
        MissingExtraError: PyTorch isn't installed.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from penstock.convert import to_torch
        >>> from penstock.network import GraphBuilder, Pool, Value
        >>> from penstock.runtime import GraphModel
        >>> builder = GraphBuilder({"x": Value(3)})
        >>> model = GraphModel(*builder.build(builder.add(Pool("mean"), "x")))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     written = to_torch(model, Path(folder) / "mean.py")
        >>> written.files[0].name, max(written.errors.values()) < 1e-5
        ('mean.py', True)
    """
    target = Path(path)
    if target.suffix != ".py" or not target.stem.isidentifier():
        raise ConfigError(f"{path}: the file must be called NAME.py, with a name that Python can import")
    beside = target.with_suffix(".safetensors")
    check_free([target, beside], overwrite=overwrite)
    network = network_of(model)
    text, tensors = _written(network, beside.name)
    contents = {target: text.encode(), beside: safetensors.numpy.save(tensors)}
    error = network.error(_run(contents, network), Form(), None)
    check(error, "the module in PyTorch")
    return Written(write(contents), {"PyTorch": error})


def _written(network: Sequences | Window, weights: str) -> tuple[str, dict[str, NDArray[Any]]]:
    try:
        from penstock.convert.exporting import torch_look_back, torch_parts
    except ImportError as error:
        raise MissingExtraError("export to PyTorch needs PyTorch: pip install 'penstock[train]'") from error
    if isinstance(network, Window):
        return torch_window(network, weights, vars(torch_parts) | vars(torch_look_back))
    text, source = torch_source(network.exported, weights, torch_parts, set(dir(torch_parts.nn.Module)))
    return text, source.tensors


def _run(contents: dict[Path, bytes], network: Sequences | Window) -> Any:
    """Run the files' module on arrays by name."""
    import torch

    module = _loaded(contents)

    def run(inputs: Arrays) -> dict[str, NDArray[Any]]:
        given = {key: torch.from_numpy(np.ascontiguousarray(array)) for key, array in inputs.items()}
        lengths = [given.pop("lengths")] if "lengths" in given else []
        with torch.no_grad():
            found = module(*given.values(), *lengths)
        outputs = [network.function.output] if isinstance(network, Window) else network.exported.graph.outputs
        found = found if isinstance(found, dict) else {outputs[0]: found}
        return {key: each.numpy() for key, each in found.items()}

    return run


def _loaded(contents: dict[Path, bytes]) -> Any:
    """Load the files as a stranger would, from another folder."""
    with tempfile.TemporaryDirectory() as folder:
        for path, content in contents.items():
            (Path(folder) / path.name).write_bytes(content)
        name = f"exported_{secrets.token_hex(4)}"
        spec = importlib.util.spec_from_file_location(name, Path(folder) / next(iter(contents)).name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
        try:
            spec.loader.exec_module(module)
        finally:
            sys.dont_write_bytecode = before
        return module.load()
