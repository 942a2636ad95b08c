"""Import of ONNX models."""

import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.verification import started, states_of
from penstock.convert.importing.checking import Oracle, Source, imported
from penstock.convert.importing.onnx_own import own_graph
from penstock.convert.importing.onnx_reader import OnnxImport, read_model, read_onnx
from penstock.convert.importing.onnx_reading import onnx_package
from penstock.convert.importing.onnx_symbols import Symbol
from penstock.network import Graph
from penstock.runtime import GraphModel

if TYPE_CHECKING:
    import onnx

__all__ = ["from_onnx"]


def from_onnx(
    source: "str | Path | onnx.ModelProto",
    *,
    batch_first: bool | None = None,
    check: bool | Iterable[Any] = True,
) -> GraphModel:
    """Import an ONNX model whose recurrence is LSTM, GRU or RNN operators.

    Inputs and outputs that hold states, and an input of lengths, disappear: a stream keeps its states by itself, and
    every sequence has its own length. `metrics["import"]["notes"]` names them. Files that `to_onnx` wrote come back
    with all their operations, whole or streaming form, but for forecasters with a look-back and int8 weights.

    Args:
        source: a file, or a loaded model.
        batch_first: whether the first axis of the inputs is the batch, and the second is time. By default the recurrent
            operators tell.
        check: compare the outputs with those of ONNX Runtime, or of ONNX's own slow evaluator where it is not
            installed; inputs as for `predict` are compared too.

    Returns:
        The model; `metrics["import"]` says what was checked.

    Raises:
        BundleError: the file can't be read.
        ConfigError: something can't come in (the message names the node), or the outputs differ.
        MissingExtraError: the package onnx is not installed.

    Examples:
        >>> from penstock import convert
        >>> convert.from_onnx("nowhere.onnx")
        Traceback (most recent call last):
        ...
        penstock.errors.BundleError: nowhere.onnx: can't be read as ONNX: No such file or directory
    """
    if isinstance(source, str | Path):
        model, name = read_model(source), Path(source).name
    else:
        model, name = source, source.graph.name or "model"
    if (own := own_graph(model)) is not None:
        notes = ["written by Penstock: read by the description in its metadata; states and lengths are a stream's own"]
        given = None if isinstance(check, bool) else check
        oracle = _own_oracle(model, own[0]) if check is not False else "check=False"
        return imported(*own, Source("onnx", name, notes), oracle, given)
    found = read_onnx(model, batch_first=batch_first)
    oracle = _oracle(model, found) if check is not False else "check=False"
    notes = [f"{', '.join(found.states)}: states, which a stream keeps"] if found.states else []
    notes += [f"{', '.join(found.lengths)}: lengths, which sequences have"] if found.lengths else []
    lengths = {name: _fixed_length(model, name, symbol) for name, symbol in found.inputs.items()}
    given = None if isinstance(check, bool) else check
    return imported(found.graph, found.tensors, Source("onnx", name, notes, lengths), oracle, given)


def _fixed_length(model: "onnx.ModelProto", name: str, symbol: Symbol) -> int | None:
    """The number of steps that the model fixes for an input, if it does."""
    place = next(place for place, axis in enumerate(symbol.axes) if any(atom.kind == "time" for atom in axis))
    described = next(each for each in model.graph.input if each.name == name)
    return described.type.tensor_type.shape.dim[place].dim_value or None


def _oracle(model: "onnx.ModelProto", found: OnnxImport) -> Oracle:
    """The model run on one sequence, with zero states."""
    run, name = _runner(model)
    names = {symbol.name: output for output, symbol in found.outputs.items()}

    def one(item: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        feeds = {each: _placed(model, each, found.inputs[each], array) for each, array in item.items()}
        steps = len(next(iter(item.values())))
        for described in model.graph.input:
            if described.name in found.lengths:
                feeds[described.name] = np.full(1, steps, np.int32)
            elif described.name in found.states:
                feeds[described.name] = np.zeros(_sizes(described), np.float32)
        results = run(list(names.values()), feeds)
        return {
            symbol: _taken(result, found.outputs[output], steps)
            for (symbol, output), result in zip(names.items(), results, strict=True)
        }

    return Oracle(name, one)


def _own_oracle(model: "onnx.ModelProto", graph: Graph) -> Oracle:
    """A file that Penstock wrote, run on one sequence from the states before its first step."""
    run, name = _runner(model)
    outputs = [each.name for each in model.graph.output[: len(graph.outputs)]]
    fed = {each.name for each in model.graph.input}
    states = started(states_of(model), 1)

    def one(item: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        lengths = {"lengths": np.array([len(next(iter(item.values())))])} if "lengths" in fed else {}
        data = {
            each: array[None].astype(np.int64 if graph.inputs[each].ids else np.float32) for each, array in item.items()
        }
        results = run(outputs, data | states | lengths)
        return {output: result[0] for output, result in zip(graph.outputs, results, strict=True)}

    return Oracle(name, one)


def _runner(model: "onnx.ModelProto") -> tuple[Any, str]:
    if importlib.util.find_spec("onnxruntime") is not None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        return session.run, f"ONNX Runtime {onnxruntime.__version__}"
    from onnx.reference import ReferenceEvaluator

    return ReferenceEvaluator(model).run, f"ONNX's evaluator {onnx_package().__version__}"


def _sizes(described: Any) -> list[int]:
    return [dim.dim_value or 1 for dim in described.type.tensor_type.shape.dim]


def _placed(model: "onnx.ModelProto", name: str, symbol: Symbol, array: NDArray[Any]) -> NDArray[Any]:
    """One sequence (time, ...) with the axes of an input."""
    described = next(each for each in model.graph.input if each.name == name)
    dtype = onnx_package().helper.tensor_dtype_to_np_dtype(described.type.tensor_type.elem_type)
    shape = [len(array) if any(a.kind == "time" for a in axis) else 1 for axis in symbol.axes]
    if not symbol.ids:
        shape[-1] = symbol.size
    return array.reshape(shape).astype(dtype)


def _taken(result: NDArray[Any], symbol: Symbol, steps: int) -> NDArray[Any]:
    """An output of one sequence as (time, size) or (size,), the features in the graph's order."""
    atoms = [atom for axis in symbol.axes for atom in axis if atom.kind != "batch"]
    parted = result.reshape([steps if atom.kind == "time" else atom.size for atom in atoms])
    time = [place for place, atom in enumerate(atoms) if atom.kind == "time"]
    ordered = parted.transpose(*time, *(atoms.index(atom) for atom in symbol.features))
    return ordered.reshape(steps, -1) if time else ordered.reshape(-1)
