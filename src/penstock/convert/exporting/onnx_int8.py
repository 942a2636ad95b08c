"""ONNX files with int8 weights, by ONNX Runtime's dynamic quantiser."""

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from penstock.convert.exporting.exported import NamedGraph
from penstock.convert.exporting.runtimes import Run
from penstock.convert.exporting.verification import difference, run_whole
from penstock.errors import MissingExtraError
from penstock.runtime.graph_scorer import GraphScorer
from penstock.sequences import Sequences

__all__ = ["loss", "quantized"]

Measures = dict[str, float | str]


def quantized(made: Any) -> Any:
    """Return a ModelProto with int8 weights in LSTM layers, linear layers and tables; GRU and RNN layers stay float32.

    Raises:
        MissingExtraError: ONNX Runtime isn't installed.
    """
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except ImportError as error:
        raise MissingExtraError("int8 weights need ONNX Runtime: pip install 'penstock[onnx]'") from error
    copied = onnx.ModelProto()
    copied.CopyFrom(made)
    level = logging.root.level
    logging.root.setLevel(logging.ERROR)  # its advice on preprocessing is for graphs of other exporters
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "quantized.onnx"
            quantize_dynamic(copied, path, weight_type=QuantType.QInt8)
            result = onnx.load(path)
    finally:
        logging.root.setLevel(level)
    onnx.helper.set_model_props(result, {each.key: each.value for each in made.metadata_props})
    return result


def loss(run: Run, exported: NamedGraph, sequences: Mapping[str, Sequences], *, random: bool) -> Measures:
    """Return how far a file's outputs are from the model's.

    Args:
        run: the file, of whole sequences.
        exported: the network.
        sequences: what both read.
        random: whether they are random.
    """
    expected = GraphScorer(exported.graph, exported.tensors).scores(sequences)
    found = run_whole(run, exported.graph, sequences)
    pairs = [(_rows(found[name]), _rows(expected[name])) for name in exported.graph.outputs]
    same = [one.argmax(-1) == other.argmax(-1) for one, other in pairs if other.shape[-1] > 1]
    count = len(next(iter(sequences.values())))
    choice = {"rows with the same largest output": float(np.concatenate(same).mean())} if same else {}
    return {
        "compared on": f"{count} {'random' if random else 'given'} sequences",
        "largest difference": max(difference(one, other) for one, other in pairs),
        **choice,
    }


def _rows(output: Any) -> Any:
    return output.values if isinstance(output, Sequences) else output
